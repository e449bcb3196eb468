"""The setup of the project on faces: its numbers, and one budget for every block."""

from dataclasses import replace

import pytest
import torch

from vitcourse.training.setup import OPTIMIZERS, SCHEDULES, SEED
from vitcourse.vit import VisionTransformer


def test_the_numbers_of_the_project():
    model = SEED.model
    assert (model.image_size, model.patch_size, model.dim, model.depth, model.num_heads) == (160, 16, 192, 12, 3)
    assert (SEED.epochs, SEED.optimizer, SEED.schedule, model.block) == (25, "adamw", "cosine", "layer_scale_init")
    with torch.device("meta"):
        made = VisionTransformer(model)
    assert made.pos_embed.shape == (1, 100, 192)
    optimizer, _ = SEED.prepare(torch.nn.Linear(2, 2))
    wanted = {"lr": 3e-3, "betas": (0.9, 0.999), "eps": 1e-5, "weight_decay": 0.01}
    assert {name: optimizer.defaults[name] for name in wanted} == wanted
    assert VisionTransformer(replace(model, depth=1)).blocks[0].ls1.gamma[0].item() == pytest.approx(1e-4)


def rates(optimizer, schedule):
    setup, rates = replace(SEED, optimizer=optimizer, schedule=schedule), []
    made, steps = setup.prepare(torch.nn.Linear(2, 2))
    for _epoch in range(setup.epochs):
        rates.append(made.param_groups[0]["lr"])
        made.step()
        steps.step()
    return rates


def test_schedules_step_by_the_epoch():
    half = rates("adamw", "cosine")
    assert half[0] == pytest.approx(3e-3)
    assert half == sorted(half, reverse=True)
    assert half[-1] < 3e-5
    assert rates("sgd", "step")[::7] == pytest.approx([1e-2, 1e-3, 1e-4, 1e-5])
    assert (set(OPTIMIZERS), set(SCHEDULES)) == ({"adamw", "sgd"}, {"cosine", "step"})


def test_parallel_blocks_have_less_depth():
    setup = SEED.with_block("parallel", num_parallel=3)
    assert (setup.model.block, setup.model.num_parallel, setup.model.depth) == ("parallel", 3, 4)
    assert SEED.with_block("block").model.depth == 12
    with pytest.raises(ValueError, match="depth 12 is no multiple of num_parallel 5"):
        SEED.with_block("parallel", num_parallel=5)

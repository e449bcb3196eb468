"""The recorded runs of lesson 07, on sizes that take seconds."""

import json
from dataclasses import replace
from functools import partial

import pytest
import torch

from vitcourse import results
from vitcourse.blocks import BLOCKS
from vitcourse.recipes.block_variants import block_shapes, block_variants, deep_blocks, drop_path_depths
from vitcourse.recipes.block_variants.block_variants import PRESETS, Preset, signs, some_digits, train
from vitcourse.recipes.vit.vit_digits import accuracy, digits, first
from vitcourse.training.setup import OPTIMIZERS, SEED
from vitcourse.vit import VisionTransformer


def size(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_all_four_blocks_have_as_many_parameters_but_for_the_gammas():
    for preset in PRESETS.values():
        with torch.device("meta"):
            models = {block: VisionTransformer(preset.setup.with_block(block).model) for block in BLOCKS}
        gammas = 2 * preset.setup.model.depth * preset.setup.model.dim
        assert size(models["block"]) == size(models["parallel"])
        assert (
            size(models["layer_scale_init"])
            == size(models["parallel_layer_scale_init"])
            == (size(models["block"]) + gammas)
        )


def test_a_model_learns_by_its_seed_and_not_at_rate_0(monkeypatch):
    setup = replace(PRESETS["small"].setup.with_block("parallel"), epochs=8)
    data = some_digits(0)
    model, losses = train(setup, *data["train"], seed=0)
    assert len(losses) == 8
    assert losses[-1] < 0.6 * losses[0]
    monkeypatch.setitem(OPTIMIZERS, "adamw", partial(torch.optim.AdamW, lr=0.0))
    frozen, flat = train(replace(setup, epochs=2), *data["train"], seed=0)
    assert abs(flat[1] - flat[0]) < 0.01
    assert accuracy(model, *data["test"]) > accuracy(frozen, *data["test"]) + 0.3


def test_signs_of_a_seed_are_its_own_and_the_test_is_the_same():
    one, other = (signs(seed, train=4, test=3, pixels=32) for seed in (0, 1))
    assert one["train"][0].shape == (4, 3, 32, 32)
    assert one["train"][1].tolist() == [0, 1, 2, 3]
    assert not torch.equal(one["train"][0], other["train"][0])
    assert torch.equal(one["test"][0], other["test"][0])


def test_the_seeds_own_setup_trains_through_the_same_code():
    """Its model of 160 pixels, a step an epoch on two signs: what runs on a CUDA machine, but for the sizes."""
    setup = replace(SEED, epochs=2)
    model, losses = train(setup, *signs(0, train=2, test=1)["train"], seed=0)
    assert size(model) == size(VisionTransformer(SEED.model))
    assert len(losses) == 2
    assert all(torch.tensor(losses).isfinite())


@pytest.mark.parametrize(("preset", "name"), [("small", "block_variants"), ("seed", "block_variants_seed")])
def test_block_variants_is_recorded(preset, name, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    tiny = replace(PRESETS["small"].setup, epochs=1, batch_size=720)
    monkeypatch.setitem(PRESETS, preset, Preset(tiny, some_digits, (0, 1)))
    file = block_variants.record(None, lambda line: None, preset)
    found = json.loads(file.read_text())
    assert (file.stem, found["preset"], len(found["rows"])) == (name, preset, 32)
    assert {(row["block"], row["optimizer"], row["schedule"], row["seed"]) for row in found["rows"]} == {
        (block, optimizer, schedule, seed)
        for block in BLOCKS
        for optimizer in ("adamw", "sgd")
        for schedule in ("cosine", "step")
        for seed in (0, 1)
    }


def test_shapes_have_as_many_parameters():
    models = [block_shapes.vit(patch_size=4, **shape) for shape in block_shapes.SHAPES.values()]
    assert max(map(size, models)) / min(map(size, models)) < 1.03


def test_a_gamma_keeps_a_deep_stack_near_the_identity():
    images = first(8, 0)[0]
    torch.manual_seed(0)
    grown = {
        (start, gamma): max(deep_blocks.branch_sizes(deep_blocks.deep(24, gamma, start), images))
        for start in deep_blocks.STARTS
        for gamma in deep_blocks.GAMMAS
    }
    assert grown["xavier", None] > 0.3 > 0.05 > grown["0.02", None] > 1e-3
    assert max(grown["0.02", 1e-4], grown["xavier", 1e-4]) < 1e-3


def test_a_model_without_some_blocks_runs_the_others():
    model = drop_path_depths.make(0.2).eval()
    shorter = drop_path_depths.without(model, {0, 5})
    images = first(4, 0)[0]
    tokens = model.embed(images)
    for place in (1, 2, 3, 4, 6, 7):
        tokens = model.blocks[place](tokens)
    torch.testing.assert_close(shorter(images), model.head(model.norm(tokens)[:, 0]))
    assert len(model.blocks) == 8
    assert all(block.drop_path2.p == 0.2 for block in model.blocks)
    test = digits()["test"]
    assert len(drop_path_depths.shorter_accuracies(model, *test, 3)) == drop_path_depths.DRAWS
    assert len(drop_path_depths.shorter_accuracies(model, *test, 0)) == 1


@pytest.mark.parametrize(
    ("module", "count"), [(block_shapes, 10), (deep_blocks, 24), (drop_path_depths, 6)], ids=lambda one: str(one)[-30:]
)
def test_a_run_is_recorded(module, count, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "SEEDS", (0, 1))
    if module is deep_blocks:
        monkeypatch.setattr(module, "DEPTHS", (2,))
        loops = {name: (partial(short, fit), rate) for name, (fit, rate) in module.LOOPS.items()}
        monkeypatch.setattr(module, "LOOPS", loops)
    else:
        monkeypatch.setattr(module, "train", partial(short, module.train))
    rows = json.loads(module.record(None, lambda line: None).read_text())["rows"]
    assert len(rows) == count
    assert {row["seed"] for row in rows} == {0, 1}


def short(train, *args, **how):
    return train(*args, **{**how, "steps": 1})

"""The recorded run ``block_variants``: four blocks, two optimizers, two schedules, one budget.

The preset "seed" is the project's own model on rendered signs of 160 pixels, for a CUDA machine; "small" has the same
optimizers, schedules and epochs, and a small model on a part of the real digits. All models of a preset have the same
number of parameters, apart from the gammas, and with a seed all see the same images in the same order.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.blocks import BLOCKS
from vitcourse.data.asl import to_input
from vitcourse.data.letters import LETTERS
from vitcourse.hands import render
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.vit.vit_digits import accuracy, digits, first
from vitcourse.training import by_device
from vitcourse.training.setup import OPTIMIZERS, SCHEDULES, SEED, Setup
from vitcourse.vit import VisionTransformer

Data = tuple[Tensor, Tensor]
DIGITS = {"image_size": 8, "patch_size": 4, "in_chans": 1, "num_classes": 10, "dim": 32, "depth": 4, "num_heads": 4}


def some_digits(seed: int) -> dict[str, Data]:
    """720 of the training digits, drawn by the seed, and all that are held out."""
    return {"train": first(720, seed), "test": digits()["test"]}


def signs(
    seed: int, train: int = 26 * 100, test: int = 26 * 20, pixels: int = SEED.model.image_size
) -> dict[str, Data]:
    """Rendered signs, in memory; every seed has its own for training, and all have the same test."""
    device = by_device("cpu", "cuda")
    data = {}
    for name, count, series in (("train", train, 1 + seed), ("test", test, 0)):
        letters = torch.arange(count) % len(LETTERS)
        images = torch.cat(
            [to_input(render(part, series, pixels, 256 * i, device)[0]) for i, part in enumerate(letters.split(256))]
        )
        data[name] = images, letters.to(device)
    return data


@dataclass(frozen=True)
class Preset:
    setup: Setup
    data: Callable[[int], dict[str, Data]]
    seeds: tuple[int, ...]


PRESETS = {
    "small": Preset(replace(SEED, model=replace(SEED.model, **DIGITS)), some_digits, (0, 1, 2, 3, 4)),
    "seed": Preset(SEED, signs, (0, 1, 2)),
}


def train(setup: Setup, images: Tensor, labels: Tensor, seed: int = 0) -> tuple[nn.Module, list[float]]:
    """A model in evaluation mode, and the mean loss of every epoch; on the device of the images.

    The initial weights and the order of the images follow from the seed; the loop has no warm-up and no clipping.
    """
    torch.manual_seed(seed)
    model, generator, losses = VisionTransformer(setup.model).to(images.device), torch.Generator().manual_seed(seed), []
    optimizer, schedule = setup.prepare(model)
    for _epoch in range(setup.epochs):
        total = torch.zeros((), device=images.device)
        for index in torch.randperm(len(images), generator=generator).split(setup.batch_size):
            index = index.to(images.device)
            loss = F.cross_entropy(model(images[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(index)
        schedule.step()
        losses.append(round(total.item() / len(images), 4))
    return model.eval(), losses


@recipe("block_variants", presets=("small", "seed"))
def record(say: Say, preset: str) -> dict:
    """Trains every block with every optimizer and schedule, with each seed."""
    setup, data_of, seeds = PRESETS[preset].setup, PRESETS[preset].data, PRESETS[preset].seeds
    content = {"preset": preset, "epochs": setup.epochs, "parameters": {}, "rows": []}
    for seed in seeds:
        data = data_of(seed)
        for block, optimizer, schedule in product(BLOCKS, OPTIMIZERS, SCHEDULES):
            own = replace(setup.with_block(block), optimizer=optimizer, schedule=schedule)
            model, losses = train(own, *data["train"], seed)
            content["parameters"][block] = sum(p.numel() for p in model.parameters())
            row = {"block": block, "optimizer": optimizer, "schedule": schedule, "seed": seed}
            row |= {"test": round(accuracy(model, *data["test"]), 4), "loss": losses[-1]}
            content["rows"].append(row)
            say(f"{block}, {optimizer}, {schedule}, seed {seed}: {row['test']:.1%}, loss {losses[-1]:.3f}")
            yield content

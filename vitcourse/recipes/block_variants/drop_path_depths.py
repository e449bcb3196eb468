"""The recorded run ``drop_path_depths``: a ViT trained with drop path, and how it does without some of its blocks."""

import copy
from functools import partial

import torch
from torch import Tensor, nn

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.vit.vit_digits import accuracy, digits, first, train, vit
from vitcourse.vit import VisionTransformer

DEPTH, RATES, SEEDS, STEPS, DRAWS = 8, (0.0, 0.2, 0.4), (0, 1, 2, 3, 4), 400, 12


def make(rate: float) -> VisionTransformer:
    """Eight blocks, each of whose branches is dropped with the same probability."""
    return vit(patch_size=4, depth=DEPTH, drop_path_rate=rate, drop_path_schedule="constant")


def train_with(rate: float, seed: int = 0, steps: int = STEPS) -> nn.Module:
    return train(partial(make, rate), *first(720, seed), 5e-3, seed=seed, steps=steps)


def without(model: VisionTransformer, missing: set[int]) -> VisionTransformer:
    """A copy of the model without some of its blocks."""
    shorter = copy.deepcopy(model)
    shorter.blocks = nn.ModuleList(block for place, block in enumerate(shorter.blocks) if place not in missing)
    return shorter


def shorter_accuracies(model: VisionTransformer, images: Tensor, labels: Tensor, missing: int) -> list[float]:
    """The accuracy with so many blocks missing, for 12 draws of which ones."""
    generator = torch.Generator().manual_seed(missing)
    found = []
    for _draw in range(DRAWS if 0 < missing < DEPTH else 1):
        gone = set(torch.randperm(DEPTH, generator=generator)[:missing].tolist())
        found.append(accuracy(without(model, gone), images, labels))
    return found


@recipe("drop_path_depths")
def record(say: Say) -> dict:
    """Trains with every rate and seed; the accuracies with 0 to 8 blocks missing."""
    test, rows = digits()["test"], []
    for rate in RATES:
        for seed in SEEDS:
            model = train_with(rate, seed)
            left = [shorter_accuracies(model, *test, missing) for missing in range(DEPTH + 1)]
            means = [round(sum(found) / len(found), 4) for found in left]
            rows.append({"rate": rate, "seed": seed, "test": means[0], "by_missing": means})
            say(f"rate {rate}, seed {seed}: {means[0]:.1%}, with two blocks missing {means[2]:.1%}")
            yield {"depth": DEPTH, "steps": STEPS, "images": 720, "draws": DRAWS, "rows": rows}

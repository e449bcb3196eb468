"""The recorded run ``deep_blocks``: 24 and 48 narrow blocks with and without LayerScale; which of them train at all?

Two kinds of initial weights: DeiT's, a standard deviation of 0.02 at every width, and Xavier's, which are larger the
narrower the model is, so that a branch is about as large as what it is added to. Three loops: with warm-up and
clipping, the same at a lower rate, and at a constant rate without both.
"""

from collections.abc import Callable
from functools import partial
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.vit.vit_digits import BATCH, accuracy, batches, digits, first, train, vit
from vitcourse.vit import VisionTransformer

DEPTHS, GAMMAS, STARTS = (24, 48), (None, 1e-4), ("0.02", "xavier")
SEEDS, STEPS = (0, 1, 2), 150
SHAPE = {"patch_size": 4, "dim": 16, "num_heads": 2}


def deep(depth: int, gamma: float | None, start: str = "0.02") -> VisionTransformer:
    """A narrow ViT of so many blocks."""
    model = vit(depth=depth, init_values=gamma, **SHAPE)
    if start == "xavier":
        for module in model.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
    return model


def branch_sizes(model: VisionTransformer, images: Tensor) -> list[float]:
    """For each block, the length of what it adds to the tokens, over the length of the tokens that it gets."""
    sizes, tokens = [], model.embed(images)
    for block in model.blocks:
        after = block(tokens)
        sizes.append(((after - tokens).norm() / tokens.norm()).item())
        tokens = after
    return sizes


def train_plain(
    make: Callable[[], nn.Module], images: Tensor, labels: Tensor, rate: float, *, seed: int = 0, steps: int = STEPS
) -> nn.Module:
    """AdamW at a constant rate from the first step on, the gradient as it is."""
    torch.manual_seed(seed)
    model, generator = make(), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.05)
    for index in batches(len(images), steps, generator):
        optimizer.zero_grad()
        F.cross_entropy(model(images[index]), labels[index]).backward()
        optimizer.step()
    return model.eval()


LOOPS = {"careful": (train, 1e-2), "lower rate": (train, 3e-3), "plain": (train_plain, 1e-2)}


@recipe("deep_blocks")
def record(say: Say) -> dict:
    """Trains every depth with every gamma, start and loop, with each seed."""
    data, rows = digits(), []
    for loop, depth, start, gamma in product(LOOPS, DEPTHS, STARTS, GAMMAS):
        fit, rate = LOOPS[loop]
        for seed in SEEDS:
            model = fit(partial(deep, depth, gamma, start), *first(1437, seed), rate, seed=seed, steps=STEPS)
            with torch.no_grad():
                loss = F.cross_entropy(model(data["train"][0]), data["train"][1]).item()
            row = {"loop": loop, "rate": rate, "depth": depth, "start": start, "gamma": gamma, "seed": seed}
            rows.append(row | {"loss": round(loss, 4), "test": round(accuracy(model, *data["test"]), 4)})
            say(", ".join(f"{name} {value}" for name, value in rows[-1].items()))
        yield {"steps": STEPS, "batch": BATCH, **SHAPE, "rows": rows}

"""The recorded run ``training_trials``: two short trials of lesson 08, with three seeds each.

The learning-rate range test (Smith 2017) raises the rate from step to step and looks at the loss. The other trial
multiplies the loss of a single batch by 1,000, as a wrong normalisation would, with and without clipping.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.training.training_choices import make
from vitcourse.recipes.vit import vit_digits

SEEDS, STEPS = (0, 1, 2), 150
LEAST, MOST = 3e-4, 1.0  # rates of the range test
RATE, SPOILED, TIMES = 3e-3, 60, 1000.0  # a constant rate, the step of the spoiled batch, and its factor


def trial(
    seed: int, rate_of: Callable[[int], float], clip: float = 1.0, factor_of: Callable[[int], float] = lambda _: 1.0
) -> list[float]:
    """The losses of a short training with AdamW.

    Args:
        rate_of: the rate of a step.
        clip: largest norm of the gradient; infinity for any.
        factor_of: what the loss of a step is multiplied by before ``backward``.
    """
    images, labels = vit_digits.first(1437, seed)
    torch.manual_seed(seed)
    model, generator, losses = make(), torch.Generator().manual_seed(seed), []
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.05)
    model.train()
    for step, index in enumerate(vit_digits.batches(len(images), STEPS, generator)):
        optimizer.param_groups[0]["lr"] = rate_of(step)
        loss = F.cross_entropy(model(images[index]), labels[index])
        optimizer.zero_grad()
        (factor_of(step) * loss).backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        losses.append(loss.item())
    return losses


def rising(step: int) -> float:
    """The rate of the range test: the same factor from each step to the next."""
    return LEAST * (MOST / LEAST) ** (step / (STEPS - 1))


def once(step: int) -> float:
    return TIMES if step == SPOILED else 1.0


def spoiled(seed: int) -> dict[str, list[float]]:
    """The losses without the spoiled batch, and with it, clipped and not clipped."""
    return {
        "none spoiled": trial(seed, lambda _: RATE),
        "spoiled, clipped": trial(seed, lambda _: RATE, factor_of=once),
        "spoiled, not clipped": trial(seed, lambda _: RATE, clip=torch.inf, factor_of=once),
    }


@recipe("training_trials")
def record(say: Say) -> dict:
    """Both trials with every seed."""
    rows = []
    for seed in SEEDS:
        row = {"range test": trial(seed, rising)} | spoiled(seed)
        rows.append({"seed": seed} | {name: [round(loss, 4) for loss in losses] for name, losses in row.items()})
        say(f"seed {seed}: done")
    return {"steps": STEPS, "rate": RATE, "spoiled": SPOILED, "times": TIMES, "rows": rows}

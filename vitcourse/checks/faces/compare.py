"""``faces.compare(first, second)``: (S, E, 3) and (S, F, 3) accuracies to the difference on the test by seed, (S,).

Source: Cawley and Talbot, "On Over-fitting in Model Selection and Subsequent Selection Bias" (2010), section 5.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

TRAIN, VALID, TEST = range(3)


def _told(runs: Tensor, epochs: int, by: int = VALID, told: int = TEST) -> Tensor:
    """Of each seed the number ``told`` at the epoch that is best by ``by``, of the first ``epochs``: (S,)."""
    place = runs[:, :epochs, by].argmax(1, keepdim=True)
    return runs[:, :, told].gather(1, place)[:, 0]


def right(first: Tensor, second: Tensor) -> Tensor:
    budget = min(first.shape[1], second.shape[1])
    return _told(first, budget) - _told(second, budget)


def wrong(first: Tensor, second: Tensor) -> dict[str, Tensor]:
    budget = min(first.shape[1], second.shape[1])
    runs = first[:, :budget], second[:, :budget]

    def apart(budgets: tuple[int, int] = (budget, budget), **how: int) -> Tensor:
        return _told(first, budgets[0], **how) - _told(second, budgets[1], **how)

    best = [run[:, :, TEST].gather(1, runs[0][:, :, VALID].argmax(1, keepdim=True))[:, 0] for run in runs]
    common = [run[:, run[:, :, VALID].mean(0).argmax(), TEST] for run in runs]
    return {
        "chosen-by-test": apart(by=TEST),
        "chosen-by-train": apart(by=TRAIN),
        "unequal-budget": apart((first.shape[1], second.shape[1])),
        "last-epoch": runs[0][:, -1, TEST] - runs[1][:, -1, TEST],
        "last-epoch/of each": first[:, -1, TEST] - second[:, -1, TEST],
        "tells-validation": apart(told=VALID),
        "epoch-of-the-first": best[0] - best[1],
        "one-epoch-for-all-seeds": common[0] - common[1],
        "turned": -apart(),
        "mean-of-seeds": apart().mean(),
        "best-seed": _told(first, budget).max() - _told(second, budget).max(),
    }


compare = Solved("faces.compare", right=right, wrong=wrong, first="seed")


def _runs(probe: Probe, seeds: int, epochs: int, dtype: torch.dtype) -> Tensor:
    """Train, valid and test of every epoch: train rises, the others rise and fall; the end is not best on the mean."""
    way = torch.linspace(0, 1, epochs)[:, None]
    while True:
        runs = 0.4 + torch.cat([way, *2 * [2 * way * (1 - way)]], 1) * 0.5 + 0.1 * probe.normal(seeds, epochs, 3)
        if runs[:, :, VALID].mean(0).argmax() < epochs - 1:
            return runs.to(dtype)


@compare.on("one budget: each model is read where its own validation was best", but=["unequal-budget"])
def alike(probe: Probe, more: int = 0, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    seeds, epochs = probe.sizes(2, 4, 8)
    runs = _runs(probe, seeds, epochs, dtype), _runs(probe, seeds, epochs + more, dtype)
    return runs if probe.integer(0, 1) else runs[::-1]


@compare.on("of the one that was trained for longer, the epochs beyond the other's do not count")
def longer(probe: Probe) -> tuple[Tensor, Tensor]:
    return alike(probe, more=probe.integer(4, 8))


compare.exact(lambda probe: alike(probe, 3, torch.float64))

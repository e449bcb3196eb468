"""``asl_experiments.decided(scores, base, t)``: which settings of a table differ from one of them, by paired seeds.

Source: Student, "The Probable Error of a Mean" (1908).
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Found = tuple[Tensor, Tensor, Tensor]


def _told(means: Tensor, halves: Tensor) -> Found:
    return means, halves, (means > halves).long() - (means < -halves).long()


def right(scores: Tensor, base: int, t: float) -> Found:
    apart = scores - scores[base]
    return _told(apart.mean(1), t * apart.std(1) / scores.shape[1] ** 0.5)


def wrong(scores: Tensor, base: int, t: float) -> dict[str, Found]:
    means, halves, verdict = right(scores, base, t)
    count = scores.shape[1]
    spread = (scores.var(1) + scores[base].var()).sqrt()
    return {
        "not-paired": _told(means, t * spread / count**0.5),
        "not-paired/base": _told(means, t * spread / count**0.5 * (halves > 0)),
        "own-spread": _told(means, t * scores.std(1) / count**0.5),
        "turned": _told(-means, halves),
        "other-base": right(scores, 0, t),
        "other-base/mean": (_told(scores.mean(1) - scores.mean(), halves)),
        "deviation-not-error": _told(means, halves * count**0.5),
        "divided-by-n": _told(means, halves * ((count - 1) / count) ** 0.5),
        "without-t": _told(means, halves / t),
        "verdict-by-mean": (means, halves, means.sign().long()),
        "never-worse": (means, halves, verdict.clamp(min=0)),
        "verdict-unsigned": (means, halves, verdict.abs()),
    }


decided = Solved(
    "asl_experiments.decided",
    right=right,
    wrong=wrong,
    parts=("the differences", "the half widths", "the verdicts"),
    first="setting",
)


def draw(probe: Probe) -> tuple[Tensor, int, float]:
    """Six settings with the noise of their seeds in common: better, worse, level, and three between."""
    seeds, base = probe.integer(5, 7), probe.integer(2, 4)
    places = torch.tensor([0.2, -0.2, 0.0, 0.004, -0.004, 0.1]).roll(probe.integer(0, 5))
    shared = 0.1 * probe.normal(seeds)
    return 0.5 + (places - places[base])[:, None] + shared + 0.01 * probe.normal(6, seeds), base, 2.5


decided.on("every setting is compared with the base, seed by seed")(draw)


@decided.exact
def in_float64(probe: Probe) -> tuple[Tensor, int, float]:
    scores, *others = draw(probe)
    return scores.double() * 0.987654321, *others

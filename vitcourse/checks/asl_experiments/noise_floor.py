"""``asl_experiments.noise_floor(scores, t)``: the deviation between seeds, and the least difference that it lets show.

The pooled deviation of K settings with S seeds each, and t times the standard error of a difference of two means.
"""

from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Found = tuple[Tensor, Tensor]


def right(scores: Tensor, t: float) -> Found:
    return _told(scores.var(1).mean().sqrt(), scores, t)


def _told(deviation: Tensor, scores: Tensor, t: float) -> Found:
    return deviation, t * deviation * (2 / scores.shape[1]) ** 0.5


def wrong(scores: Tensor, t: float) -> dict[str, Found]:
    deviation, least = right(scores, t)
    seeds = scores.shape[1]
    return {
        "settings-are-no-noise": _told(scores.std(), scores, t),
        "settings-are-no-noise/by-seed": _told(scores.var(0).mean().sqrt(), scores, t),
        "mean-of-deviations": _told(scores.std(1).mean(), scores, t),
        "divided-by-n": _told(scores.var(1, correction=0).mean().sqrt(), scores, t),
        "variance-not-deviation": _told(scores.var(1).mean(), scores, t),
        "one-mean": (deviation, t * deviation / seeds**0.5),
        "single-runs": (deviation, t * deviation * 2**0.5),
        "without-t": (deviation, least / t),
    }


noise_floor = Solved(
    "asl_experiments.noise_floor",
    right=right,
    wrong=wrong,
    parts=("the deviation", "the least difference"),
    first="setting",
)


def draw(probe: Probe) -> tuple[Tensor, float]:
    """Settings that differ more than their seeds do; some are steadier than others."""
    settings, seeds = probe.sizes(2, 4, 7)
    steady = 0.01 + 0.04 * probe.uniform(settings, 1)
    return 0.5 + 0.2 * probe.normal(settings, 1) + steady * probe.normal(settings, seeds), 2.0 + probe.integer(1, 9) / 8


noise_floor.on("the spread is that of seeds within a setting, and the difference that of two means")(draw)
noise_floor.exact(lambda probe: (draw(probe)[0].double() * 0.987654321, 2.5))

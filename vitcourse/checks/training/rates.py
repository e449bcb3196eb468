"""``training.rates(steps, warmup, peak, floor)``: the learning rate of every step, (steps,).

Sources: Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 2.2, for the warm-up in a line; Loshchilov and
Hutter, "SGDR" (2017), equation 5, for the cosine between two rates.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import numbers
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[int, int, float, float]
Share = Callable[[int], float]


def right(steps: int, warmup: int, peak: float, floor: float) -> Tensor:
    return _rates(
        steps, lambda i: peak * (i + 1) / warmup if i < warmup else _fall(i - warmup, steps - warmup, peak, floor)
    )


def _rates(steps: int, rate: Share) -> Tensor:
    return torch.tensor([float(rate(step)) for step in range(steps)])


def _fall(done: float, of: float, peak: float, floor: float, waves: float = 0.5) -> float:
    """Along half a cosine from ``peak`` to ``floor``."""
    return floor + (peak - floor) * (1 + math.cos(2 * math.pi * waves * done / max(of, 1))) / 2


def wrong(steps: int, warmup: int, peak: float, floor: float) -> dict[str, Tensor]:
    w, rest = max(warmup, 1), steps - warmup

    def made(rise: Share = lambda i: peak * (i + 1) / w, fall: Share | None = None) -> Tensor:
        falls = fall or (lambda i: _fall(i - warmup, rest, peak, floor))
        return _rates(steps, lambda i: rise(i) if i < warmup else falls(i))

    def over_all(i: int) -> float:
        return _fall(i, steps, peak, floor)

    plain = right(steps, warmup, peak, floor)
    return {
        "rises-from-zero": made(rise=lambda i: peak * i / w),
        "peak-too-late": made(rise=lambda i: peak * (i + 1) / (warmup + 1)),
        "rises-from-the-floor": made(rise=lambda i: floor + (peak - floor) * (i + 1) / w),
        "no-warm-up": made(rise=over_all, fall=over_all),
        "no-warm-up/peak": made(rise=lambda _: peak),
        "counts-from-one": torch.cat([plain[1:], torch.tensor([floor])]),
        "cosine-over-all": made(fall=over_all),
        "cosine-over-all/times": made(lambda i: over_all(i) * (i + 1) / w, over_all),
        "cosine-over-all/smaller": _rates(steps, lambda i: min(peak * (i + 1) / w, over_all(i))),
        "not-shifted": made(fall=lambda i: _fall(i, rest, peak, floor)),
        "ends-at-the-floor": made(fall=lambda i: _fall(i - warmup, rest - 1, peak, floor)),
        "whole-wave": made(fall=lambda i: _fall(i - warmup, rest, peak, floor, waves=1)),
        "quarter-wave": made(fall=lambda i: floor + (peak - floor) * math.cos(math.pi / 2 * (i - warmup) / rest)),
        "no-pi": made(fall=lambda i: _fall(i - warmup, rest, peak, floor, waves=0.5 / math.pi)),
        "in-a-line": made(fall=lambda i: peak - (peak - floor) * (i - warmup) / rest),
        "stays-up": made(fall=lambda _: peak),
        "no-floor": made(fall=lambda i: _fall(i - warmup, rest, peak, 0)),
        "floor-added": made(fall=lambda i: floor + _fall(i - warmup, rest, peak, 0)),
        "floor-cuts-off": made(fall=lambda i: max(floor, _fall(i - warmup, rest, peak, 0))),
        "upside-down": made(fall=lambda i: _fall(i - warmup, rest, floor, peak)),
        "shares": plain / peak,
    }


rates = Solved(
    "training.rates",
    right=right,
    wrong=wrong,
    parts=("the list of rates",),
    first="step",
    read=lambda value: numbers(value, None, "The result"),
)


@rates.on("up in a line over the warm-up, then down along half a cosine to the floor")
def draw(probe: Probe) -> Inputs:
    warmup = probe.integer(3, 6)
    return warmup + probe.integer(8, 14), warmup, probe.integer(5, 9) / 10, probe.integer(1, 3) / 10


@rates.on("without a warm-up the first step has the peak")
def at_once(probe: Probe) -> Inputs:
    steps, _, peak, floor = draw(probe)
    return steps, 0, peak, floor

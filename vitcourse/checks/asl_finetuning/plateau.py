"""``asl_finetuning.plateau(values, rate, patience, factor)``: the learning rate of every epoch.

The rule of PyTorch's ``ReduceLROnPlateau`` with mode "min" and threshold 0.
"""

import math
import operator
from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import numbers
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Case = tuple[list[float], float, int, float]


def right(values: list[float], rate: float, patience: int, factor: float) -> Tensor:
    return torch.tensor(_rates(values, rate, patience, factor))


def _rates(
    values: list[float],
    rate: float,
    patience: int,
    factor: float,
    *,
    better=lambda value, best: value < best,
    limit=lambda bad, patience: bad > patience,
    last: bool = False,
    keep_count: bool = False,
    keep_bad: bool = False,
    forget: bool = False,
    fall: Callable[[float, float], float] = operator.mul,
    back: bool = False,
    after: bool = False,
) -> list[float]:
    """The right rates, or those of a mistake."""
    first, best, bad, rates = rate, math.inf, 0, []
    if better(1, 0):
        best = -math.inf
    for value in values:
        rates.append(rate)
        if back:
            rate = first
        if better(value, best):
            best, bad = value, bad if keep_count else 0
        else:
            bad += 1
            best = value if last else best
        if limit(bad, patience):
            rate = fall(rate, factor)
            bad = bad if keep_bad else 0
            best = math.inf if forget else best
        if after:
            rates[-1] = rate
    return rates


def wrong(values: list[float], rate: float, patience: int, factor: float) -> dict[str, Tensor]:
    case = (values, rate, patience, factor)
    made = {
        "compares-with-last": _rates(*case, last=True),
        "too-soon": _rates(*case, limit=lambda bad, patience: bad >= patience),
        "too-late": _rates(*case, limit=lambda bad, patience: bad > patience + 1),
        "never-forgets": _rates(*case, keep_count=True),
        "counts-on": _rates(*case, keep_bad=True),
        "forgets-the-best": _rates(*case, forget=True),
        "more-is-better": _rates(*case, better=lambda value, best: value > best),
        "equal-improves": _rates(*case, better=lambda value, best: value <= best),
        "needs-a-margin": _rates(*case, better=lambda value, best: value < best * (1 - 1e-4)),
        "one-epoch-off": _rates(*case, after=True),
        "from-the-first-rate": [max(found, rate * factor) for found in _rates(*case)],
        "divided": _rates(*case, fall=operator.truediv),
        "taken-off": _rates(*case, fall=operator.sub),
        "never-falls": [rate] * len(values),
        "only-once": _rates(*case, back=True),
    }
    return {name: torch.tensor(rates) for name, rates in made.items()}


plateau = Solved(
    "asl_finetuning.plateau",
    right=right,
    wrong=wrong,
    parts=("the list of rates",),
    read=lambda value: numbers(value, None, "The result"),
)


def draw(probe: Probe) -> Case:
    """Losses on a few levels, so that they stand still, rise, come half way back and improve again, much or little.

    Drawn anew until every mistake gives other rates than the right ones and than every other mistake.
    """
    while True:
        patience, factor = probe.integer(1, 2), probe.integer(2, 5) / 10
        rate = probe.integer(1, 9) / 10
        values, best = [], 1.2
        for _ in range(4):
            best -= (0.1, 1e-5)[probe.integer(0, 1)]
            values += [best]
            values += [best + probe.integer(0, 4) / 10 for _ in range(probe.integer(1, 2 * patience + 4))]
        case = ([round(value, 6) for value in values], rate, patience, factor)
        every = [right(*case), *wrong(*case).values()]
        if len({tuple(round(float(rate), 3) for rate in rates) for rates in every}) == len(every):
            return case


@plateau.on("one rate an epoch; while the loss falls, it stays as it is", only=["more-is-better"])
def falling(probe: Probe) -> Case:
    _, rate, patience, factor = draw(probe)
    return [(20 - epoch) / 10 for epoch in range(probe.integer(6, 9))], rate, patience, factor


plateau.on("after more than `patience` epochs in a row without a new best it is multiplied by the factor")(draw)

"""``asl_finetuning.plateau(values, rate, patience, factor)``: the learning rate of every epoch.

The rule of PyTorch's ``ReduceLROnPlateau`` with mode "min" and threshold 0.
"""

import math
import operator
from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe

plateau = Check("asl_finetuning.plateau")
Case = tuple[list[float], float, int, float]


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


def _suspects(case: Case) -> dict[str, list[float]]:
    values, rate, _, factor = case
    return {
        "compares-with-last": _rates(*case, last=True),
        "too-soon": _rates(*case, limit=lambda bad, patience: bad >= patience),
        "too-late": _rates(*case, limit=lambda bad, patience: bad > patience + 1),
        "never-forgets": _rates(*case, keep_count=True),
        "counts-on": _rates(*case, keep_bad=True),
        "forgets-the-best": _rates(*case, forget=True),
        "more-is-better": _rates(*case, better=lambda value, best: value > best),
        "equal-improves": _rates(*case, better=lambda value, best: value <= best),
        "one-epoch-off": _rates(*case, after=True),
        "from-the-first-rate": [max(found, rate * factor) for found in _rates(*case)],
        "divided": _rates(*case, fall=operator.truediv),
        "never-falls": [rate] * len(values),
        "only-once": _rates(*case, back=True),
    }


def _draw(probe: Probe) -> Case:
    """Losses on a few levels, so that they stand still, rise, come half way back and improve again.

    Drawn anew until every mistake gives other rates than the right ones and than every other mistake.
    """
    while True:
        patience, factor = probe.integer(1, 2), probe.integer(2, 5) / 10
        rate = probe.integer(1, 9) / 1000
        values, best = [], 12
        for _ in range(4):
            best -= 1
            values += [best]
            values += [best + probe.integer(0, 4) for _ in range(probe.integer(1, 2 * patience + 4))]
        case = ([value / 10 for value in values], rate, patience, factor)
        every = [_rates(*case), *_suspects(case).values()]
        texts = {tuple(round(math.log(rate), 6) for rate in rates) for rates in every}
        if len(texts) == len(every):
            return case


def _call(probe: Probe, case: Case) -> Tensor:
    value = probe.call(*case)
    if isinstance(value, Tensor):
        value = value.tolist() if value.ndim == 1 else value
    if not isinstance(value, list | tuple):
        raise Wrong("wrong-type", f"Expected a list of rates, got {describe(value)}.")
    numbers = [part.item() if isinstance(part, Tensor) and part.numel() == 1 else part for part in value]
    if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in numbers):
        raise Wrong("wrong-type", "The list should hold numbers.")
    if len(numbers) != len(case[0]):
        raise Wrong("wrong-shape", f"{len(case[0])} epochs, and {len(numbers)} rates.")
    return torch.tensor(numbers, dtype=torch.float64)


def _as_share(rates: list[float] | Tensor, case: Case) -> Tensor:
    """In multiples of the first rate, which is small: a tolerance is meant for numbers near 1. In float32: a list may
    hold numbers of that precision."""
    return (torch.as_tensor(rates, dtype=torch.float64) / case[1]).float()


@plateau.property("one rate an epoch; while the loss falls, it stays as it is")
def _falling(probe: Probe) -> None:
    _, rate, patience, factor = _draw(probe)
    values = [(20 - epoch) / 10 for epoch in range(probe.integer(6, 9))]
    case = (values, rate, patience, factor)
    rising = _suspects(case)["more-is-better"]
    suspects = {"more-is-better": _as_share(rising, case)}
    probe.equal(
        _as_share(_call(probe, case), case),
        torch.ones(len(values)),
        suspects,
        name="the rates, in multiples of the first,",
    )


@plateau.property("after more than `patience` epochs in a row without a new best it is multiplied by the factor")
def _rule(probe: Probe) -> None:
    for _ in range(2):
        case = _draw(probe)
        suspects = {name: _as_share(rates, case) for name, rates in _suspects(case).items()}
        right = _as_share(_rates(*case), case)
        probe.equal(_as_share(_call(probe, case), case), right, suspects, name="the rates, in multiples of the first,")

"""``faces.ratios(times)``: seconds by round and program (R, P) to ratios and verdicts, (P - 1,) each.

Source: Kalibera and Jones, "Rigorous Benchmarking in Reasonable Time" (2013), on ratios that share their disturbance.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Found = tuple[Tensor, Tensor]


def _median(values: Tensor) -> Tensor:
    """The median of each column; between two in the middle lies their mean."""
    ordered, count = values.sort(0).values, len(values)
    return (ordered[(count - 1) // 2] + ordered[count // 2]) / 2


def _verdict(each: Tensor, rounds: float = 0.75) -> Tensor:
    slower, faster = ((side).double().mean(0) >= rounds for side in (each > 1, each < 1))
    return slower.long() - faster.long()


def _by_quartile(each: Tensor) -> Tensor:
    """The verdict of quartiles that lie between two rounds, as `torch.quantile` finds them."""
    return (each.quantile(0.25, dim=0) > 1).long() - (each.quantile(0.75, dim=0) < 1).long()


def right(times: Tensor) -> Found:
    each = times[:, 1:] / times[:, :1]
    return _median(each), _verdict(each)


def wrong(times: Tensor) -> dict[str, Found]:
    own, first = times[:, 1:], times[:, :1]
    each = own / first
    median, verdict = right(times)
    apart, sign = _median(own) / _median(first), (median - 1).sign().long()
    in_turn = own / times[:, :-1]
    return {
        "ratio-of-medians": (apart, verdict),
        "ratio-of-medians/all": (apart, (apart - 1).sign().long()),
        "ratio-of-means": (own.mean(0) / first.mean(), verdict),
        "ratio-of-shortest": (own.min(0).values / first.min(), verdict),
        "mean-of-ratios": (each.mean(0), verdict),
        "lower-median": (each.median(0).values, verdict),
        "turned": (_median(1 / each), verdict),
        "turned/both": (_median(1 / each), -verdict),
        "against-the-neighbour": (_median(in_turn), _verdict(in_turn)),
        "difference": (_median(own - first), verdict),
        "first-left-in": right(torch.cat([first, times], 1)),
        "by-round": (_median(each.T), _verdict(each.T)),
        "always-decided": (median, sign),
        "quartile-not-rounds": (median, _by_quartile(each)),
        "all-rounds": (median, _verdict(each, 1.0)),
        "verdict-turned": (median, -verdict),
        "never-decided": (median, torch.zeros_like(verdict)),
    }


ratios = Solved("faces.ratios", right=right, wrong=wrong, parts=("the ratios", "the verdicts"), first="program")


@ratios.on("a ratio is the median over the rounds; a verdict needs three quarters of them")
def draw(probe: Probe, dtype: torch.dtype = torch.float32) -> tuple[Tensor]:
    """Rounds in which the machine is more or less busy: all programs of a round share that.

    Some program is slower, or faster, in more than half of the rounds and in less than three quarters of them. Of
    another, three quarters lie on one side of 1 and an interpolated quartile does not.
    """
    rounds, programs = (8, 12)[probe.integer(0, 1)], probe.integer(5, 6)
    speed = torch.tensor([1.0, 1.9, 0.55, 1.06, 0.95, 1.08])[:programs]
    while True:
        busy = torch.exp(0.5 * probe.normal(rounds, 1))
        times = 0.01 * speed * busy * torch.exp(0.1 * probe.normal(rounds, programs))
        each = times[:, 1:] / times[:, :1]
        slower, between = (each > 1).double().mean(0), (_verdict(each) != _by_quartile(each)).any()
        if between and (slower != 0.5).all() and ((slower > 0.25) & (slower < 0.75)).any():
            return (times.to(dtype),)


ratios.exact(lambda probe: draw(probe, torch.float64))

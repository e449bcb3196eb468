"""``faces.threshold(shares, right, strangers, most)``: confidences to a threshold and two rates.

Source: Scheirer et al., "Toward Open Set Recognition" (2013); ISO/IEC 19795-1 for the rates.
"""

import math

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe, Wrong, several
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.engine.words import describe

Found = tuple[Tensor, Tensor, Tensor]


def _share(which: Tensor, like: Tensor) -> Tensor:
    return which.to(like.dtype).mean()


def _found(at: Tensor, shares: Tensor, right: Tensor, strangers: Tensor) -> Found:
    return at, _share(strangers > at, at), _share((shares > at) & right, at)


def _bound(values: Tensor, pictures: int) -> Tensor:
    """The number above which so many of the values lie, and no more."""
    values = values.sort(descending=True).values
    return values[min(pictures, len(values) - 1)]


def right(shares: Tensor, right: Tensor, strangers: Tensor, most: float) -> Found:
    return _found(_bound(strangers, int(most * len(strangers))), shares, right, strangers)


def wrong(shares: Tensor, right: Tensor, strangers: Tensor, most: float) -> dict[str, Found]:
    count, allowed = len(strangers), int(most * len(strangers))
    at = _bound(strangers, allowed)
    ordered = strangers.sort(descending=True).values
    own = _found(at, shares, right, strangers)

    def given(at: Tensor) -> Found:
        return _found(at, shares, right, strangers)

    return {
        "from-known-people": given(_bound(shares, int(most * len(shares)))),
        "from-known-people/lowest": given(shares.sort().values[int(most * len(shares))]),
        "from-both": given(_bound(torch.cat([shares, strangers]), int(most * (count + len(shares))))),
        "other-end": given(strangers.sort().values[allowed]),
        "one-more": given(_bound(strangers, math.ceil(most * count) if most * count % 1 else allowed + 1)),
        "one-fewer": given(ordered[max(allowed - 1, 0)]),
        "interpolated": given(torch.quantile(strangers, 1 - most)),
        "at-the-threshold-accepted": (at, _share(strangers >= at, at), _share((shares >= at) & right, at)),
        "wrong-names-counted": (*own[:2], _share(shares > at, at)),
        "of-the-accepted": (*own[:2], _share(right[shares > at], at)),
        "of-the-right": (*own[:2], _share((shares > at)[right], at)),
        "rejected-told": (at, 1 - own[1], own[2]),
        "rejected-told/both": (at, 1 - own[1], 1 - own[2]),
        "asked-rate-told": (at, torch.tensor(most).to(at.dtype), own[2]),
    }


def _read(value: object) -> Found:
    numbers = several(value, 3, "three numbers (threshold, strangers accepted, known people named)")
    for number in numbers:
        if not isinstance(number, float | int | Tensor) or (isinstance(number, Tensor) and number.numel() != 1):
            raise Wrong("wrong-type", f"Expected three numbers, got {describe(number)} among them.")
    return tuple(torch.as_tensor(number).float().reshape(()) for number in numbers)


PARTS = ("the threshold", "the share of strangers that are accepted", "the share of known people's pictures")
threshold = Solved("faces.threshold", right=right, wrong=wrong, parts=PARTS, read=_read)


def _draw(probe: Probe, count: int, allowed: float) -> tuple[Tensor, Tensor, Tensor, float]:
    """Known people with high confidences, most of them rightly named, and strangers with lower ones.

    The accepted are not as many as the rightly named: else two of the mistakes would give one share.
    """
    known = probe.integer(20, 29)
    while True:
        shares, strangers = (probe.normal(known) + 1.2).sigmoid(), (probe.normal(count) - 0.5).sigmoid()
        named = probe.uniform(known) < 0.5 + 0.4 * shares
        most = allowed / count
        if (shares > _bound(strangers, int(most * count))).sum() != named.sum():
            return shares, named, strangers, most


@threshold.on("no more than the allowed share of strangers lies above the threshold, and it is the lowest such")
def between(probe: Probe) -> tuple[Tensor, Tensor, Tensor, float]:
    return _draw(probe, probe.integer(20, 30), probe.integer(2, 5) + 0.5)


@threshold.on("where all strangers but a few may pass, the same holds: also where the limit is reached exactly")
def many(probe: Probe) -> tuple[Tensor, Tensor, Tensor, float]:
    """Of 32, because a computer rounds no 32nd: whoever asks for less than the limit is seen."""
    return _draw(probe, 32, 32 - probe.integer(3, 6))

"""``faces.divide(person, moment, valid)``: which pictures are held out for validation, (N,) and (N,) to (N,) bool.

Source: Kapoor and Narayanan, "Leakage and the reproducibility crisis" (2023), section "Non-independence".
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved


def _held(
    person: Tensor,
    moment: Tensor,
    valid: int,
    more: Callable[[int, int, int], bool] | None = None,
    order: Callable[[list[int]], list[int]] = sorted,
) -> Tensor:
    """The right answer, or one with a part replaced: ``more(pictures held, moments held, size of the next)``."""
    more = more or (lambda held, _taken, _size: held < valid)
    held = torch.zeros(len(person), dtype=torch.bool)
    for number in person.unique():
        own = person == number
        for taken, one in enumerate(order(list(dict.fromkeys(moment[own].tolist())))):
            shot = own & (moment == one)
            if not more(int((held & own).sum()), taken, int(shot.sum())):
                break
            held |= shot
    return held


def right(person: Tensor, moment: Tensor, valid: int) -> Tensor:
    return _held(person, moment, valid)


def wrong(person: Tensor, moment: Tensor, valid: int) -> dict[str, Tensor]:
    held = right(person, moment, valid)
    own = person[:, None] == person
    earlier = torch.ones_like(own).tril(-1)
    first = (moment < moment[:, None]) | ((moment == moment[:, None]) & earlier)  # (N, N): stands before
    nobody = torch.zeros_like(person)
    return {
        "cuts-a-moment/by moment": (own & first).sum(1) < valid,
        "cuts-a-moment/by place": (own & earlier).sum(1) < valid,
        "for-all-together": _held(nobody, moment, valid),
        "for-all-together/by person": _held(nobody, 1000 * person + moment, valid),
        "moments-of-others": torch.isin(moment, moment[held]),
        "turned": ~held,
        "one-moment-each": _held(person, moment, valid, lambda held, _taken, _size: held == 0),
        "counts-moments": _held(person, moment, valid, lambda _held, taken, _size: taken < valid),
        "one-more": _held(person, moment, valid, lambda held, _taken, _size: held <= valid),
        "too-few": _held(person, moment, valid, lambda held, _taken, size: held + size <= valid),
        "from-the-end": _held(person, moment, valid, order=lambda moments: sorted(moments, reverse=True)),
        "as-they-come": _held(person, moment, valid, order=list),
        "people-missing": held & (person < len(person.unique())),
    }


divide = Solved("faces.divide", right=right, wrong=wrong, typed=True, first="picture")


@divide.on("pictures of one moment stay on one side, until a person has enough")
def draw(probe: Probe) -> tuple[Tensor, Tensor, int]:
    """Three or four people with five moments each, in any order, on which no two mistakes lead to the same."""
    while True:
        rows = []
        for who in probe.sizes(probe.integer(3, 4), 0, 9):
            start = probe.integer(0, 2)
            rows += [(who, start + shot) for shot in range(5) for _ in range(probe.integer(1, 3))]
        order = torch.randperm(len(rows), generator=probe.generator)
        person, moment = (column.contiguous() for column in torch.tensor(rows)[order].T)
        case = person, moment, probe.integer(3, 4)
        made = [right(*case), *wrong(*case).values()]
        if len({tuple(held.tolist()) for held in made}) == len(made):
            return case

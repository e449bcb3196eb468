"""``transformer.teacher_forcing(target, start, end, pad)``: what the decoder reads, and what it should write.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.1 (outputs "offset by one position") and Figure 1
("shifted right").
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, int, int, int]
Pair = tuple[Tensor, Tensor]
USUAL = (1, 2, 0)


def right(target: Tensor, start: int, end: int, pad: int) -> Pair:
    labels = F.pad(target, (0, 1), value=pad)
    labels[torch.arange(len(target)), (target != pad).sum(dim=1)] = end
    return F.pad(target, (1, 0), value=start), labels


def wrong(target: Tensor, start: int, end: int, pad: int) -> dict[str, Pair]:
    read, labels = right(target, start, end, pad)
    behind, count = F.pad(target, (0, 1), value=pad), (target != pad).sum(dim=1)
    place = torch.arange(labels.shape[1])
    last, first, any_row = place == count[:, None] - 1, place == 0, (place == count[:, None]).any(0)
    whole = F.pad(labels, (1, 0), value=start)  # what a program cuts both parts from
    ended, end_in_column = whole[:, :-1], behind.masked_fill(place == place[-1], end)
    return {
        "not-shifted": (labels, labels),
        "not-shifted/no end": (behind, labels),
        "not-shifted/start": (read, read),
        "start-in-labels": (read, ended),
        "start-in-labels/whole": (read, whole),
        "no-start": (F.pad(target, (1, 0), value=pad), labels),
        "start-over-token": (behind.masked_fill(first, start), labels),
        "no-end": (read, behind),
        "end-after-padding": (read, end_in_column),
        "end-fills-padding": (read, behind.masked_fill(behind == pad, end)),
        "end-over-token": (read, behind.masked_fill(last, end)),
        "end-in-every-row": (read, behind.masked_fill(any_row, end)),
        "end-in-input": (ended, labels),
        "end-in-input/column": (read.masked_fill(place == place[-1], end), labels),
        "end-in-input/whole": (whole, labels),
        "end-in-input/both whole": (whole, whole[:, 1:]),
        "last-token-lost": (read[:, :-1], labels[:, :-1]),
        "last-token-lost/read": (read[:, :-1], labels),
        "last-token-lost/labels": (read, labels[:, :-1]),
        "last-token-lost/no end": (read[:, :-1], target),
        "last-token-lost/both": (target[:, :-1], target[:, 1:]),
    }


teacher_forcing = Solved(
    "transformer.teacher_forcing",
    right=right,
    wrong=wrong,
    parts=("what the decoder reads", "what it should write"),
    typed=True,
)


def _draw(probe: Probe, ids: tuple[int, int, int]) -> Inputs:
    """A target (B, T): a row of two tokens and padding, a row of T tokens, and others of 3 to T, all different."""
    batch, length = probe.integer(4, 6), probe.integer(7, 9)
    tokens = torch.tensor([index for index in range(30) if index not in ids])
    rows = torch.stack([tokens[probe.uniform(len(tokens)).argsort()[:length]] for _ in range(batch)])
    lengths = torch.tensor([2, length, *(probe.integer(3, length) for _ in range(batch - 2))])
    lengths = lengths[probe.uniform(batch).argsort()]
    return rows.where(torch.arange(length) < lengths[:, None], ids[2]), *ids


@teacher_forcing.on("each row: start and the target are read; the target and end are written, then padding")
def _rows(probe: Probe) -> Inputs:
    return _draw(probe, USUAL)


@teacher_forcing.on("the ids are those of the arguments", only=["fixed-ids"], otherwise="fixed-ids")
def _other_ids(probe: Probe) -> Inputs:
    return _draw(probe, tuple(index + 3 for index in probe.sizes(3, 3, 20)))


@teacher_forcing.on("a row without a token: start is read, end is written", only=["empty-row"], otherwise="empty-row")
def _empty(probe: Probe) -> Inputs:
    inputs = _draw(probe, USUAL)
    inputs[0][1] = USUAL[2]
    return inputs


@teacher_forcing.on("both results have the number type of the target")
def _small_numbers(probe: Probe) -> Inputs:
    target, *ids = _draw(probe, USUAL)
    return target.int(), *ids

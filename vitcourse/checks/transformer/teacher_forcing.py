"""``transformer.teacher_forcing(target, start, end, pad)``: what the decoder reads, and what it should write.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.1 (outputs "offset by one position") and Figure 1
("shifted right").
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe

teacher_forcing = Check("transformer.teacher_forcing")


def _right(target: Tensor, start: int, end: int, pad: int) -> tuple[Tensor, Tensor]:
    labels = F.pad(target, (0, 1), value=pad)
    labels[torch.arange(len(target)), (target != pad).sum(dim=1)] = end
    return F.pad(target, (1, 0), value=start), labels


def _mistakes(target: Tensor, start: int, end: int, pad: int) -> dict[str, tuple[Tensor, Tensor]]:
    """What each mistake gives as (read, labels); None stands for anything."""
    read, labels = _right(target, start, end, pad)
    padded = F.pad(target, (0, 1), value=pad)
    with_end = read.clone()
    count = (target != pad).sum(dim=1)
    rows = torch.arange(len(target))[count < target.shape[1]]
    with_end[rows, count[rows] + 1] = end
    return {
        "swapped": (labels, read),
        "not-shifted": (labels, labels),
        "not-shifted/no end": (padded, labels),
        "not-shifted/start": (read, read),
        "start-in-labels": (read, with_end),
        "no-start": (padded, labels),
        "no-start/padding": (F.pad(target, (1, 0), value=pad), labels),
        "no-end": (read, padded),
        "end-after-padding": (read, F.pad(target, (0, 1), value=end)),
        "end-in-input": (with_end, labels),
    }


def _draw(probe: Probe, ids: tuple[int, int, int], shortest: int) -> tuple[Tensor, int, int, int]:
    """A target (B, T) whose rows hold ``shortest`` to T different tokens, at least one row all T, then padding."""
    batch, length = probe.integer(4, 6), probe.integer(7, 9)
    start, end, pad = ids
    tokens = torch.tensor([index for index in range(30) if index not in ids])
    rows = torch.stack([tokens[probe.uniform(len(tokens)).argsort()[:length]] for _ in range(batch)])
    lengths = torch.tensor([probe.integer(shortest, length) for _ in range(batch)])
    lengths[probe.integer(0, batch - 1)] = length
    return rows.where(torch.arange(length) < lengths[:, None], pad), start, end, pad


def _call(probe: Probe, inputs: tuple[Tensor, int, int, int], on_error: str | None = None) -> tuple[Tensor, Tensor]:
    result = probe.call(*inputs, on_error=on_error)
    if not isinstance(result, list | tuple) or len(result) != 2:
        raise Wrong("wrong-type", f"Expected a pair (what is read, labels), got {describe(result)}.")
    batch, length = inputs[0].shape
    lost = {"last-token-lost": (batch, length), "last-token-lost/2": (batch, length - 1)}
    names = ("What the decoder reads", "What it should write")
    checked = []
    for part, name in zip(result, names, strict=True):
        try:
            checked.append(probe.tensor(part, (batch, length + 1), torch.int64, name, shapes=lost, exact=True))
        except Wrong as wrong:
            raise Wrong(wrong.misconception.partition("/")[0], wrong.detail) from None
    return checked[0], checked[1]


def _judge(probe: Probe, inputs: tuple[Tensor, int, int, int], otherwise: str, on_error: str | None = None) -> None:
    found, right = _call(probe, inputs, on_error), _right(*inputs)
    if all(map(torch.equal, found, right)):
        return
    # What goes wrong only here has one cause, whatever it looks like.
    for name, pair in (_mistakes(*inputs) if otherwise == "wrong-values" else {}).items():
        if all(map(torch.equal, found, pair)):
            raise Wrong(name.partition("/")[0])
    row = next(
        row
        for row in range(len(right[0]))
        if any(not torch.equal(f[row], r[row]) for f, r in zip(found, right, strict=True))
    )
    shown = [f"{part[row].tolist()}" for part in (inputs[0], *found)]
    raise Wrong(otherwise, f"For the target {shown[0]} it gives {shown[1]} to read and {shown[2]} to write.")


USUAL = (1, 2, 0)


@teacher_forcing.property("two tables of whole numbers come back, one token longer than the target")
def _shape(probe: Probe) -> None:
    _call(probe, _draw(probe, USUAL, shortest=4))


@teacher_forcing.property("each row: the start token and the target are read; the target and the end token are written")
def _rows(probe: Probe) -> None:
    inputs = _draw(probe, USUAL, shortest=3)
    inputs[0][0, 2:] = USUAL[2]  # at least one row is short, whatever was drawn
    inputs[0][1] = inputs[0][1].masked_fill(inputs[0][1] == USUAL[2], 29)
    _judge(probe, inputs, "wrong-values")


@teacher_forcing.property("the ids are those of the arguments")
def _other_ids(probe: Probe) -> None:
    start, end, pad = (index + 3 for index in probe.sizes(3, 3, 20))
    inputs = _draw(probe, (start, end, pad), shortest=3)
    inputs[0][0, 2:] = pad
    _judge(probe, inputs, "fixed-ids", on_error="fixed-ids")


@teacher_forcing.property("a row without a token: the start token is read, the end token is written")
def _empty(probe: Probe) -> None:
    inputs = _draw(probe, USUAL, shortest=2)
    inputs[0][1] = USUAL[2]
    _judge(probe, inputs, "empty-row", on_error="empty-row")

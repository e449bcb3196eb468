"""Answers to ``transformer.teacher_forcing``: (what the decoder reads, what it should write)."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("transformer.teacher_forcing")


def column(target, number):
    return torch.full_like(target[:, :1], number)


@BANK.right
def end_written_at_the_length(target, start, end, pad):
    labels = torch.cat([target, column(target, pad)], dim=1)
    labels[torch.arange(len(target)), (target != pad).sum(dim=1)] = end
    return torch.cat([column(target, start), target], dim=1), labels


@BANK.right
def row_by_row(target, start, end, pad):
    read, labels, width = [], [], target.shape[1] + 1
    for row in target.tolist():
        tokens = [token for token in row if token != pad]
        read.append(([start, *tokens] + [pad] * width)[:width])
        labels.append(([*tokens, end] + [pad] * width)[:width])
    return torch.tensor(read, dtype=target.dtype), torch.tensor(labels, dtype=target.dtype)


@BANK.right
def end_where_padding_begins(target, start, end, pad):
    read = F.pad(target, (1, 0), value=start)
    labels = F.pad(target, (0, 1), value=pad)
    first = (labels == pad) & (read != pad)
    return [read, labels.masked_fill(first, end)]


def changed(read=lambda right, *_: right[0], labels=lambda right, *_: right[1]):
    """The right answer with one of its two parts replaced; a part is made from (right, target, start, end, pad)."""

    def answer(target, start, end, pad):
        right = end_written_at_the_length(target, start, end, pad)
        return tuple(part(right, target, start, end, pad) for part in (read, labels))

    return answer


def labels_read(right, *_):
    return right[1]


def with_end(right, target, start, end, pad):
    """What is read, with the end token in the rows that have room for it."""
    return torch.where((right[0] == pad) & (F.pad(right[0], (1, 0), value=start)[:, :-1] != pad), end, right[0])


BANK.wrong("swapped")(lambda *inputs: end_written_at_the_length(*inputs)[::-1])
BANK.wrong("not-shifted")(changed(read=labels_read))
BANK.wrong("not-shifted")(changed(read=lambda right, target, start, end, pad: F.pad(target, (0, 1), value=pad)))
BANK.wrong("not-shifted")(changed(labels=lambda right, *_: right[0]))
BANK.wrong("start-in-labels")(changed(labels=with_end))
BANK.wrong("no-start")(changed(read=lambda right, target, start, end, pad: F.pad(target, (1, 0), value=pad)))
BANK.wrong("no-end")(changed(labels=lambda right, target, start, end, pad: F.pad(target, (0, 1), value=pad)))
BANK.wrong("end-after-padding")(changed(labels=lambda right, target, start, end, pad: F.pad(target, (0, 1), value=end)))
BANK.wrong("end-in-input")(changed(read=with_end))
BANK.wrong("last-token-lost")(changed(read=lambda right, *_: right[0][:, :-1]))
BANK.wrong("last-token-lost")(lambda *inputs: tuple(part[:, :-1] for part in end_written_at_the_length(*inputs)))
BANK.wrong("last-token-lost")(lambda target, start, end, pad: (target[:, :-1], target[:, 1:]))
BANK.wrong("fixed-ids")(lambda target, start, end, pad: end_written_at_the_length(target, 1, 2, 0))
BANK.wrong("fixed-ids")(lambda target, start, end, pad: end_where_padding_begins(target, start, end, 0))
BANK.wrong("wrong-type")(lambda *inputs: end_written_at_the_length(*inputs)[0])
BANK.wrong("wrong-dtype")(lambda *inputs: tuple(part.float() for part in end_written_at_the_length(*inputs)))
BANK.wrong("wrong-dtype")(lambda *inputs: tuple(part.long() for part in end_written_at_the_length(*inputs)))
BANK.wrong("wrong-shape")(lambda *inputs: tuple(part[0] for part in end_written_at_the_length(*inputs)))


@BANK.wrong("empty-row")
def looks_for_the_last_token(target, start, end, pad):
    last = (target != pad).sum(dim=1) - 1
    labels = torch.cat([target, column(target, pad)], dim=1)
    labels[torch.arange(len(target)), last + 1] = torch.where(last < 0, pad, end)
    return torch.cat([column(target, start), target], dim=1), labels


@BANK.wrong("empty-row")
def takes_the_largest_place(target, start, end, pad):
    read, labels = end_written_at_the_length(target, start, end, pad)
    for row in target:
        max(i for i, token in enumerate(row.tolist()) if token != pad)  # nothing to take the largest of
    return read, labels


@BANK.wrong("wrong-values")
def reads_backwards(target, start, end, pad):
    read, labels = end_written_at_the_length(target, start, end, pad)
    return read, labels.flip(1)


@BANK.wrong("changes-inputs")
def ends_in_place(target, start, end, pad):
    result = end_written_at_the_length(target, start, end, pad)
    target[:, -1] = end
    return result


def whole(right, target, start, end, pad):
    """Start, target and end in one table: two places longer than the target."""
    return F.pad(right[1], (1, 0), value=start)


def end_at(places):
    """Labels with the end token where ``places(column numbers, lengths)`` says."""

    def labels(right, target, start, end, pad):
        behind = F.pad(target, (0, 1), value=pad)
        return behind.masked_fill(places(torch.arange(behind.shape[1]), (target != pad).sum(1, keepdim=True)), end)

    return changed(labels=labels)


BANK.wrong("end-in-input")(changed(read=whole))
BANK.wrong("end-fills-padding")(end_at(lambda place, length: place >= length))
BANK.wrong("end-over-token")(end_at(lambda place, length: place == length - 1))
BANK.wrong("end-in-every-row")(end_at(lambda place, length: (place == length).any(dim=0)))
BANK.wrong("start-over-token")(
    changed(
        read=lambda right, target, start, end, pad: torch.cat(
            [column(target, start), target[:, 1:], column(target, pad)], 1
        )
    )
)

"""``bert.pair(first, second, cls, sep, pad, length)``: two sentences as one row of BERT's input.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3 ("Input/Output Representations") and Figure 2.
"""

import torch
from torch import Tensor

from vitcourse.checks.bert.common import ids
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, several

pair = Check("bert.pair")
CLS, SEP, PAD = 2, 3, 0
Row = tuple[Tensor, Tensor, Tensor]


def _right(first: list[int], second: list[int], length: int, cls: int = CLS, sep: int = SEP, pad: int = PAD) -> Row:
    row = [cls, *first, sep, *second, sep]
    tokens = torch.full((length,), pad)
    tokens[: len(row)] = torch.tensor(row)
    place = torch.arange(length)
    mask = place < len(row)
    return tokens, ((place >= len(first) + 2) & mask).long(), mask


def _draw(probe: Probe) -> tuple[list[int], list[int], int]:
    """Two sentences of different lengths and a length with room to spare."""
    a, b, spare = probe.sizes(3, 3, 7)
    return ids(probe, a).tolist(), ids(probe, b).tolist(), a + b + 3 + spare


def _call(probe: Probe, first: list[int], second: list[int], length: int, special: tuple = (CLS, SEP, PAD)) -> Row:
    result = probe.call(first, second, *special, length)
    result = several(result, 3, "three tensors (tokens, segments, mask)")
    kinds = (("The tokens", torch.int64), ("The segments", torch.int64), ("The mask", torch.bool))
    return tuple(
        probe.tensor(part, (length,), dtype, name, {"not-padded": part.shape} if _is_short(part, length) else None)
        for part, (name, dtype) in zip(result, kinds, strict=True)
    )


def _is_short(part: object, length: int) -> bool:
    return isinstance(part, Tensor) and part.ndim == 1 and len(part) < length


@pair.property("tokens: [CLS], the first sentence, [SEP], the second, [SEP], padding")
def _tokens(probe: Probe) -> None:
    first, second, length = _draw(probe)
    tokens, _, _ = _call(probe, first, second, length)
    rows = {
        "cls-missing": [*first, SEP, *second, SEP],
        "sep-missing/first": [CLS, *first, *second, SEP],
        "sep-missing/last": [CLS, *first, SEP, *second],
        "sep-missing/both": [CLS, *first, *second],
        "padding-in-front": [PAD] * (length - len(first) - len(second) - 3) + [CLS, *first, SEP, *second, SEP],
    }
    suspects = {name: torch.tensor(row + [PAD] * (length - len(row))) for name, row in rows.items()}
    probe.equal(tokens, _right(first, second, length)[0], suspects, name="the tokens")


@pair.property("segments: 0 to the first [SEP], 1 to the second, 0 in the padding")
def _segments(probe: Probe) -> None:
    first, second, length = _draw(probe)
    _, segments, _ = _call(probe, first, second, length)
    right, place = _right(first, second, length)[1], torch.arange(length)
    used = place < len(first) + len(second) + 3
    suspects = {
        "first-sep-in-second": (place > len(first)) & used,
        "last-sep-in-first": (right == 1) & (place < len(first) + len(second) + 2),
        "padding-in-second": place >= len(first) + 2,
        "padding-in-second/and-sep": place > len(first),
        "segments-swapped": (right == 0) & used,
        "segments-swapped/padding": right == 0,
        "segments-from-one": right + 1,
        "segments-from-one/padding": (right + 1) * used,
    }
    probe.equal(segments, right, {name: numbers.long() for name, numbers in suspects.items()}, name="the segments")


@pair.property("mask: True for every token, False for the padding")
def _mask(probe: Probe) -> None:
    first, second, length = _draw(probe)
    _, _, mask = _call(probe, first, second, length)
    tokens, _, right = _right(first, second, length)
    suspects = {
        "mask-inverted": ~right,
        "mask-hides-special": right & (tokens != CLS) & (tokens != SEP),
        "mask-hides-special/sep": right & (tokens != SEP),
        "mask-hides-special/cls": right & (tokens != CLS),
    }
    probe.equal(mask, right, suspects, name="the mask")


@pair.property("other ids of the special tokens, and a row with no room to spare")
def _other_ids(probe: Probe) -> None:
    first, second, _ = _draw(probe)
    special = tuple(ids(probe, 1, low=low, high=low + 50).item() for low in (101, 201, 301))
    length = len(first) + len(second) + 3
    found = _call(probe, first, second, length, special)
    right = _right(first, second, length, *special)
    for value, expected, name in zip(found, right, ("the tokens", "the segments", "the mask"), strict=True):
        probe.equal(value, expected, name=name)

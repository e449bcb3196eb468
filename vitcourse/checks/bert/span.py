"""``bert.span(x, text, start, end)``: where in each row the answer stands, its first and its last token, (B, 2).

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 4.2 and Figure 4 (c).
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, Tensor, Tensor, Tensor]


def right(x: Tensor, text: Tensor, start: Tensor, end: Tensor) -> Tensor:
    return _best(_sums(x @ start, x @ end), text)


def _sums(first: Tensor, last: Tensor) -> Tensor:
    """Scores of starts and of ends (B, N) to those of all pairs (B, N, N)."""
    return first[:, :, None] + last[:, None, :]


def _best(pairs: Tensor, text: Tensor, diagonal: int = 0) -> Tensor:
    """The pair with the largest score: in the text, and the end at least ``diagonal`` places behind the start."""
    ordered = torch.ones_like(pairs, dtype=torch.bool).triu(diagonal)
    return _places(pairs.masked_fill(~(ordered & text[:, :, None] & text[:, None, :]), -torch.inf))


def _places(pairs: Tensor) -> Tensor:
    index = pairs.flatten(1).argmax(dim=1)
    return torch.stack([index // pairs.shape[-1], index % pairs.shape[-1]], dim=1)


def wrong(x: Tensor, text: Tensor, start: Tensor, end: Tensor) -> dict[str, Tensor]:
    first, last = x @ start, x @ end
    pairs, everywhere, rows = _sums(first, last), torch.ones_like(text), torch.arange(len(x))
    only = {name: scores.masked_fill(~text, -torch.inf) for name, scores in (("first", first), ("last", last))}
    best, place = {name: scores.argmax(dim=1) for name, scores in only.items()}, torch.arange(x.shape[1])
    later = only["last"].masked_fill(place < best["first"][:, None], -torch.inf).argmax(dim=1)
    before = only["first"].masked_fill(place > best["last"][:, None], -torch.inf).argmax(dim=1)
    answer = right(x, text, start, end)
    largest = pairs[rows, answer[:, 0], answer[:, 1]].argmax()
    return {
        "each-by-itself": torch.stack([best["first"], best["last"]], dim=1),
        "each-by-itself/everywhere": torch.stack([first.argmax(dim=1), last.argmax(dim=1)], dim=1),
        "one-after-the-other": torch.stack([best["first"], later], dim=1),
        "one-after-the-other/end": torch.stack([before, best["last"]], dim=1),
        "ends-before-start": _best(pairs.mT, text).flip(1),
        "two-tokens-or-more": _best(pairs, text, 1),
        "outside-the-text": _best(pairs, everywhere),
        "text-inverted": _best(pairs, ~text),
        "hidden-by-zero": _best(_sums(first * text, last * text), everywhere),
        "vectors-swapped": _best(_sums(last, first), text),
        "result-swapped": answer.flip(1),
        "multiplied": _best(first[:, :, None] * last[:, None, :], text),
        "one-for-all-rows": answer[largest].expand(len(x), 2),
        "length-for-end": torch.stack([answer[:, 0], answer[:, 1] - answer[:, 0]], dim=1),
        "length-for-end/one more": torch.stack([answer[:, 0], answer[:, 1] - answer[:, 0] + 1], dim=1),
        "end-not-included": answer + torch.tensor([0, 1]),
        "index-not-taken-apart": answer[:, 0] * x.shape[1] + answer[:, 1],
        "counted-in-the-text": answer - text.int().argmax(dim=1, keepdim=True),
    }


span = Solved("bert.span", right=right, wrong=wrong, parts=("the span",))


def _draw(probe: Probe) -> Inputs:
    """So many rows that each mistake shows; in each the text begins and ends elsewhere, among other tokens."""
    length, width = probe.integer(10, 12), probe.integer(5, 7)
    rows, place = 16, torch.arange(length)
    begin = (1 + 2 * probe.uniform(rows, 1)).round()
    text = (place >= begin) & (place < length - 2 * probe.uniform(rows, 1))
    return probe.normal(rows, length, width), text, *(probe.normal(2, width) / width**0.5)


def _negative(probe: Probe) -> Inputs:
    x, text, start, end = _draw(probe)
    return x.abs(), text, -start.abs(), -end.abs()


span.on("the two places of the text with the largest sum, and the end is not before the start")(_draw)
span.on("so it is where all scores are below 0", only=["hidden-by-zero"])(_negative)

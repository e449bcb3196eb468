"""``bert.pair(first, second, cls, sep, pad, length)``: two sentences as one row of BERT's input.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3 ("Input/Output Representations") and Figure 2.
"""

import torch
from torch import Tensor

from vitcourse.checks.bert.common import ids
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Row = tuple[Tensor, Tensor, Tensor]
Inputs = tuple[list[int], list[int], int, int, int, int]
USUAL = (2, 3, 0)


def right(first: list[int], second: list[int], cls: int, sep: int, pad: int, length: int) -> Row:
    tokens, place = _padded([cls, *first, sep, *second, sep], pad, length), torch.arange(length)
    mask = place < len(first) + len(second) + 3
    return tokens, ((place >= len(first) + 2) & mask).long(), mask


def _padded(row: list[int], pad: int, length: int) -> Tensor:
    return torch.tensor(row + [pad] * (length - len(row)))


def wrong(first: list[int], second: list[int], cls: int, sep: int, pad: int, length: int) -> dict[str, Row]:
    tokens, segments, mask = right(first, second, cls, sep, pad, length)
    place, a, used = torch.arange(length), len(first), len(first) + len(second) + 3
    rows = {
        "cls-missing": [*first, sep, *second, sep],
        "sep-missing/first": [cls, *first, *second, sep],
        "sep-missing/last": [cls, *first, sep, *second],
        "sep-missing/both": [cls, *first, *second],
        "padding-in-front": [pad] * (length - used) + tokens[:used].tolist(),
        "padding-in-front/behind cls": [cls, *[pad] * (length - used), *tokens[1:used].tolist()],
        "fixed-padding": tokens[:used].tolist() + [0] * (length - used),
    }
    parts = {
        "first-sep-in-second": (place > a) & mask,
        "last-sep-in-first": (segments == 1) & (place < used - 1),
        "second-begins-late": (place > a + 2) & mask,
        "padding-in-second": place >= a + 2,
        "padding-in-second/and sep": place > a,
        "segments-swapped": (segments == 0) & mask,
        "segments-swapped/padding": segments == 0,
        "segments-from-one": segments + 1,
        "segments-from-one/padding": (segments + 1) * mask,
        "one-segment": torch.zeros_like(segments),
        "one-segment/1": mask,
    }
    special = (tokens == sep, tokens == cls, (tokens == cls) | (tokens == sep))
    masks = {
        "mask-inverted": ~mask,
        **{f"mask-hides-special/{n}": mask & ~hidden for n, hidden in enumerate(special)},
        "mask-hides-nothing": mask | True,
        **{f"mask-too-short/{n}": place < used - n for n in (1, 2, 3)},
        "mask-hides-second": mask & (segments == 0),
    }
    return {
        **{name: (_padded(row, pad, length), segments, mask) for name, row in rows.items()},
        **{name: (tokens, numbers.long(), mask) for name, numbers in parts.items()},
        **{name: (tokens, segments, numbers) for name, numbers in masks.items()},
        **{f"not-padded/{n}": tuple(part[: used - n] for part in (tokens, segments, mask)) for n in range(4)},
    }


pair = Solved("bert.pair", right=right, wrong=wrong, parts=("the tokens", "the segments", "the mask"))


def _draw(probe: Probe, special: tuple[int, int, int] = USUAL, spare: bool = True) -> Inputs:
    """Two sentences of different lengths, and a row with room to spare or none."""
    a, b, room = probe.sizes(3, 3, 7)
    return ids(probe, a).tolist(), ids(probe, b).tolist(), *special, a + b + 3 + room * spare


pair.on("[CLS], the first sentence, [SEP], the second, [SEP], padding; segments and mask go with them")(_draw)
pair.on("a row with no room to spare")(lambda probe: _draw(probe, spare=False))
pair.on("other ids of the special tokens")(
    lambda probe: _draw(probe, tuple(int(ids(probe, low=low, high=low + 50)) for low in (101, 201, 301)))
)

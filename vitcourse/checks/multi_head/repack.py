"""``multi_head.repack(rows, num_heads)``: packed rows from head by head to all queries, all keys, all values.

The first is how some language models store them, ``(h three d)``; the second is that of timm and the course,
``(three h d)``.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2, for the maps; the orders are conventions.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.multi_head.common import numbered


def right(rows: Tensor, num_heads: int) -> Tensor:
    return _ordered(rows, (num_heads, 3, -1), (1, 0, 2))


def _ordered(rows: Tensor, sizes: tuple[int, ...], order: tuple[int, ...]) -> Tensor:
    """The rows cut into three axes, which are put into another order and joined again."""
    cut = rows.unflatten(0, sizes)
    return cut.permute(*order, *range(3, cut.ndim)).flatten(0, 2)


def wrong(rows: Tensor, num_heads: int) -> dict[str, Tensor]:
    cut = rows.unflatten(0, (num_heads, 3, -1))
    return {
        "unchanged": rows,
        "way-back": _ordered(rows, (3, num_heads, -1), (1, 0, 2)),
        "dealt-out": _ordered(rows, (-1, 3, num_heads), (1, 2, 0)),
        "dealt-out/threes": _ordered(rows, (num_heads, -1, 3), (2, 0, 1)),
        "dealt-out/heads": _ordered(rows, (-1, num_heads, 3), (2, 1, 0)),
        "width-before-heads": _ordered(rows, (num_heads, 3, -1), (1, 2, 0)),
        "heads-not-width": _ordered(rows, (-1, 3, num_heads), (1, 0, 2)),
        "parts-in-another-order": _ordered(rows, (num_heads, 3, -1), (1, 0, 2))
        .unflatten(0, (3, -1))
        .flip(0)
        .flatten(0, 1),
        "not-joined": cut.transpose(0, 1),
        "not-joined/heads": cut.transpose(0, 1).flatten(1, 2),
        "heads-reversed": _ordered(
            rows.unflatten(0, (num_heads, -1)).flip(0).flatten(0, 1), (num_heads, 3, -1), (1, 0, 2)
        ),
    }


repack = Solved("multi_head.repack", right=right, wrong=wrong, parts=("the result",))


@repack.on(
    "first all rows of the queries, head by head, then those of the keys, then those of the values", but=["columns"]
)
def weight(probe: Probe, dtype: torch.dtype = torch.float32) -> tuple[Tensor, int]:
    heads, width = ((2, 5), (5, 2), (4, 7), (7, 4), (2, 7), (7, 2))[probe.integer(0, 5)]
    dim = heads * width
    return numbered(probe, 3 * dim, dim).to(dtype), heads


def bias(probe: Probe) -> tuple[Tensor, int]:
    rows, heads = weight(probe)
    return rows[:, 0].clone(), heads


repack.on("a bias, which has one axis, is put into the same order", otherwise="only-two-axes", only=["only-two-axes"])(
    bias
)
repack.on("one head, and heads of width 1, work as well", only=["unchanged"])(
    lambda probe: (weight(probe)[0], 1), lambda probe: (rows := weight(probe)[0], rows.shape[1])
)
repack.exact(lambda probe: ((weight(probe, torch.float64)[0] / 3), 2))

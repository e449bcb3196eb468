"""``multi_head.remove(proj_weight, head, num_heads)``: the output weight (D, D) without one head.

The output of multi-head attention is a sum over heads, each through its own columns of the output weight; a head whose
columns are zero passes nothing on.

Source: Michel et al., "Are Sixteen Heads Really Better than One?" (2019), section 2.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Case = tuple[Tensor, int, int]


def right(proj_weight: Tensor, head: int, num_heads: int) -> Tensor:
    width = proj_weight.shape[1] // num_heads
    return _filled(proj_weight, slice(head * width, (head + 1) * width))


def _filled(weight: Tensor, columns: slice | int, filling: Tensor | float = 0.0) -> Tensor:
    left = weight.clone()
    left[:, columns] = filling
    return left


def wrong(proj_weight: Tensor, head: int, num_heads: int) -> dict[str, Tensor]:
    weight, made, width = proj_weight, right(proj_weight, head, num_heads), proj_weight.shape[1] // num_heads
    block = slice(head * width, (head + 1) * width)
    others = torch.arange(len(weight)) // width != head
    cut = weight[:, others], weight[others], weight[others][:, others]
    return {
        "nothing-removed": weight,
        "rows-not-columns": right(weight.T, head, num_heads).T,
        "rows-and-columns": right(made.T, head, num_heads).T,
        "interleaved": _filled(weight, slice(head, None, num_heads)),
        "interleaved/width": _filled(weight, slice(head, None, width)),
        "keeps-only-it": weight - made,
        "counts-from-one": right(weight, head - 1, num_heads),
        "one-column": _filled(weight, head),
        "one-column/start": _filled(weight, block.start),
        "width-not-heads": _filled(weight, slice(head * num_heads, (head + 1) * num_heads)),
        "too-many/up to it": _filled(weight, slice(0, block.stop)),
        "too-many/from it on": _filled(weight, slice(block.start, None)),
        "starts-at-head": _filled(weight, slice(head, head + width)),
        "corner-only": torch.where(torch.arange(len(weight))[:, None] // width == head, made, weight),
        "transposed": made.T,
        "one-short": _filled(weight, slice(block.start, block.stop - 1)),
        "one-short/late": _filled(weight, slice(block.start + 1, block.stop)),
        "one-short/long": _filled(weight, slice(block.start, block.stop + 1)),
        "averaged": _filled(weight, block, weight[:, block].mean(dim=1, keepdim=True)),
        "averaged/all": _filled(weight, block, weight[:, block].mean()),
        "minus-infinity": _filled(weight, block, -torch.inf),
        **{f"cut-out/{place}": numbers for place, numbers in enumerate(cut)},
    }


remove = Solved("multi_head.remove", right=right, wrong=wrong)


@remove.on("the columns of this head are zero, and all others are as they were")
def draw(probe: Probe) -> Case:
    """A head that is neither the first nor the last; no mean, and no entry, is near 0."""
    heads, width = ((3, 5), (5, 3), (4, 7), (7, 4), (4, 6))[probe.integer(0, 4)]
    # No mistake with the block's width leaves the weight.
    return probe.normal(heads * width, heads * width) + 3.0, probe.integer(1, min(heads - 2, width - 1)), heads


def first(probe: Probe) -> Case:
    weight, _, heads = draw(probe)
    return weight, 0, heads


def last(probe: Probe) -> Case:
    weight, _, heads = draw(probe)
    return weight.double() / 3, heads - 1, heads


def only(probe: Probe) -> Case:
    return draw(probe)[0], 0, 1


remove.on("the first and the last head can be taken away as well, and the only one", only=["rows-not-columns"])(
    first, last, only
)

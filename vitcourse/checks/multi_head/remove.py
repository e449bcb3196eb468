"""``multi_head.remove(proj_weight, head, num_heads)``: the output weight (D, D) without one head.

The output of multi-head attention is a sum over heads, each through its own columns of the output weight; a head whose
columns are zero passes nothing on.

Source: Michel et al., "Are Sixteen Heads Really Better than One?" (2019), section 2.
"""

from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong

remove = Check("multi_head.remove")
Case = tuple[Tensor, int, int]  # the weight, the head, how many there are


def _draw(probe: Probe) -> Case:
    heads, width = ((3, 5), (5, 3), (4, 7), (7, 4), (4, 6))[probe.integer(0, 4)]
    # Neither the first nor the last head, and no mistake with the block's width leaves the weight.
    head = probe.integer(1, min(heads - 2, width - 1))
    return probe.normal(heads * width, heads * width) + 3.0, head, heads  # no mean, and no entry, is near 0


def _right(weight: Tensor, head: int, heads: int) -> Tensor:
    return _without(weight, slice(head * (weight.shape[1] // heads), (head + 1) * (weight.shape[1] // heads)))


def _without(weight: Tensor, columns: slice | int) -> Tensor:
    left = weight.clone()
    left[:, columns] = 0
    return left


def _suspects(weight: Tensor, head: int, heads: int) -> dict[str, Tensor]:
    width = weight.shape[1] // heads
    block = slice(head * width, (head + 1) * width)
    mean = weight.clone()
    mean[:, block] = weight[:, block].mean(dim=1, keepdim=True)
    single = weight.clone()
    single[:, block] = weight[:, block].mean()
    return {
        "nothing-removed": weight,
        "rows-not-columns": _without(weight.T, block).T,
        "interleaved": _without(weight, slice(head, None, heads)),
        "interleaved/width": _without(weight, slice(head, None, width)),
        "keeps-only-it": weight - _without(weight, block),
        "counts-from-one": _without(weight, slice(block.start - width, block.start)),
        "one-column": _without(weight, head),
        "one-column/start": _without(weight, block.start),
        "width-not-heads": _without(weight, slice(head * heads, (head + 1) * heads)),
        "averaged": mean,
        "averaged/all": single,
    }


def _call(probe: Probe, case: Case) -> Tensor:
    weight, _, heads = case
    (rows, columns), value = weight.shape, probe.call(*case)
    shorter = columns - columns // heads
    if isinstance(value, Tensor) and tuple(value.shape) in ((rows, shorter), (shorter, columns), (shorter, shorter)):
        raise Wrong("cut-out", f"The result should have shape {(rows, columns)} and has {tuple(value.shape)}.")
    return probe.tensor(value, (rows, columns), weight.dtype)


@remove.property("a weight of the same shape comes back, and the one that went in is unchanged")
def _shape(probe: Probe) -> None:
    _call(probe, _draw(probe))


@remove.property("the columns of this head are zero, and all others are as they were")
def _values(probe: Probe) -> None:
    case = _draw(probe)
    probe.equal(_call(probe, case), _right(*case), _suspects(*case))


@remove.property("the first and the last head can be taken away as well, and the only one")
def _ends(probe: Probe) -> None:
    weight, _, heads = _draw(probe)
    for case in ((weight, 0, heads), (weight.double() / 3, heads - 1, heads), (weight, 0, 1)):
        probe.equal(_call(probe, case), _right(*case))

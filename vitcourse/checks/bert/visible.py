"""``bert.visible(mask, is_causal)``: which token may read which, both ways or backwards only.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3 and Figure 3 (BERT
against a left-to-right model).
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe

visible = Check("bert.visible")


def _right(mask: Tensor, is_causal: bool) -> Tensor:
    batch, length = mask.shape
    table = mask[:, None, None, :].expand(batch, 1, length, length)
    return table & torch.ones(length, length, dtype=torch.bool).tril() if is_causal else table.clone()


def _draw(probe: Probe) -> Tensor:
    """A mask (B, N): every row begins with tokens and ends with padding, two places of each at least."""
    batch, length = probe.integer(2, 4), probe.integer(6, 9)
    ends = (2 + probe.uniform(batch, 1) * (length - 4)).long().clamp(max=length - 2)
    return torch.arange(length) < ends


def _call(probe: Probe, mask: Tensor, is_causal: bool) -> Tensor:
    batch, length = mask.shape
    shapes = {"no-head-axis": (batch, length, length)}
    numbers = {torch.float32: 0, torch.float64: 0, torch.int64: 0, torch.int32: 0, torch.uint8: 0}
    value = probe.call(mask, is_causal)
    dtypes = {"not-boolean": value.dtype} if isinstance(value, Tensor) and value.dtype in numbers else None
    return probe.tensor(value, (batch, 1, length, length), torch.bool, shapes=shapes, dtypes=dtypes)


@visible.property("both ways: every token is read by all, the padding by none")
def _both_ways(probe: Probe) -> None:
    mask = _draw(probe)
    right, rows = _right(mask, False), mask[:, None, :, None]
    suspects = {
        "hides-nothing": torch.ones_like(right),
        "mask-inverted": ~right,
        "hides-queries": rows.expand_as(right),
        "hides-both": right & rows,
        "always-causal": _right(mask, True),
        "always-causal/upside": right & torch.ones_like(right).triu(),
    }
    probe.equal(_call(probe, mask, False), right, suspects)


@visible.property("causal: a token reads itself and what stands before it, and no padding")
def _causal(probe: Probe) -> None:
    mask = _draw(probe)
    right, keys = _right(mask, True), _right(mask, False)
    suspects = {
        "causal-ignored": keys,
        "upside-down": keys & torch.ones_like(keys).triu(),
        "upside-down/strict": keys & torch.ones_like(keys).triu(1),
        "excludes-itself": keys & torch.ones_like(keys).tril(-1),
        "causal-forgets-padding": torch.ones_like(keys).tril(),
    }
    probe.equal(_call(probe, mask, True), right, suspects)


@visible.property("a row without padding, and padding in front, are nothing special")
def _elsewhere(probe: Probe) -> None:
    mask = _draw(probe).flip(1)
    mask[0] = True
    for is_causal in (False, True):
        probe.equal(_call(probe, mask, is_causal), _right(mask, is_causal))

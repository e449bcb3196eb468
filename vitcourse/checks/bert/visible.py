"""``bert.visible(mask, is_causal)``: which token may read which, both ways or backwards only.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3 and Figure 3 (BERT
against a left-to-right model).
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, bool]


def right(mask: Tensor, is_causal: bool) -> Tensor:
    keys = mask[:, None, None, :].repeat(1, 1, mask.shape[1], 1)
    return keys.tril() if is_causal else keys


def wrong(mask: Tensor, is_causal: bool) -> dict[str, Tensor]:
    table, keys = right(mask, is_causal), right(mask, False)
    queries, everything = keys.mT, torch.ones_like(keys)
    past = everything.tril() if is_causal else everything
    one_way = {
        "causal-ignored": keys,
        "upside-down": keys.triu(),
        "upside-down/strict": keys.triu(1),
        "excludes-itself": keys.tril(-1),
        "causal-forgets-padding": past,
    }
    both_ways = {
        "hides-nothing": everything,
        "always-causal": keys.tril(),
        "always-causal/strict": keys.tril(-1),
        "always-causal/upside": keys.triu(),
    }
    return {
        "mask-inverted": ~table,
        "mask-inverted/padding": ~keys & past,
        "hides-queries": queries & past,
        "hides-both": table & queries,
        "joined-by-or": (keys | past) if is_causal else (keys | queries),
        "joined-by-or/both": (keys | queries) & past,
        **(one_way if is_causal else both_ways),
        "no-head-axis": table[:, 0],
        "not-expanded": mask[:, None, None, :],
        **{f"not-boolean/{dtype}": table.to(dtype) for dtype in (torch.float32, torch.float64)},
        **{f"not-boolean/{dtype}": table.to(dtype) for dtype in (torch.int64, torch.int32, torch.uint8)},
    }


visible = Solved("bert.visible", right=right, wrong=wrong, parts=("the table",))


def _draw(probe: Probe) -> Tensor:
    """A mask (B, N): every row begins with tokens and ends with padding, two places of each at least."""
    batch, length = probe.integer(2, 4), probe.integer(6, 9)
    ends = (2 + probe.uniform(batch, 1) * (length - 4)).long().clamp(max=length - 2)
    return torch.arange(length) < ends


def _in_front(probe: Probe) -> Tensor:
    mask = _draw(probe).flip(1)
    mask[0] = True
    return mask


ELSEWHERE = "a row without padding, and padding in front, are nothing special"
visible.on("both ways: every token is read by all, the padding by none")(lambda probe: (_draw(probe), False))
visible.on("causal: a token reads itself and what stands before it, no padding")(lambda probe: (_draw(probe), True))
visible.on(f"{ELSEWHERE}: both ways")(lambda probe: (_in_front(probe), False))
visible.on(f"{ELSEWHERE}: causal")(lambda probe: (_in_front(probe), True))

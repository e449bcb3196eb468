"""``multi_head.layer(x, state, num_heads, context=None, mask=None)``: the whole layer, from its state dict.

The packed rows are those of `multi_head.repack` before they are put in order: head by head.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2.
"""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from vitcourse.checks.attention.common import attend, divisors, mask_mistakes, scale_mistakes, some_visible
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.multi_head.common import (
    dealt_merge,
    dealt_split,
    reshaped_merge,
    reshaped_split,
    right_merge,
    right_split,
)

State = dict[str, Tensor]
Inputs = tuple[Tensor, State, int, Tensor | None, Tensor | None]


def right(x: Tensor, state: State, num_heads: int, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
    return _output(attend(*_parts(_sources(x, context), state, num_heads), mask)[0], state)


def _sources(x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """What gives queries, keys and values."""
    return (x, x, x) if context is None else (x, context, context)


def _parts(
    sources: tuple[Tensor, ...],
    state: State,
    heads: int,
    *,
    order: tuple[int, ...] = (0, 1, 2),
    head_by_head: bool = True,
    split: Callable[[Tensor, int], Tensor] = right_split,
    turned: bool = False,
    bias: bool = True,
) -> list[Tensor]:
    """Query, key and value (B, H, N, d); every option stands for a way to get it wrong.

    Args:
        order: which third of the packed rows gives queries, keys and values.
        head_by_head: the packed rows are read as the task has them, query, key and value of the first head, then of the
            second; else as all queries, all keys, all values.
        turned: multiply with each third of the weight the wrong way round.
    """
    packed = state["qkv.weight"], state["qkv.bias"]
    if head_by_head:
        packed = (rows.unflatten(0, (heads, 3, -1)).transpose(0, 1).flatten(0, 2) for rows in packed)
    weights, offsets = (rows.chunk(3) for rows in packed)
    maps = [weight if turned else weight.T for weight in weights]
    return [
        split(tokens @ maps[place] + (offsets[place] if bias else 0), heads)
        for tokens, place in zip(sources, order, strict=True)
    ]


def _output(
    found: Tensor,
    state: State,
    *,
    merge: Callable[[Tensor], Tensor] = right_merge,
    turned: bool = False,
    bias: bool = True,
    project: bool = True,
) -> Tensor:
    """(B, H, L, d) to (B, L, D), through the output weight; the options as above."""
    weight = state["proj.weight"] if turned else state["proj.weight"].T
    return merge(found) @ weight + (state["proj.bias"] if bias else 0) if project else merge(found)


# Misconception to the options of both halves.
OPTIONS: dict[str, tuple[dict, dict]] = {
    "packed-order/heads": ({"head_by_head": False}, {}),
    **{f"packed-order/{order}": ({"order": order}, {}) for order in product(range(3), repeat=3) if order != (0, 1, 2)},
    "split-mixes-tokens": ({"split": reshaped_split}, {}),
    "split-mixes-tokens/both": ({"split": reshaped_split}, {"merge": reshaped_merge}),
    "merge-mixes-tokens": ({}, {"merge": reshaped_merge}),
    "interleaved": ({"split": dealt_split}, {}),
    "interleaved/both": ({"split": dealt_split}, {"merge": dealt_merge}),
    "interleaved/merge": ({}, {"merge": dealt_merge}),
    "no-output-weight": ({}, {"project": False}),
    "weight-not-transposed": ({}, {"turned": True}),
    "weight-not-transposed/packed": ({"turned": True}, {}),
    "weight-not-transposed/both": ({"turned": True}, {"turned": True}),
    "no-bias/packed": ({"bias": False}, {}),
    "no-bias/output": ({}, {"bias": False}),
    "no-bias/both": ({"bias": False}, {"bias": False}),
}


def wrong(
    x: Tensor, state: State, num_heads: int, context: Tensor | None = None, mask: Tensor | None = None
) -> dict[str, Tensor]:
    sources, width = _sources(x, context), x.shape[-1] // num_heads
    parts = _parts(sources, state, num_heads)
    if mask is not None:
        return {name: _output(found, state) for name, (found, _) in mask_mistakes(*parts, mask).items()}
    whole = _parts(sources, state, num_heads, split=lambda tokens, _heads: tokens[:, None])
    steps = {
        "no-heads": attend(*whole)[0],
        "no-heads/scaled": attend(*whole, divisor=width**0.5)[0],
        "scaled-by-dim": attend(*parts, divisor=x.shape[-1] ** 0.5)[0],
        "scaled-by-dim/whole": attend(*parts, divisor=x.shape[-1])[0],
        **{name: found for name, (found, _) in scale_mistakes(*parts).items()},
        "wrong-divisor/heads": attend(*parts, divisor=num_heads**0.5)[0],
        "wrong-axis/heads": (parts[0] @ parts[1].mT / width**0.5).softmax(dim=1) @ parts[2],
    }
    found = {name: _output(step, state) for name, step in steps.items()}
    for name, (first, second) in OPTIONS.items():
        found[name] = _output(attend(*_parts(sources, state, num_heads, **first))[0], state, **second)
    found["adds-x"] = x + right(x, state, num_heads, context)
    if context is not None:
        found["context-ignored"] = right(x, state, num_heads)
        found["context-asks"] = right(context, state, num_heads, x)
        found["context-asks/alone"] = right(context, state, num_heads)
        if context.shape == x.shape:
            for given in ((x, context, x), (x, x, context)):
                some = attend(*_parts(given, state, num_heads))[0]
                found[f"context-in-part/{len(found)}"] = _output(some, state)
    return found


layer = Solved("multi_head.layer", right=right, wrong=wrong, parts=("the output",))


@layer.on("self-attention: every head attends with its own part, and `proj` mixes what they found")
def alone(probe: Probe, dtype: torch.dtype = torch.float32) -> Inputs:
    """No two sizes are equal, and neither half of a width nor twice a width is another size or its root."""
    heads, width = ((3, 5), (5, 3), (6, 3), (3, 6))[probe.integer(0, 3)]
    dim = heads * width
    state = {
        "qkv.weight": probe.normal(3 * dim, dim, dtype=dtype) / dim**0.5,
        "qkv.bias": probe.normal(3 * dim, dtype=dtype),
        "proj.weight": probe.normal(dim, dim, dtype=dtype) / dim**0.5,
        "proj.bias": probe.normal(dim, dtype=dtype),
    }
    return probe.normal(4, probe.integer(7, 8), dim, dtype=dtype), state, heads


def as_long(probe: Probe) -> Inputs:
    x, *others = alone(probe)
    return x, *others, probe.normal(*x.shape)


def crossing(probe: Probe, dtype: torch.dtype = torch.float32) -> Inputs:
    x, *others = alone(probe, dtype)
    return x, *others, probe.normal(4, 15 - x.shape[1], x.shape[2], dtype=dtype)


def masked(probe: Probe, dtype: torch.dtype = torch.float32) -> Inputs:
    x, state, heads, context = crossing(probe, dtype)
    return x, state, heads, context, some_visible(probe, x.shape[1], keys=context.shape[1])


def padded(probe: Probe) -> Inputs:
    x, state, heads = alone(probe)
    return x, state, heads, None, some_visible(probe, len(x), 1, 1, keys=x.shape[1])


def rounded(x: Tensor, state: State, num_heads: int, context: Tensor, mask: Tensor) -> list[Tensor]:
    parts = _parts(_sources(x, context), state, num_heads)
    return [_output(attend(*parts, mask, divisor=by)[0], state) for by in divisors(parts[0].shape[-1])]


BY_NAME = ["context", "mask"]
layer.on("cross-attention: x asks, and reads the context", by_name=BY_NAME)(as_long, crossing)
layer.on("a key is read where the mask is True, and nowhere else", by_name=BY_NAME)(masked)
layer.on(
    "one row of padding for each example works as well: a mask of shape (B, 1, 1, S)",
    otherwise="mask-not-broadcast",
    by_name=BY_NAME,
)(padded)
layer.exact(lambda probe: masked(probe, torch.float64), also=rounded, by_name=BY_NAME)
layer.differentiable(alone, to="x", slack=10)

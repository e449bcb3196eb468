"""Multi-head attention in float64 from a state dict, right and with each common mistake built in."""

from collections.abc import Callable
from itertools import permutations

import torch
from torch import Tensor

from vitcourse.checks.multi_head.common import right_merge, right_split

State = dict[str, Tensor]
Split = Callable[[Tensor, int], Tensor]


def right_layer(
    x: Tensor,
    state: State,
    heads: int,
    context: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    divisor: float | None = None,
    order: tuple[int, ...] = (0, 1, 2),
    head_by_head: bool = False,
    split: Split = right_split,
    merge: Callable[[Tensor], Tensor] = right_merge,
    axis: int = -1,
    transpose: tuple[bool, bool] = (False, False),
    bias: tuple[bool, bool] = (True, True),
    project: bool = True,
    hide: str = "before",
) -> Tensor:
    """The output (B, L, D); every option after ``mask`` stands for a way to get it wrong.

    Args:
        divisor: in place of the square root of the width of a head.
        order: which third of the packed rows gives queries, keys and values.
        head_by_head: the packed rows hold query, key and value of the first head, then of the second, and so on.
        transpose: multiply with the output weight, and with each third of the packed weight, the wrong way round.
        hide: how the mask acts: "before" the softmax (right), "ignored", "inverted", "after-softmax", "as-zero".
    """
    x = x.double()
    state = {name: tensor.double() for name, tensor in state.items()}
    context = x if context is None else context.double()
    weight, offset = (_thirds(state[f"qkv.{kind}"], heads, head_by_head) for kind in ("weight", "bias"))
    parts = []
    for tokens, place in zip((x, context, context), order, strict=True):
        map_ = weight[place] if transpose[1] else weight[place].T
        parts.append(split(tokens @ map_ + (offset[place] if bias[0] else 0), heads))
    query, key, value = parts
    scores = query @ key.transpose(-2, -1) / (query.shape[-1] ** 0.5 if divisor is None else divisor)
    if mask is not None and hide in ("before", "inverted"):
        scores = scores.masked_fill(~mask if hide == "before" else mask, -torch.inf)
    if mask is not None and hide == "as-zero":
        scores = scores.masked_fill(~mask, 0.0)
    weights = scores.softmax(dim=axis)
    if mask is not None and hide == "after-softmax":
        weights = weights.masked_fill(~mask, 0.0)
    output = merge(weights @ value)
    if not project:
        return output
    map_ = state["proj.weight"] if transpose[0] else state["proj.weight"].T
    return output @ map_ + (state["proj.bias"] if bias[1] else 0)


def mistakes(x: Tensor, state: State, heads: int, context: Tensor | None = None) -> dict[str, Tensor]:
    """What each mistake without a mask gives."""
    dim = x.shape[-1]
    options: dict[str, dict] = {
        "not-scaled": {"divisor": 1.0},
        "scaled-by-dim": {"divisor": dim**0.5},
        "scaled-by-dim/whole": {"divisor": float(dim)},
        "packed-order/heads": {"head_by_head": True},
        "split-mixes-tokens": {"split": _reshaped_split},
        "split-mixes-tokens/both": {"split": _reshaped_split, "merge": _reshaped_merge},
        "merge-mixes-tokens": {"merge": _reshaped_merge},
        "interleaved": {"split": _dealt_split},
        "interleaved/both": {"split": _dealt_split, "merge": _dealt_merge},
        "interleaved/merge": {"merge": _dealt_merge},
        "no-output-weight": {"project": False},
        "weight-not-transposed": {"transpose": (True, False)},
        "weight-not-transposed/packed": {"transpose": (False, True)},
        "weight-not-transposed/both": {"transpose": (True, True)},
        "no-bias/packed": {"bias": (False, True)},
        "no-bias/output": {"bias": (True, False)},
        "no-bias/both": {"bias": (False, False)},
        "wrong-axis/queries": {"axis": -2},
        "wrong-axis/heads": {"axis": 1},
    }
    options |= {f"packed-order/{order}": {"order": order} for order in permutations(range(3)) if order != (0, 1, 2)}
    wrong = {name: right_layer(x, state, heads, context, **option) for name, option in options.items()}
    wrong["no-heads"] = right_layer(x, state, 1, context)
    wrong["no-heads/scaled"] = right_layer(x, state, 1, context, divisor=(dim // heads) ** 0.5)
    return wrong


def _thirds(packed: Tensor, heads: int, head_by_head: bool) -> Tensor:
    """(3D, …) to (3, D, …)."""
    if head_by_head:
        return packed.unflatten(0, (heads, 3, -1)).transpose(0, 1).flatten(1, 2)
    return packed.unflatten(0, (3, -1))


def _reshaped_split(x: Tensor, heads: int) -> Tensor:
    batch, tokens, dim = x.shape
    return x.reshape(batch, heads, tokens, dim // heads)


def _reshaped_merge(x: Tensor) -> Tensor:
    batch, heads, tokens, width = x.shape
    return x.reshape(batch, tokens, heads * width)


def _dealt_split(x: Tensor, heads: int) -> Tensor:
    return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)


def _dealt_merge(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).flatten(2)

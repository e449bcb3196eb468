"""``attention.attention(query, key, value, mask=None)``: the output and the weights, with masks and empty rows.

Source: Vaswani et al., "Attention Is All You Need" (2017), equation 1.
"""

import torch
from torch import Tensor

from vitcourse.checks.attention.common import (
    Inputs,
    Pair,
    attend,
    divisors,
    draw_inputs,
    mask_mistakes,
    masked,
    scale_mistakes,
)
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved


def right(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Pair:
    return attend(query, key, value, mask)


def wrong(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> dict[str, Tensor | Pair]:
    output, weights = attend(query, key, value, mask)
    if mask is None:
        raw = query @ key.transpose(-2, -1)
        from_scores = {
            "scores-times-values": raw / query.shape[-1] ** 0.5 @ value,
            "scores-times-values/raw": raw @ value,
        }
        return {
            "no-weights": output,
            **{name: (numbers, weights) for name, numbers in from_scores.items()},
            **scale_mistakes(query, key, value),
        }
    empty = ~mask.any(dim=-1, keepdim=True)
    tables = {"nan-row": torch.nan, "uniform-row": 1 / key.shape[-2]}
    rows = {name: weights.masked_fill(empty, share) for name, share in tables.items()}
    return mask_mistakes(query, key, value, mask) | {name: (table @ value, table) for name, table in rows.items()}


attention = Solved("attention.attention", right=right, wrong=wrong, parts=("the output", "the tensor of weights"))


def batch(probe: Probe) -> Inputs:
    return draw_inputs(probe, probe.integer(2, 3), 4)


def hiding(probe: Probe) -> Inputs:
    return masked(probe, draw_inputs(probe))


def with_empty_row(probe: Probe) -> Inputs:
    *inputs, mask = hiding(probe)
    mask[probe.integer(0, len(mask) - 1)] = False
    return *inputs, mask


def padded(probe: Probe) -> Inputs:
    inputs = batch(probe)
    return masked(probe, inputs, len(inputs[0]), 1, 1)


attention.on("the output is the weights times the values, the weights the softmax of the scaled scores")(draw_inputs)
attention.on("any number of axes may stand in front: a batch, heads", otherwise="only-two-axes")(batch)
attention.on("a key is read where the mask is True, and nowhere else")(hiding)
attention.on(
    "one mask serves a whole batch: (L, S) and (B, 1, 1, S) work as well",
    otherwise="mask-not-broadcast",
    by_name=["mask"],
)(lambda probe: masked(probe, batch(probe)), padded)
attention.on("a query that may see no key gets zeros, and leaves the others alone", only=["nan-row", "uniform-row"])(
    with_empty_row
)
attention.exact(
    lambda probe: masked(probe, draw_inputs(probe, dtype=torch.float64)),
    also=lambda *inputs: [attend(*inputs, divisor=by) for by in divisors(inputs[0].shape[-1])],
)
attention.differentiable(with_empty_row, to="query, key and value, without nan", nan="nan-gradient")

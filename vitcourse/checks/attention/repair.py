"""``attention.repair(fixed)``: an attention with two faults, which its author's test (square, no mask) does not see.

The notebook hands this out (see ``tests/checks/bank/attention_repair.py``, which shows that it fails)::

    def attention(query, key, value, mask=None):
        scores = query @ key.transpose(-2, -1) / math.sqrt(key.shape[-2])
        weights = scores.softmax(dim=-1)
        if mask is not None:
            weights = weights * mask
        return weights @ value

The divisor is made from the number of keys, and the mask acts after the softmax.
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
from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.solved import Solved


def right(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    return attend(query, key, value, mask)[0]


def wrong(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> dict[str, Tensor | Pair]:
    inputs = query, key, value
    lengths = {"scale-from-value": value.shape[-1], "scale-from-length": len(key), "scale-from-length/L": len(query)}
    of_length = {f"{name}/{power}": n**power for name, n in lengths.items() for power in (0.5, 1.0)}
    pairs = scale_mistakes(*inputs) if mask is None else mask_mistakes(*inputs, mask)
    return {
        "returns-a-pair": attend(*inputs, mask),
        **{name: attend(*inputs, mask, divisor=by)[0] for name, by in of_length.items()},
        **{name: output for name, (output, _) in pairs.items()},
    }


repair = Solved("attention.repair", right=right, wrong=wrong, parts=("the output",))


def square(probe: Probe) -> Inputs:
    size = probe.integer(5, 8)
    return tuple(probe.normal(size, size) for _ in range(3))


@repair.property("what worked before still works: as many tokens as numbers in a token, no mask")
def _square(probe: Probe) -> None:
    try:
        repair.judge(probe, square, only=["returns-a-pair", "not-scaled", "half-of-width", "wrong-axis"])
    except Wrong as failed:
        broken = failed.misconception == "wrong-values"
        raise Wrong("breaks-what-worked" if broken else failed.misconception, failed.detail, failed.errors) from None


repair.on(
    "the divisor depends on the width of queries and keys, and on nothing else",
    only=["scale-from-value", "scale-from-length"],
)(draw_inputs)
repair.on("a hidden key gives up its share to the visible ones")(lambda probe: masked(probe, draw_inputs(probe)))
repair.on(
    "a batch and heads may stand in front, with one mask for all", otherwise="only-two-axes", but=["nan-everywhere"]
)(lambda probe: masked(probe, draw_inputs(probe, 3, 2)), lambda probe: masked(probe, draw_inputs(probe, 3, 2), 3, 1, 1))
repair.exact(
    lambda probe: masked(probe, draw_inputs(probe, dtype=torch.float64)),
    also=lambda *inputs: [attend(*inputs, divisor=by)[0] for by in divisors(inputs[0].shape[-1])],
)

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
    attend,
    divisors,
    mask_mistakes,
    scale_mistakes,
    some_visible,
)
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, close

repair = Check("attention.repair")


def _call(probe: Probe, inputs: tuple[Tensor, ...], *mask: Tensor, on_error: str | None = None) -> Tensor:
    query, _, value = inputs
    result = probe.call(*inputs, *mask, on_error=on_error)
    if isinstance(result, list | tuple) and result and isinstance(result[0], Tensor):
        raise Wrong("returns-a-pair")
    shapes = {on_error: result.shape} if on_error and isinstance(result, Tensor) else None
    return probe.tensor(result, (*query.shape[:-1], value.shape[-1]), query.dtype, shapes=shapes)


def _outputs(mistakes: dict[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
    return {name: output for name, (output, _) in mistakes.items()}


@repair.property("what worked before still works: as many tokens as numbers in a token, no mask")
def _square(probe: Probe) -> None:
    size = probe.integer(5, 8)
    inputs = tuple(probe.normal(size, size) for _ in range(3))
    suspects = _outputs(scale_mistakes(*inputs))
    named = {name: suspects[name] for name in suspects if name.startswith(("not-scaled", "wrong-axis"))}
    probe.equal(_call(probe, inputs), attend(*inputs)[0], named, "breaks-what-worked", "the output")


@repair.property("the divisor depends on the width of queries and keys, and on nothing else")
def _other_sizes(probe: Probe) -> None:
    queries, keys = probe.sizes(2, 3, 6)
    wide, values = probe.integer(10, 15), probe.integer(7, 8)
    inputs = probe.normal(queries, wide), probe.normal(keys, wide), probe.normal(keys, values)
    suspects = {
        f"{name}/{power}": attend(*inputs, divisor=n**power)[0]
        for name, n in (("scale-from-value", values), ("scale-from-length", keys), ("scale-from-length/L", queries))
        for power in (0.5, 1.0)
    }
    probe.equal(_call(probe, inputs), attend(*inputs)[0], suspects, name="the output")


@repair.property("a hidden key gives up its share to the visible ones")
def _mask(probe: Probe) -> None:
    queries, keys = probe.sizes(2, 4, 7)
    wide = probe.integer(10, 15)
    inputs = probe.normal(queries, wide), probe.normal(keys, wide), probe.normal(keys, wide + 1)
    mask = some_visible(probe, queries, keys)
    suspects = _outputs(mask_mistakes(*inputs, mask))
    probe.equal(_call(probe, inputs, mask), attend(*inputs, mask)[0], suspects, name="the output")


@repair.property("a batch and heads may stand in front, with one mask for all")
def _leading_axes(probe: Probe) -> None:
    batch, queries, keys = probe.sizes(3, 3, 7)
    front, wide = (batch, 2), probe.integer(10, 15)
    inputs = probe.normal(*front, queries, wide), probe.normal(*front, keys, wide), probe.normal(*front, keys, wide + 1)
    for mask in (some_visible(probe, queries, keys), some_visible(probe, batch, keys)[:, None, None]):
        value = _call(probe, inputs, mask, on_error="only-two-axes")
        probe.equal(value, attend(*inputs, mask)[0], otherwise="only-two-axes", name="the output")


@repair.property("float64 comes in, float64 comes out, with nothing lost on the way")
def _precision(probe: Probe) -> None:
    queries, keys, wide = probe.sizes(3)
    inputs = tuple(probe.normal(rows, wide, dtype=torch.float64) for rows in (queries, keys, keys))
    mask = some_visible(probe, queries, keys)
    value = _call(probe, inputs, mask)
    if not any(close(value, attend(*inputs, mask, divisor=divisor)[0]) for divisor in divisors(wide)):
        probe.equal(value, attend(*inputs, mask)[0], name="the output")

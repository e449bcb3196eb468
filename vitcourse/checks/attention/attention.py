"""``attention.attention(query, key, value, mask=None)``: the output and the weights, with masks and empty rows.

Source: Vaswani et al., "Attention Is All You Need" (2017), equation 1.
"""

import math

import torch
from torch import Tensor

from vitcourse.checks.attention.common import (
    attend,
    divisors,
    hidden_row_mistakes,
    mask_mistakes,
    scale_mistakes,
    some_visible,
)
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, Wrong, close, describe

attention = Check("attention.attention")


def _draw(probe: Probe, front: tuple[int, ...] = (), dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    """query (…, L, d_k), key (…, S, d_k), value (…, S, d_v): the sizes differ, and no width is a square number."""
    queries, keys = probe.sizes(2, 3, 6)
    wide, values = probe.integer(10, 15), probe.integer(7, 8)
    return (
        probe.normal(*front, queries, wide, dtype=dtype),
        probe.normal(*front, keys, wide, dtype=dtype),
        probe.normal(*front, keys, values, dtype=dtype),
    )


def _pair(probe: Probe, result: object, inputs: tuple[Tensor, ...], **known: str) -> tuple[Tensor, Tensor]:
    """The learner's (output, weights), with their shapes and dtypes checked."""
    query, key, value = inputs
    shapes = (*query.shape[:-1], value.shape[-1]), (*query.shape[:-1], key.shape[-2])
    if isinstance(result, Tensor) and tuple(result.shape) == shapes[0]:
        raise Wrong("no-weights")
    if not isinstance(result, list | tuple) or len(result) != 2:
        raise Wrong("wrong-type", f"Expected a pair (output, weights), got {describe(result)}.")
    found = [tuple(part.shape) if isinstance(part, Tensor) else None for part in result]
    probe.require(found != [shapes[1], shapes[0]], "swapped")
    names = ("The output", "The tensor of weights")
    checked = []
    for part, shape, name in zip(result, shapes, names, strict=True):
        suspects = {known["shape"]: part.shape} if "shape" in known and isinstance(part, Tensor) else None
        checked.append(probe.tensor(part, shape, query.dtype, name=name, shapes=suspects))
    return checked[0], checked[1]


@attention.property("a pair comes back: output (L, d_v) and weights (L, S)")
def _shapes(probe: Probe) -> None:
    inputs = _draw(probe)
    _pair(probe, probe.call(*inputs), inputs)


@attention.property("the weights are the softmax, over the keys, of the scores divided by the root of the width")
def _weights(probe: Probe) -> None:
    inputs = _draw(probe)
    _, weights = _pair(probe, probe.call(*inputs), inputs)
    query, key, value = inputs
    suspects = scale_mistakes(query, key, value)
    probe.equal(weights, attend(*inputs)[1], {name: pair[1] for name, pair in suspects.items()}, name="the weights")


@attention.property("the output is the weights times the values")
def _output(probe: Probe) -> None:
    inputs = query, key, value = _draw(probe)
    output, _ = _pair(probe, probe.call(*inputs), inputs)
    raw = (query @ key.T).double()
    suspects = {
        "scores-times-values": raw / math.sqrt(query.shape[-1]) @ value.double(),
        "scores-times-values/raw": raw @ value.double(),
    }
    probe.equal(output, attend(*inputs)[0], suspects, name="the output")


@attention.property("any number of axes may stand in front: a batch, heads")
def _leading_axes(probe: Probe) -> None:
    inputs = _draw(probe, front=(probe.integer(2, 3), 4))
    result = probe.call(*inputs, on_error="only-two-axes")
    for found, expected in zip(_pair(probe, result, inputs, shape="only-two-axes"), attend(*inputs), strict=True):
        probe.equal(found, expected, otherwise="only-two-axes")


@attention.property("a key is read where the mask is True, and nowhere else")
def _mask(probe: Probe) -> None:
    inputs = _draw(probe)
    mask = some_visible(probe, inputs[0].shape[-2], inputs[1].shape[-2])
    output, weights = _pair(probe, probe.call(*inputs, mask), inputs)
    suspects = mask_mistakes(*inputs, mask)
    right = attend(*inputs, mask)
    for found, expected, index, name in ((weights, right[1], 1, "the weights"), (output, right[0], 0, "the output")):
        probe.equal(found, expected, {wrong: pair[index] for wrong, pair in suspects.items()}, name=name)


@attention.property("one mask serves a whole batch: (L, S) and (B, 1, 1, S) work as well")
def _broadcast(probe: Probe) -> None:
    batch, heads = probe.integer(2, 3), 4
    inputs = _draw(probe, front=(batch, heads))
    queries, keys = inputs[0].shape[-2], inputs[1].shape[-2]
    shared = some_visible(probe, queries, keys)
    padding = some_visible(probe, batch, keys)[:, None, None]
    for mask in (shared, padding):
        result = probe.call(*inputs, mask=mask, on_error="mask-not-broadcast")
        pair = _pair(probe, result, inputs, shape="mask-not-broadcast")
        for found, expected in zip(pair, attend(*inputs, mask), strict=True):
            probe.equal(found, expected, otherwise="mask-not-broadcast")


@attention.property("a query that may see no key gets zeros, and leaves the others alone")
def _empty_row(probe: Probe) -> None:
    inputs = _draw(probe)
    mask, empty = _mask_with_empty_row(probe, inputs)
    pair = _pair(probe, probe.call(*inputs, mask), inputs)
    right = attend(*inputs, mask)
    suspects = hidden_row_mistakes(*inputs, mask, empty)
    for index, name in ((1, "the weights"), (0, "the output")):
        probe.require(not bool(pair[index].isnan().any()), "nan-row", f"The mask hides all keys from query {empty}.")
        probe.equal(pair[index], right[index], {"uniform-row": suspects[index]}, name=name)


@attention.property("float64 comes in, float64 comes out, with nothing lost on the way")
def _precision(probe: Probe) -> None:
    inputs = _draw(probe, dtype=torch.float64)
    mask = some_visible(probe, inputs[0].shape[-2], inputs[1].shape[-2])
    pair = _pair(probe, probe.call(*inputs, mask), inputs)
    rounded = [attend(*inputs, mask, divisor=divisor) for divisor in divisors(inputs[0].shape[-1])]
    if not any(close(pair[0], output) and close(pair[1], weights) for output, weights in rounded):
        for found, expected in zip(pair, attend(*inputs, mask), strict=True):
            probe.equal(found, expected)


@attention.property("a gradient comes back to query, key and value, without nan")
def _gradient(probe: Probe) -> None:
    inputs = _draw(probe)
    mask, _ = _mask_with_empty_row(probe, inputs)
    result, gradients = probe.call(*inputs, mask, gradient=True)
    _pair(probe, result, inputs)
    leaves = [tensor.double().requires_grad_() for tensor in inputs]
    right = attend(*leaves, mask)
    expected = torch.autograd.grad(right, leaves, [upstream(part.shape, torch.float64) for part in right])
    for found, wanted in zip(gradients[:3], expected, strict=True):
        probe.require(found is not None, "cuts-gradient")
        probe.require(not bool(found.isnan().any()), "nan-gradient")
        probe.require(close(found, wanted.float(), slack=5), "cuts-gradient")


def _mask_with_empty_row(probe: Probe, inputs: tuple[Tensor, ...]) -> tuple[Tensor, int]:
    queries, keys = inputs[0].shape[-2], inputs[1].shape[-2]
    mask, empty = some_visible(probe, queries, keys), probe.integer(0, queries - 1)
    mask[empty] = False
    return mask, empty

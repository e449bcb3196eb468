"""``multi_head.layer(x, state, num_heads, context=None, mask=None)``: the whole layer, from its state dict.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, close
from vitcourse.checks.multi_head.reference import State, mistakes, right_layer

layer = Check("multi_head.layer")


def _draw(probe: Probe, dtype: torch.dtype = torch.float32) -> tuple[Tensor, State, int, Tensor]:
    """x (B, L, D), a state dict, H, and a context (B, S, D); no two sizes are equal."""
    heads, width = ((2, 6), (3, 5), (6, 2), (5, 3))[probe.integer(0, 3)]
    dim, (queries, keys) = heads * width, probe.sizes(2, 7, 9)
    state = {
        "qkv.weight": probe.normal(3 * dim, dim, dtype=dtype) / dim**0.5,
        "qkv.bias": probe.normal(3 * dim, dtype=dtype),
        "proj.weight": probe.normal(dim, dim, dtype=dtype) / dim**0.5,
        "proj.bias": probe.normal(dim, dtype=dtype),
    }
    return probe.normal(4, queries, dim, dtype=dtype), state, heads, probe.normal(4, keys, dim, dtype=dtype)


def _some_visible(probe: Probe, *front: int, keys: int) -> Tensor:
    """A boolean mask; every row has at least two visible keys and a hidden one."""
    order = probe.uniform(*front, keys).argsort(dim=-1)
    return ((order < 2) | (probe.uniform(*front, keys) < 0.5)) & (order < keys - 1)


def _output(probe: Probe, value: object, x: Tensor, shapes: dict | None = None) -> Tensor:
    return probe.tensor(value, x.shape, x.dtype, name="The output", shapes=shapes)


@layer.property("the output has the shape of x")
def _shape(probe: Probe) -> None:
    x, state, heads, _ = _draw(probe)
    _output(probe, probe.call(x, state, heads), x)


@layer.property("self-attention: every head attends with its own part, and `proj` mixes what they found")
def _self(probe: Probe) -> None:
    x, state, heads, _ = _draw(probe)
    value = _output(probe, probe.call(x, state, heads), x)
    probe.equal(value, right_layer(x, state, heads), mistakes(x, state, heads), name="the output")


@layer.property("cross-attention: x asks, and reads the context")
def _cross(probe: Probe) -> None:
    x, state, heads, context = _draw(probe)
    value = _output(probe, probe.call(x, state, heads, context=context), x, {"context-asks": context.shape})
    suspects = {"context-ignored": right_layer(x, state, heads), **mistakes(x, state, heads, context)}
    probe.equal(value, right_layer(x, state, heads, context), suspects, name="the output")


@layer.property("a key is read where the mask is True, and nowhere else")
def _mask(probe: Probe) -> None:
    x, state, heads, context = _draw(probe)
    mask = _some_visible(probe, x.shape[1], keys=context.shape[1])
    value = _output(probe, probe.call(x, state, heads, context=context, mask=mask), x)
    suspects = {
        f"mask-{name}": right_layer(x, state, heads, context, mask, hide=name)
        for name in ("ignored", "inverted", "after-softmax", "as-zero")
    }
    probe.equal(value, right_layer(x, state, heads, context, mask), suspects, name="the output")


@layer.property("one row of padding for each example works as well: a mask of shape (B, 1, 1, S)")
def _padding(probe: Probe) -> None:
    x, state, heads, _ = _draw(probe)
    mask = _some_visible(probe, len(x), keys=x.shape[1])[:, None, None]
    value = _output(probe, probe.call(x, state, heads, mask=mask, on_error="mask-not-broadcast"), x)
    probe.equal(value, right_layer(x, state, heads, mask=mask), otherwise="mask-not-broadcast", name="the output")


@layer.property("float64 comes in, float64 comes out, with nothing lost on the way")
def _precision(probe: Probe) -> None:
    x, state, heads, context = _draw(probe, torch.float64)
    value = _output(probe, probe.call(x, state, heads, context=context), x)
    root = float(torch.tensor(float(x.shape[-1] // heads)).sqrt())  # torch.sqrt(torch.tensor(width)) is no mistake
    rounded = (right_layer(x, state, heads, context, divisor=by) for by in (root, 1 / float(torch.tensor(1 / root))))
    if not any(close(value, numbers) for numbers in rounded):
        probe.equal(value, right_layer(x, state, heads, context), name="the output")


@layer.property("a gradient comes back to x")
def _gradient(probe: Probe) -> None:
    x, state, heads, _ = _draw(probe)
    value, gradients = probe.call(x, state, heads, gradient=True)
    _output(probe, value, x)
    leaf = x.double().requires_grad_()
    output = right_layer(leaf, state, heads)
    (expected,) = torch.autograd.grad(output, leaf, upstream(output.shape, torch.float64))
    found = gradients[0]
    probe.require(found is not None and close(found, expected.float(), slack=10), "cuts-gradient")

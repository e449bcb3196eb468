"""``multi_head.split(x, num_heads)``: (B, N, D) to (B, H, N, d), head h from the h-th part of every token.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, close
from vitcourse.checks.multi_head.common import draw_sizes, numbered, right_merge, right_split

split = Check("multi_head.split")


def _suspects(x: Tensor, heads: int) -> dict[str, Tensor]:
    (batch, tokens, dim), right = x.shape, right_split(x, heads)
    width = dim // heads
    dealt = x.unflatten(-1, (width, heads)).permute(0, 3, 1, 2)
    return {
        "reshaped": x.reshape(batch, heads, tokens, width),
        "reshaped/batch": x.reshape(heads, batch, tokens, width).transpose(0, 1),
        "reshaped/turned": x.transpose(1, 2).reshape(batch, heads, tokens, width),
        "interleaved": dealt,
        "heads-reversed": right.flip(1),
    }


def _call(probe: Probe, x: Tensor, heads: int, on_error: str | None = None) -> Tensor:
    batch, tokens, width = *x.shape[:2], x.shape[-1] // heads
    shapes = {
        "heads-after-tokens": (batch, tokens, heads, width),
        "width-before-tokens": (batch, heads, width, tokens),
        "heads-first": (heads, batch, tokens, width),
        "width-not-heads": (batch, width, tokens, heads),
        "width-not-heads/late": (batch, tokens, width, heads),
    }
    value = probe.call(x, heads, on_error=on_error)
    if on_error is not None and isinstance(value, Tensor):
        shapes = {on_error: value.shape}
    named = {name.partition("/")[0]: shape for name, shape in shapes.items() if _has_shape(value, shape)}
    return probe.tensor(value, (batch, heads, tokens, width), x.dtype, shapes=named)


def _has_shape(value: object, shape: tuple[int, ...]) -> bool:
    return isinstance(value, Tensor) and tuple(value.shape) == tuple(shape)


@split.property("the result has the axes batch, heads, tokens, width of a head")
def _shape(probe: Probe) -> None:
    batch, heads, tokens, width = draw_sizes(probe)
    _call(probe, numbered(batch, tokens, heads * width), heads)


@split.property("a head gets its own part of every token, and of no other")
def _values(probe: Probe) -> None:
    batch, heads, tokens, width = draw_sizes(probe)
    x = numbered(batch, tokens, heads * width, start=probe.integer(1, 99))
    probe.equal(_call(probe, x, heads), right_split(x, heads), _suspects(x, heads))


@split.property("another number of heads, one head and heads of width 1 work as well")
def _other_heads(probe: Probe) -> None:
    batch, heads, tokens, width = draw_sizes(probe)
    x = probe.normal(batch, tokens, heads * width, dtype=torch.float64)
    for other in (width, 1, heads * width):
        value = _call(probe, x, other, on_error="fixed-heads")
        probe.equal(value, right_split(x, other), otherwise="fixed-heads")


@split.property("a gradient comes back to the tokens")
def _gradient(probe: Probe) -> None:
    batch, heads, tokens, width = draw_sizes(probe)
    x = probe.normal(batch, tokens, heads * width)
    value, gradients = probe.call(x, heads, gradient=True)
    value = probe.tensor(value, (batch, heads, tokens, width), torch.float32)
    expected = right_merge(upstream(value.shape, torch.float32))
    probe.require(gradients[0] is not None and close(gradients[0], expected), "cuts-gradient")

"""``multi_head.merge(heads)``: (B, H, N, d) to (B, N, D), the heads side by side again.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2 (Concat).
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, close
from vitcourse.checks.multi_head.common import draw_sizes, numbered, right_merge, right_split

merge = Check("multi_head.merge")


def _suspects(heads: Tensor) -> dict[str, Tensor]:
    batch, count, tokens, width = heads.shape
    right = (batch, tokens, count * width)
    return {
        "reshaped": heads.reshape(right),
        "reshaped/turned": heads.transpose(-2, -1).reshape(right),
        "reshaped/flat": heads.transpose(0, 1).reshape(right),
        "interleaved": heads.permute(0, 2, 3, 1).flatten(2),
        "heads-reversed": right_merge(heads.flip(1)),
    }


def _call(probe: Probe, heads: Tensor) -> Tensor:
    batch, count, tokens, width = heads.shape
    value = probe.call(heads)
    if isinstance(value, Tensor) and tuple(value.shape) == (batch, tokens, width) and value.dtype == heads.dtype:
        probe.require(not close(value, heads.mean(dim=1)), "averaged")
        probe.require(not close(value, heads.sum(dim=1)), "summed")
        probe.require(not any(close(value, heads[:, i]) for i in range(count)), "one-head")
    shapes = {"not-joined": (batch, tokens, count, width), "tokens-joined": (batch, count * tokens, width)}
    return probe.tensor(value, (batch, tokens, count * width), heads.dtype, shapes=shapes)


@merge.property("a token is as wide as all heads together")
def _shape(probe: Probe) -> None:
    batch, count, tokens, width = draw_sizes(probe)
    _call(probe, numbered(batch, count, tokens, width, start=1))


@merge.property("a token holds what every head found for it, head after head")
def _values(probe: Probe) -> None:
    batch, count, tokens, width = draw_sizes(probe)
    heads = numbered(batch, count, tokens, width, start=probe.integer(1, 99))
    probe.equal(_call(probe, heads), right_merge(heads), _suspects(heads))


@merge.property("one head, heads of width 1 and a single token work as well")
def _other_sizes(probe: Probe) -> None:
    batch, count, tokens, width = draw_sizes(probe)
    for shape in ((batch, 1, tokens, width), (batch, count, tokens, 1), (1, count, 1, width)):
        heads = probe.normal(*shape, dtype=torch.float64)
        value = probe.tensor(probe.call(heads), (shape[0], shape[2], shape[1] * shape[3]), torch.float64)
        probe.equal(value, right_merge(heads))


@merge.property("a gradient comes back to every head")
def _gradient(probe: Probe) -> None:
    batch, count, tokens, width = draw_sizes(probe)
    heads = probe.normal(batch, count, tokens, width)
    value, gradients = probe.call(heads, gradient=True)
    value = probe.tensor(value, (batch, tokens, count * width), torch.float32)
    expected = right_split(upstream(value.shape, torch.float32), count)
    probe.require(gradients[0] is not None and close(gradients[0], expected), "cuts-gradient")

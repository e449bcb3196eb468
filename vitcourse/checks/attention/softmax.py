"""``attention.softmax(scores)``: weights over the last axis, at any size of score, zeros where all is hidden.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.1; Goodfellow, Bengio and Courville, "Deep
Learning" (2016), section 4.1, for overflow and underflow.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.attention.common import EPSILONS, some_visible, weights_of
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

LARGE = 100  # a float32 near 1000 is exact to 6e-5, and some right formulas (log-sum-exp) round there
Row = tuple[Tensor]


def right(scores: Tensor) -> Tensor:
    return weights_of(scores)


def wrong(scores: Tensor) -> dict[str, Tensor]:
    powers, keys = scores.exp(), scores.shape[-1]
    low, high = scores - scores.amin(dim=-1, keepdim=True), scores - scores.amax(dim=-1, keepdim=True)
    column = (scores - scores.amax(dim=-2, keepdim=True)).exp()
    hidden, weights = scores == -torch.inf, weights_of(scores)
    empty = hidden.all(dim=-1, keepdim=True)
    found = {
        "log-weights": [scores.log_softmax(dim=-1)],
        "sigmoid": [scores.sigmoid()],
        "wrong-maximum": [column / column.sum(dim=-1, keepdim=True)],
        "no-exponential": [
            part / part.sum(dim=-1, keepdim=True) for part in (scores, scores.abs(), scores.relu(), scores**2, low)
        ],
        "wrong-axis": [scores.softmax(dim=-2)],
        "whole-tensor": [powers / powers.sum()],
        "not-normalised": [powers, high.exp(), (scores - scores.max()).exp()],
        "hard-maximum": [torch.nn.functional.one_hot(scores.argmax(dim=-1), keys).to(scores)],
        "wrong-base": [(scores * math.log(base)).softmax(dim=-1) for base in (2, 10)],
        "wrong-sign": [(-scores).softmax(dim=-1)],
        "scaled-again": [(scores / by).softmax(dim=-1) for by in (math.sqrt(keys), keys, math.sqrt(scores.shape[-2]))],
        "adds-epsilon": [
            part / (part.sum(dim=-1, keepdim=True) + e) for part in (powers, high.exp()) for e in EPSILONS
        ],
        "hidden-in-part": [weights.masked_fill(hidden.any(dim=-1, keepdim=True), 0.0)],
        "nan-row": [weights.masked_fill(empty, math.nan)],
        "uniform-row": [weights.masked_fill(empty, 1 / keys)],
        "clamped": [scores.clamp(max=most).softmax(dim=-1) for most in (20, 50, 80, 88, 100)],
    }
    if scores.shape[-2] == keys:
        found["drops-axis"] = [part / part.sum(dim=-1) for part in (powers, high.exp())]
        found["drops-axis/maximum"] = [(scores - scores.amax(dim=-1)).softmax(dim=-1)]
    return {f"{name}/{place}": made for name, tried in found.items() for place, made in enumerate(tried)}


softmax = Solved("attention.softmax", right=right, wrong=wrong, parts=("the tensor of weights",), typed=True)


def square(probe: Probe) -> Row:
    """As many rows as keys: an axis that was dropped raises no error here."""
    return (2 * probe.normal(*[probe.integer(4, 8)] * 2),)


def rows(probe: Probe, dtype: torch.dtype = torch.float32) -> Row:
    return (2 * probe.normal(*probe.sizes(2, 4, 9), dtype=dtype),)


def large(probe: Probe) -> Row:
    return (rows(probe)[0] + probe.integer(900, 1500),)


def apart(probe: Probe) -> Row:
    distance = probe.integer(900, 1500)
    return (2 * probe.normal(3, probe.integer(3, 7)) + torch.tensor([[distance], [0], [-distance]]),)


def hidden(probe: Probe) -> Row:
    (scores,) = rows(probe)
    return (scores.masked_fill(~some_visible(probe, len(scores), keys=scores.shape[-1]), -math.inf),)


def with_empty_row(probe: Probe, draw: Callable[[Probe], Row] = rows) -> Row:
    (scores,) = draw(probe)
    scores[probe.integer(0, len(scores) - 1)] = -math.inf
    return (scores,)


softmax.on("in a row, a score that is larger by 1 gets e times the weight, and all weights add up to 1")(square, rows)
softmax.on("any number of axes may stand in front: a batch, heads", otherwise="only-two-axes")(
    lambda probe: (2 * probe.normal(*probe.sizes(4, 3, 7)),)
)
softmax.on("large scores do not overflow", otherwise="overflow", only=["clamped"], slack=LARGE)(large)
softmax.on("rows of very different size stand in one tensor", otherwise="wrong-maximum", only=["clamped"], slack=LARGE)(
    apart
)


@softmax.property("a score of minus infinity gets the weight 0 exactly")
def _hidden(probe: Probe) -> None:
    (weights,) = softmax.judge(probe, hidden, otherwise="hidden-score", only=["hidden-in-part"])
    (scores,), _ = probe.given
    probe.require(bool((weights[scores == -math.inf] == 0).all()), "hidden-score")


softmax.on(
    "a row of nothing but minus infinity gives zeros, and leaves the other rows alone", only=["nan-row", "uniform-row"]
)(with_empty_row)
# Larger scores, so that a row's sum is near 1: there a small number added shows most.
softmax.exact(lambda probe: (4 * rows(probe, torch.float64)[0],), only=["adds-epsilon"])
softmax.differentiable(
    lambda probe: with_empty_row(probe, hidden),
    to="the scores, without nan, also where a row is hidden",
    nan="nan-gradient",
)

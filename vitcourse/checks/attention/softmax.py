"""``attention.softmax(scores)``: weights over the last axis, at any size of score, zeros where all is hidden.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.1; Goodfellow, Bengio and Courville, "Deep
Learning" (2016), section 4.1, for overflow and underflow.
"""

import math

import torch
from torch import Tensor

from vitcourse.checks.attention.common import some_visible, weights_of
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, close

softmax = Check("attention.softmax")


LARGE = 100  # a float32 near 1000 is exact to 6e-5, and some right formulas (log-sum-exp) round there


def _suspects(scores: Tensor) -> dict[str, Tensor]:
    """What the simple mistakes give for scores of moderate size, (rows, keys)."""
    scores = scores.double()
    powers = scores.exp()
    keys = scores.shape[-1]
    low = scores - scores.amin(dim=-1, keepdim=True)
    unscaled = {"log-weights": scores.log_softmax(dim=-1), "sigmoid": scores.sigmoid()}
    shares = (scores, scores.abs(), scores.relu(), scores**2, low)
    column = (scores - scores.amax(dim=-2, keepdim=True)).exp()
    wrong = {
        "wrong-maximum": [column / column.sum(dim=-1, keepdim=True)],
        "no-exponential": [part / part.sum(dim=-1, keepdim=True) for part in shares],
        "wrong-axis": [scores.softmax(dim=-2)],
        "whole-tensor": [powers / powers.sum()],
        "not-normalised": [powers, (scores - scores.amax(-1, keepdim=True)).exp(), (scores - scores.max()).exp()],
        "hard-maximum": [torch.nn.functional.one_hot(scores.argmax(dim=-1), keys)],
        "wrong-base": [(scores * math.log(base)).softmax(dim=-1) for base in (2, 10)],
        "scaled-again": [(scores / by).softmax(dim=-1) for by in (math.sqrt(keys), keys, math.sqrt(len(scores)))],
    }
    several = {f"{name}/{i}": numbers for name, tried in wrong.items() for i, numbers in enumerate(tried)}
    return unscaled | several


def _call(probe: Probe, scores: Tensor) -> Tensor:
    return probe.tensor(probe.call(scores), scores.shape, scores.dtype, name="The tensor of weights", exact=True)


@softmax.property("as many weights as scores, none of them negative")
def _positive(probe: Probe) -> None:
    scores = 2 * probe.normal(*probe.sizes(2, 4, 9))
    value = _call(probe, scores)
    if not bool((value >= 0).all()):
        probe.equal(value, weights_of(scores), _suspects(scores), name="the weights")


@softmax.property("every row adds up to 1")
def _rows(probe: Probe) -> None:
    scores = 2 * probe.normal(*probe.sizes(2, 4, 9))
    value = _call(probe, scores)
    if not _whole_rows(probe, scores, value):
        probe.equal(value, weights_of(scores), _suspects(scores), name="the weights")


@softmax.property("a score that is larger by 1 gets e times the weight")
def _ratio(probe: Probe) -> None:
    scores = 2 * probe.normal(*probe.sizes(2, 4, 9))
    probe.equal(_call(probe, scores), weights_of(scores), _suspects(scores), name="the weights")


@softmax.property("any number of axes may stand in front: a batch, heads")
def _leading_axes(probe: Probe) -> None:
    scores = 2 * probe.normal(*probe.sizes(4, 3, 7))
    value = probe.call(scores, on_error="only-two-axes")
    shapes = {"only-two-axes": value.shape} if isinstance(value, Tensor) else None
    value = probe.tensor(value, scores.shape, scores.dtype, shapes=shapes, exact=True)
    probe.equal(value, weights_of(scores), otherwise="only-two-axes", name="the weights")


@softmax.property("large scores do not overflow")
def _overflow(probe: Probe) -> None:
    rows, keys = probe.sizes(2, 3, 7)
    scores = 2 * probe.normal(rows, keys) + probe.integer(900, 1500)
    equal_shares = {"clamped": torch.full((rows, keys), 1 / keys)}
    probe.equal(_call(probe, scores), weights_of(scores), equal_shares, "overflow", "the weights", slack=LARGE)


@softmax.property("rows of very different size stand in one tensor")
def _own_maximum(probe: Probe) -> None:
    keys, distance = probe.integer(3, 7), probe.integer(900, 1500)
    scores = 2 * probe.normal(3, keys) + torch.tensor([[distance], [0], [-distance]])
    value = _call(probe, scores)
    probe.equal(value, weights_of(scores), otherwise="wrong-maximum", name="the weights", slack=LARGE)


@softmax.property("a score of minus infinity gets the weight 0 exactly")
def _hidden(probe: Probe) -> None:
    rows, keys = probe.sizes(2, 3, 7)
    hidden = ~some_visible(probe, rows, keys)
    scores = (2 * probe.normal(rows, keys)).masked_fill(hidden, -math.inf)
    value = _call(probe, scores)
    probe.equal(value, weights_of(scores), otherwise="hidden-score", name="the weights")
    probe.require(bool((value[hidden] == 0).all()), "hidden-score")


@softmax.property("a row of nothing but minus infinity gives zeros, and leaves the other rows alone")
def _empty_row(probe: Probe) -> None:
    rows, keys = probe.sizes(2, 3, 7)
    empty = probe.integer(0, rows - 1)
    scores = 2 * probe.normal(rows, keys)
    scores[empty] = -math.inf
    value = _call(probe, scores)
    probe.require(not bool(value.isnan().any()), "nan-row", f"Row {empty} of {rows} was hidden.")
    right = weights_of(scores)
    uniform = right.clone()
    uniform[empty] = 1 / keys
    probe.equal(value, right, {"uniform-row": uniform}, name="the weights")


@softmax.property("float64 comes in, float64 comes out, with nothing lost on the way")
def _precision(probe: Probe) -> None:
    scores = 2 * probe.normal(*probe.sizes(2, 3, 7), dtype=torch.float64)
    value = _call(probe, scores)
    _whole_rows(probe, scores, value)
    probe.equal(value, weights_of(scores), name="the weights")


@softmax.property("a gradient comes back, without nan, also where a row is hidden")
def _gradient(probe: Probe) -> None:
    rows, keys = probe.sizes(2, 3, 7)
    scores = (2 * probe.normal(rows, keys)).masked_fill(~some_visible(probe, rows, keys), -math.inf)
    scores[probe.integer(0, rows - 1)] = -math.inf
    _, (found,) = probe.call(scores, gradient=True)
    probe.require(found is not None, "cuts-gradient")
    probe.require(not bool(found.isnan().any()), "nan-gradient")
    weights, sent = weights_of(scores), upstream(scores.shape, torch.float64)
    expected = weights * (sent - (weights * sent).sum(dim=-1, keepdim=True))
    probe.require(close(found, expected.float()), "cuts-gradient")


def _whole_rows(probe: Probe, scores: Tensor, weights: Tensor) -> bool:
    """Whether all rows add up to 1; names the mistake where one number added to the sums explains why they do not."""
    sums = weights.sum(dim=-1)
    if close(sums, torch.ones_like(sums)):
        return True
    largest = scores.amax(dim=-1, keepdim=True)
    for powers in (scores.double().exp(), (scores - largest).double().exp()):
        added = powers.sum(dim=-1) * (1 / sums.double() - 1)
        alike = bool((added > 0).all()) and close(added / added[0], torch.ones_like(added), slack=2e8)
        probe.require(not alike, "adds-epsilon", f"The number added is about {added[0]:.1g}.")
    return False

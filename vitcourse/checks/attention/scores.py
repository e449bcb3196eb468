"""``attention.scores(query, key)``: the scaled scores Q K^T / sqrt(d_k), (..., L, S).

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.1.
"""

import math

import torch
from torch import Tensor

from vitcourse.checks.attention.common import divisors
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, Wrong, close
from vitcourse.checks.engine.words import apart

scores = Check("attention.scores")


def _right(query: Tensor, key: Tensor) -> Tensor:
    query, key = query.double(), key.double()
    return query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])


@scores.property("one row for each query, one column for each key")
def _shape(probe: Probe) -> None:
    queries, keys = probe.sizes(2)
    query, key = probe.normal(queries, keys), probe.normal(keys, keys)  # as wide as keys: key.T is not needed to fit
    probe.tensor(probe.call(query, key), (queries, keys), torch.float32, shapes={"transposed": (keys, queries)})


@scores.property("a score is the dot product of a query with a key, up to one common divisor")
def _dot_products(probe: Probe) -> None:
    size = probe.integer(4, 7)
    query, key = probe.normal(size, size), probe.normal(size, size)
    value = probe.tensor(probe.call(query, key), (size, size), torch.float32)
    dots, divisor = query @ key.T, math.sqrt(size)
    unit = torch.nn.functional.normalize
    wrong = {
        "transposed": dots.T,
        "key-not-transposed": query @ key,
        "cosine": unit(query, dim=-1) @ unit(key, dim=-1).T,
    }
    for misconception, numbers in wrong.items():
        probe.require(not _proportional(value, numbers), misconception)
    softmaxes = [(dots / by).softmax(dim=axis) for by in (1, divisor, size) for axis in (-1, -2)]
    probe.require(not any(close(value, numbers) for numbers in softmaxes), "softmax-too-early")
    if not _proportional(value, dots):
        probe.equal(value, _right(query, key))


@scores.property("the divisor is the square root of the width")
def _scaled(probe: Probe) -> None:
    factors = []
    # No width is a square number, so no divisor that is made from a number of tokens can be right by chance.
    lengths, widths = probe.sizes(4, 3, 8), (probe.integer(10, 15), probe.integer(26, 35))
    for width, queries, keys in zip(widths, lengths[:2], lengths[2:], strict=True):
        query, key = probe.normal(queries, width), probe.normal(keys, width)
        value = probe.tensor(probe.call(query, key), (queries, keys), torch.float32)
        dots = query @ key.T
        factors.append(float((value * dots).sum() / (dots * dots).sum()))
    suspects = {
        "not-scaled": [1.0, 1.0],
        "divided-by-width": [1 / width for width in widths],
        "multiplied-by-root": [math.sqrt(width) for width in widths],
        "fixed-divisor": [factors[0], factors[0]],
        **{f"length-not-width/{i}": [n**-power for n in pair] for i, (pair, power) in enumerate(_powers(lengths))},
    }
    right = [1 / math.sqrt(width) for width in widths]
    if _alike(factors, right):
        return
    named = [name for name, suspect in suspects.items() if _alike(factors, suspect)]
    first, second = apart(*(1 / factor if factor else math.inf for factor in factors), digits=4)
    detail = f"At width {widths[0]} the dot products are divided by {first}, at width {widths[1]} by {second}."
    raise Wrong(named[0].partition("/")[0] if named else "wrong-values", detail)


@scores.property("any number of axes may stand in front: a batch, heads")
def _leading_axes(probe: Probe) -> None:
    batch, heads, queries, keys, width = probe.sizes(5)
    query, key = probe.normal(batch, heads, queries, width), probe.normal(batch, heads, keys, width)
    value = probe.call(query, key, on_error="only-two-axes")
    shape = (batch, heads, queries, keys)
    shapes = {"only-two-axes": value.shape} if isinstance(value, Tensor) else None
    value = probe.tensor(value, shape, torch.float32, shapes=shapes)
    dots = _right(query, key) * math.sqrt(width)
    suspects = {f"axis {axis}": dots / math.sqrt(query.shape[axis]) for axis in (0, 1, 2)}
    probe.require(not any(close(value, numbers.float()) for numbers in suspects.values()), "width-from-wrong-axis")
    probe.equal(value, _right(query, key), otherwise="only-two-axes")


@scores.property("float64 comes in, float64 comes out, with nothing lost on the way")
def _precision(probe: Probe) -> None:
    queries, keys, width = probe.sizes(3)
    query, key = (probe.normal(rows, width, dtype=torch.float64) for rows in (queries, keys))
    value = probe.tensor(probe.call(query, key), (queries, keys), torch.float64)
    rounded = [query @ key.T / divisor for divisor in divisors(width)]
    if not any(close(value, numbers) for numbers in rounded):
        probe.equal(value, _right(query, key))


@scores.property("a gradient comes back to query and key")
def _gradient(probe: Probe) -> None:
    queries, keys, width = probe.sizes(3)
    query, key = probe.normal(queries, width), probe.normal(keys, width)
    value, gradients = probe.call(query, key, gradient=True)
    value = probe.tensor(value, (queries, keys), torch.float32)
    sent = upstream(value.shape, torch.float64) / math.sqrt(width)
    for found, expected in zip(gradients, (sent @ key.double(), sent.T @ query.double()), strict=True):
        probe.require(found is not None and close(found, expected.float()), "cuts-gradient")


def _proportional(value: Tensor, numbers: Tensor) -> bool:
    """Whether value is numbers times one positive factor."""
    factor = (value * numbers).sum() / (numbers * numbers).sum()
    return bool(factor > 0) and bool((value - factor * numbers).abs().max() <= 1e-4 * value.abs().max())


def _powers(lengths: list[int]) -> list[tuple[tuple[int, int], float]]:
    """Divisors made from token counts: (the two counts, the exponent)."""
    pairs = (tuple(lengths[:2]), tuple(lengths[2:]))
    return [(pair, power) for pair in pairs for power in (0.5, 1.0)]


def _alike(factors: list[float], others: list[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(factors, others, strict=True))

"""``attention.scores(query, key)``: the scaled scores Q K^T / sqrt(d_k), (..., L, S).

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.1.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize

from vitcourse.checks.attention.common import divisors
from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.engine.words import apart

Pair = tuple[Tensor, Tensor]


def right(query: Tensor, key: Tensor) -> Tensor:
    return query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])


def wrong(query: Tensor, key: Tensor) -> dict[str, Tensor]:
    dots, distances = query @ key.transpose(-2, -1), torch.cdist(query, key)
    shares = [(dots / query.shape[-1] ** power).softmax(dim=axis) for power in (0, 0.5, 1) for axis in (-1, -2)]
    axes = {f"width-from-wrong-axis/{axis}": query.shape[axis] for axis in range(query.ndim - 2)}
    return {
        "transposed": dots.transpose(-2, -1),
        **({"key-not-transposed": query @ key} if key.shape[-2] == key.shape[-1] else {}),
        "cosine": normalize(query, dim=-1) @ normalize(key, dim=-1).transpose(-2, -1),
        "distance": distances,
        "distance/squared": distances**2,
        **{f"softmax-too-early/{place}": weights for place, weights in enumerate(shares)},
        **{name: dots / math.sqrt(width) for name, width in axes.items()},
    }


def draw(probe: Probe, front: int = 0, dtype: torch.dtype = torch.float32) -> Pair:
    """query (…, L, d_k) and key (…, S, d_k), with so many axes in front; no two sizes are equal."""
    queries, keys, width, *axes = probe.sizes(3 + front)
    return probe.normal(*axes, queries, width, dtype=dtype), probe.normal(*axes, keys, width, dtype=dtype)


scores = Solved("attention.scores", right=right, wrong=wrong, parts=("the tensor of scores",))


@scores.property("one row for each query, one column for each key")
def _shape(probe: Probe) -> None:
    queries, keys = probe.sizes(2)
    query, key = probe.normal(queries, keys), probe.normal(keys, keys)  # as wide as keys: key.T is not needed to fit
    probe.tensor(probe.call(query, key), (queries, keys), torch.float32, shapes={"transposed": (keys, queries)})


def square(probe: Probe) -> Pair:
    size = probe.integer(4, 7)
    return probe.normal(size, size), probe.normal(size, size)


@scores.property("a score is the dot product of a query with a key, up to one common divisor")
def _dot_products(probe: Probe) -> None:
    query, key = square(probe)
    value = probe.tensor(probe.call(query, key), (len(query), len(key)), torch.float32)
    if not (_proportional(value, right(query, key)) and _factor(value, right(query, key)) > 0):
        for name, numbers in wrong(query, key).items():
            probe.require(not _proportional(value, numbers), name.partition("/")[0])
        scores.judge(probe, square)


@scores.property("the divisor is the square root of the width")
def _scaled(probe: Probe) -> None:
    factors = []
    # No width is a square number, and no two mistakes can divide by the same pair of numbers.
    lengths, widths = probe.sizes(4, 8, 12), (probe.integer(10, 15), probe.integer(26, 35))
    for width, queries, keys in zip(widths, lengths[:2], lengths[2:], strict=True):
        query, key = probe.normal(queries, width), probe.normal(keys, width)
        value = probe.tensor(probe.call(query, key), (queries, keys), torch.float32)
        factors.append(_factor(value, query @ key.T))
    suspects = {
        "not-scaled": [1.0, 1.0],
        "divided-by-width": [1 / width for width in widths],
        "multiplied-by-root": [math.sqrt(width) for width in widths],
        "half-of-width": [2 / width for width in widths],
        "half-of-width/twice": [0.5 / width for width in widths],
        "rounded-root": [1 / math.isqrt(width) for width in widths],
        "rounded-root/up": [1 / round(math.sqrt(width)) for width in widths],
        "fixed-divisor": [factors[0], factors[0]],
        **{
            f"length-not-width/{pair}/{power}": [n**-power for n in pair]
            for pair in (tuple(lengths[:2]), tuple(lengths[2:]))
            for power in (0.5, 1.0)
        },
    }
    if not _alike(factors, [1 / math.sqrt(width) for width in widths]):
        named = [name for name, suspect in suspects.items() if _alike(factors, suspect)]
        first, second = apart(*(1 / factor if factor else math.inf for factor in factors), digits=4)
        detail = f"At width {widths[0]} the dot products are divided by {first}, at width {widths[1]} by {second}."
        raise Wrong(named[0].partition("/")[0] if named else "wrong-values", detail)


scores.on("any number of axes may stand in front: a batch, heads", otherwise="only-two-axes")(
    lambda probe: draw(probe, 2)
)
scores.exact(
    lambda probe: draw(probe, dtype=torch.float64),
    also=lambda query, key: [query @ key.T / by for by in divisors(query.shape[-1])],
)
scores.differentiable(draw, to="query and key")


def _factor(value: Tensor, numbers: Tensor) -> float:
    return float((value * numbers).sum() / (numbers * numbers).sum())


def _proportional(value: Tensor, numbers: Tensor) -> bool:
    """Whether value is numbers times one factor other than 0."""
    gap = (value - _factor(value, numbers) * numbers).abs().max()
    return bool(gap <= 1e-4 * value.abs().max()) and bool(value.any())


def _alike(factors: list[float], others: list[float]) -> bool:
    return all(math.isclose(a, b, rel_tol=1e-3) for a, b in zip(factors, others, strict=True))

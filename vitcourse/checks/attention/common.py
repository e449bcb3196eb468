"""What the exercises of lesson 01 share."""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe

LESSON = "01_attention"
# Finished attention, under any name. What a card lists.
PROVIDED = ("vitcourse", "torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention")


def weights_of(scores: Tensor) -> Tensor:
    """Softmax over the last axis in float64, with zeros for a row of nothing but minus infinity."""
    scores = scores.double()
    empty = (scores == -torch.inf).all(dim=-1, keepdim=True)
    return scores.masked_fill(empty, 0.0).softmax(dim=-1).masked_fill(empty, 0.0)


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *, divisor: float | None = None
) -> tuple[Tensor, Tensor]:
    """Output and weights in float64; ``divisor`` stands in for the root of the width."""
    query, key, value = query.double(), key.double(), value.double()
    scores = query @ key.transpose(-2, -1) / (query.shape[-1] ** 0.5 if divisor is None else divisor)
    weights = weights_of(scores if mask is None else scores.masked_fill(~mask, -torch.inf))
    return weights @ value, weights


def divisors(width: int) -> list[float]:
    """The root of the width, and what float32 makes of it: torch.sqrt(torch.tensor(width)) is no wrong answer."""
    rounded = torch.tensor(float(width))
    return [width**0.5, float(rounded.sqrt()), 1 / float(rounded.rsqrt()), 1 / float(rounded.sqrt().reciprocal())]


def some_visible(probe: Probe, rows: int, keys: int) -> Tensor:
    """A boolean mask, True = visible, with at least two visible keys and one hidden key in each row."""
    order = probe.uniform(rows, keys).argsort(dim=-1)  # a random order of the keys in each row
    visible = (order < 2) | (probe.uniform(rows, keys) < 0.5)
    return visible & (order < keys - 1)


def scale_mistakes(query: Tensor, key: Tensor, value: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """What a wrong divisor, a wrong axis or no softmax gives as (output, weights), without a mask."""
    query, key, value = query.double(), key.double(), value.double()
    scores = query @ key.transpose(-2, -1)
    (queries, wide), (keys, values) = query.shape[-2:], value.shape[-2:]
    divisors = [n**power for n in (queries, keys, values, wide) for power in (0.5, 1.0)]
    divisors = [divisor for divisor in divisors if divisor != wide**0.5] + [wide**-0.5]
    tables = {"not-scaled": scores.softmax(dim=-1)}
    tables |= {f"wrong-divisor/{by:g}": (scores / by).softmax(dim=-1) for by in divisors}
    tables |= {f"wrong-axis/{by:g}": (scores / by).softmax(dim=-2) for by in (wide**0.5, 1)}
    tables |= {f"no-softmax/{by:g}": scores / by for by in (wide**0.5, 1)}
    return {name: (table @ value, table) for name, table in tables.items()}


def mask_mistakes(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """What each common mistake with a boolean mask gives as (output, weights)."""
    query, key, value = query.double(), key.double(), value.double()
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    zeroed = scores.masked_fill(~mask, 0.0)
    tables = {
        "mask-ignored": weights_of(scores),
        "mask-inverted": weights_of(scores.masked_fill(mask, -torch.inf)),
        "mask-after-softmax": weights_of(scores).masked_fill(~mask, 0.0),
        "mask-as-zero": weights_of(zeroed),
        "mask-added": weights_of(scores + mask),
    }
    return {name: (table @ value, table) for name, table in tables.items()}


def hidden_row_mistakes(query: Tensor, key: Tensor, value: Tensor, mask: Tensor, empty: int) -> tuple[Tensor, Tensor]:
    """(output, weights) where the query ``empty``, which may see no key, reads all of them in equal parts."""
    _, weights = attend(query, key, value, mask)
    weights[empty] = 1 / weights.shape[-1]
    return weights @ value.double(), weights

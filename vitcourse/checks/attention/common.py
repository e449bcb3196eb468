"""Attention with its common mistakes, of (…, L, d), (…, S, d) and (…, S, v); lesson 02 uses it too."""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe

Inputs, Pair = tuple[Tensor, ...], tuple[Tensor, Tensor]
EPSILONS = (1e-9, 1e-8, 1e-7, torch.finfo(torch.float32).eps, 1e-6, 1e-5, 1e-4, 1e-3)  # as added to a sum


def weights_of(scores: Tensor) -> Tensor:
    """Softmax over the last axis, with zeros for a row of nothing but minus infinity."""
    empty = (scores == -torch.inf).all(dim=-1, keepdim=True)
    return scores.masked_fill(empty, 0.0).softmax(dim=-1).masked_fill(empty, 0.0)


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *, divisor: float | None = None
) -> Pair:
    """Output (…, L, v) and weights (…, L, S); ``divisor`` stands in for the root of the width."""
    scores = query @ key.transpose(-2, -1) / (query.shape[-1] ** 0.5 if divisor is None else divisor)
    weights = weights_of(scores if mask is None else scores.masked_fill(~mask, -torch.inf))
    return weights @ value, weights


def divisors(width: int) -> list[float]:
    """The root of the width, and what float32 makes of it: torch.sqrt(torch.tensor(width)) is no wrong answer."""
    rounded = torch.tensor(float(width))
    return [width**0.5, float(rounded.sqrt()), 1 / float(rounded.rsqrt()), 1 / float(rounded.sqrt().reciprocal())]


def some_visible(probe: Probe, *front: int, keys: int) -> Tensor:
    """A boolean mask, True = visible, with at least two visible keys and one hidden key in each row."""
    order = probe.uniform(*front, keys).argsort(dim=-1)  # a random order of the keys in each row
    return ((order < 2) | (probe.uniform(*front, keys) < 0.5)) & (order < keys - 1)


def draw_inputs(probe: Probe, *front: int, dtype: torch.dtype = torch.float32) -> Inputs:
    """query, key and value: no two sizes are equal, and no width is a square number."""
    queries, keys = probe.sizes(2, 4, 7)
    wide, values = probe.integer(10, 15), probe.integer(8, 9)
    sizes = (queries, wide), (keys, wide), (keys, values)
    return tuple(probe.normal(*front, *size, dtype=dtype) for size in sizes)


def masked(probe: Probe, inputs: Inputs, *front: int) -> Inputs:
    """The same with a mask of shape (L, S), or (``front``, S)."""
    return *inputs, some_visible(probe, *front or (inputs[0].shape[-2],), keys=inputs[1].shape[-2])


def scale_mistakes(query: Tensor, key: Tensor, value: Tensor) -> dict[str, Pair]:
    """What a wrong divisor, a wrong axis or no softmax gives, without a mask."""
    scores, width = query @ key.transpose(-2, -1), query.shape[-1]
    root, (queries, keys) = width**0.5, scores.shape[-2:]
    powers = (scores / root).exp()
    lengths = [n**power for n in (queries, keys, value.shape[-1], width) for power in (0.5, 1.0) if n**power != root]
    tables = {
        "not-scaled": scores.softmax(dim=-1),
        **_tried("half-of-width", [(scores / by).softmax(dim=-1) for by in (width / 2, 2 * width)]),
        **_tried("wrong-divisor", [(scores / by).softmax(dim=-1) for by in (*lengths, 1 / root)]),
        **_tried("wrong-axis", [(scores / by).softmax(dim=-2) for by in (root, 1)]),
        **_tried("no-softmax", [scores / by for by in (root, 1)]),
        "softmax-twice": (scores / root).softmax(dim=-1).softmax(dim=-1),
        "sigmoid": (scores / root).sigmoid(),
        "not-normalised": powers,
        "whole-tensor": powers / powers.sum(),
    }
    return {name: (table @ value, table) for name, table in tables.items()}


def mask_mistakes(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> dict[str, Pair]:
    """What each common mistake with a boolean mask gives."""
    scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
    hidden, shares = scores.masked_fill(~mask, -torch.inf), weights_of(scores) * mask
    tables = {
        "mask-ignored": weights_of(scores),
        "mask-inverted": weights_of(scores.masked_fill(mask, -torch.inf)),
        "mask-after-softmax": shares,
        "mask-as-zero": weights_of(scores * mask),
        "mask-added": weights_of(scores + mask),
        **_tried("mask-too-weak", [weights_of(scores.masked_fill(~mask, low)) for low in (-1, -5, -10, -20)]),
        "nan-everywhere": torch.full_like(scores, torch.nan),
        "hidden-in-part": weights_of(hidden).masked_fill(~mask.all(dim=-1, keepdim=True), 0.0),
        **_tried("adds-epsilon", [shares / (shares.sum(dim=-1, keepdim=True) + e) for e in EPSILONS]),
    }
    return {name: (table @ value, table) for name, table in tables.items()}


def _tried(name: str, tables: list[Tensor]) -> dict[str, Tensor]:
    """Several ways into one misconception, under names in which no size stands: the same on all inputs."""
    return {f"{name}/{place}": table for place, table in enumerate(tables)}

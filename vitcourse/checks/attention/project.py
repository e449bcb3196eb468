"""``attention.project(x, context, w_query, w_key, w_value)``: attention from tokens and the three maps.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2 (the maps of one head) and equation 1.
"""

from itertools import permutations

import torch
from torch import Tensor

from vitcourse.checks.attention.common import Inputs, attend, divisors, scale_mistakes
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved


def right(x: Tensor, context: Tensor, w_query: Tensor, w_key: Tensor, w_value: Tensor) -> Tensor:
    return attend(x @ w_query, context @ w_key, context @ w_value)[0]


def wrong(x: Tensor, context: Tensor, w_query: Tensor, w_key: Tensor, w_value: Tensor) -> dict[str, Tensor]:
    maps = w_query, w_key, w_value
    query, key, value = x @ w_query, context @ w_key, context @ w_value
    _, weights = attend(query, key, value)
    found = {
        "no-value-map": weights @ context,
        "scaled-by-tokens": attend(query, key, value, divisor=x.shape[-1] ** 0.5)[0],
        "scaled-by-tokens/context": attend(query, key, value, divisor=context.shape[-1] ** 0.5)[0],
        **{name: output for name, (output, _) in scale_mistakes(query, key, value).items()},
    }
    if x.shape != context.shape or len({w.shape for w in maps}) > 1 or w_query.shape[0] != w_query.shape[1]:
        return found
    silent = {  # what raises no error where all maps are square and both sequences of one shape
        "context-asks": right(context, x, *maps),
        "context-ignored": right(x, x, *maps),
        "x-ignored": right(context, context, *maps),
        "context-in-part/keys": attend(query, key, x @ w_value)[0],
        "context-in-part/values": attend(query, x @ w_key, value)[0],
        **{
            f"maps-swapped/{place}": right(x, context, *order)
            for place, order in enumerate(permutations(maps))
            if place
        },
        "one-map": attend(query, context @ w_query, context @ w_query)[0],
        "one-map/keys": attend(query, context @ w_query, value)[0],
        "transposed-map": right(x, context, *(w.T for w in maps)),
        "transposed-map/queries, keys": right(x, context, w_query.T, w_key.T, w_value),
        "no-maps": attend(x, context, context)[0],
        "no-maps/values": attend(x, context, value)[0],
    }
    return silent | found


project = Solved("attention.project", right=right, wrong=wrong, parts=("the output",))


@project.on("x asks, the context answers, each through a matrix of its own")
def alike(probe: Probe) -> Inputs:
    """All maps square, both sequences of one shape: no mistake raises an error."""
    length, width = probe.integer(4, 6), probe.integer(10, 15)
    return _drawn(probe, (length, width), (length, width), width, width)


def apart(probe: Probe, *front: int, dtype: torch.dtype = torch.float32) -> Inputs:
    """Six different sizes, and no width of a key is a square number."""
    queries, keys = probe.sizes(2, 4, 6)
    keys_wide, values_wide = probe.integer(10, 15), probe.integer(17, 19)
    x, context = (*front, queries, probe.integer(26, 28)), (*front, keys, probe.integer(7, 8))
    return _drawn(probe, x, context, keys_wide, values_wide, dtype)


def _drawn(
    probe: Probe, x: tuple, context: tuple, keys_wide: int, values_wide: int, dtype: torch.dtype = torch.float32
) -> Inputs:
    sizes = (x[-1], keys_wide), (context[-1], keys_wide), (context[-1], values_wide)
    maps = [1.5 * probe.normal(*size, dtype=dtype) / size[0] ** 0.5 for size in sizes]
    return probe.normal(*x, dtype=dtype), probe.normal(*context, dtype=dtype), *maps


project.on("the context may have another length and another width; scores are divided by the root of d_k")(apart)
project.on("any number of axes may stand in front of the tokens: a batch", otherwise="only-two-axes")(
    lambda probe: apart(probe, 2, 3)
)
project.exact(
    lambda probe: apart(probe, dtype=torch.float64),
    also=lambda x, context, *maps: [
        attend(x @ maps[0], context @ maps[1], context @ maps[2], divisor=by)[0] for by in divisors(maps[0].shape[1])
    ],
)
project.differentiable(apart, to="the tokens and the three matrices", slack=10)

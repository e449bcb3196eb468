"""``attention.causal_mask(n)``: the boolean (n, n) mask of a decoder, True = attend.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.3.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.engine.words import describe


def right(n: int) -> Tensor:
    return torch.ones(n, n, dtype=torch.bool).tril()


def wrong(n: int) -> dict[str, Tensor]:
    ones = torch.ones(n, n, dtype=torch.bool)
    return {
        "inverted": ones.triu(1),
        "upside-down": ones.triu(),
        "excludes-itself": ones.tril(-1),
        "one-too-many": ones.tril(1),
        "hides-nothing": ones,
        "mirrored": ones.tril().flip(0),
        "mirrored/columns": ones.tril().flip(1),
        "mirrored/upper": ones.triu().flip(0),
        "mirrored/upper, columns": ones.triu().flip(1),
        **{f"short-memory/{back}": ones.tril().triu(-back) for back in range(min(5, n - 1))},
    }


causal_mask = Solved("attention.causal_mask", right=right, wrong=wrong, parts=("the mask",))


@causal_mask.property("a boolean tensor, one row for each query, one column for each key")
def _shape(probe: Probe) -> None:
    for n in probe.sizes(2, 4, 12):
        value = probe.call(n)
        if isinstance(value, Tensor) and tuple(value.shape) == (n, n) and value.dtype != torch.bool:
            added = value.is_floating_point() and bool((value < 0).any())
            raise Wrong("additive-mask" if added else "not-boolean", f"The result is {describe(value)}.")
        probe.tensor(value, (n, n), torch.bool)


causal_mask.on("each query sees its own token and all before it, and no later one")(
    lambda probe: (probe.integer(6, 12),), lambda probe: (probe.integer(13, 30),)
)
causal_mask.on("it works for a single token", otherwise="one-token", only=["one-token"])(lambda _probe: (1,))

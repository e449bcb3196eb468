"""``attention.causal_mask(n)``: the boolean (n, n) mask of a decoder, True = attend.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.3.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe

causal_mask = Check("attention.causal_mask")


def _suspects(n: int) -> dict[str, Tensor]:
    ones = torch.ones(n, n, dtype=torch.bool)
    return {
        "inverted": ones.triu(1),
        "upside-down": ones.triu(),
        "excludes-itself": ones.tril(-1),
        "one-too-many": ones.tril(1),
        "hides-nothing": ones,
        "upside-down/both": ones.triu(-1) & ~ones.tril(),
    }


def _call(probe: Probe, n: int, on_error: str | None = None) -> Tensor:
    """The learner's mask for n tokens, as a boolean (n, n) tensor."""
    value = probe.call(n, on_error=on_error)
    if isinstance(value, Tensor) and tuple(value.shape) == (n, n) and value.dtype != torch.bool:
        infinite = value.is_floating_point() and bool((value == -torch.inf).any())
        raise Wrong("additive-mask" if infinite else "not-boolean", f"The result is {describe(value)}.")
    return probe.tensor(value, (n, n), torch.bool)


@causal_mask.property("a boolean tensor, one row for each query, one column for each key")
def _shape(probe: Probe) -> None:
    for n in probe.sizes(2, 4, 12):
        _call(probe, n)


@causal_mask.property("each query sees its own token")
def _itself(probe: Probe) -> None:
    n = probe.integer(4, 12)
    value, right = _call(probe, n), torch.ones(n, n, dtype=torch.bool).tril()
    if not bool(value.diagonal().all()):
        probe.equal(value, right, _suspects(n), "excludes-itself", "the mask")


@causal_mask.property("no query sees a later token")
def _future(probe: Probe) -> None:
    n = probe.integer(4, 12)
    value, right = _call(probe, n), torch.ones(n, n, dtype=torch.bool).tril()
    if bool((value & ~right).any()):
        probe.equal(value, right, _suspects(n), name="the mask")


@causal_mask.property("each query sees all earlier tokens")
def _past(probe: Probe) -> None:
    n = probe.integer(6, 30)
    value, right = _call(probe, n), torch.ones(n, n, dtype=torch.bool).tril()
    probe.equal(value, right, otherwise="short-memory", name="the mask")


@causal_mask.property("it works for a single token")
def _single(probe: Probe) -> None:
    value = probe.tensor(probe.call(1, on_error="one-token"), (1, 1), torch.bool, shapes={"one-token": ()})
    probe.require(bool(value.all()), "one-token")

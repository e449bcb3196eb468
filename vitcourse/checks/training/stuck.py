"""``training.stuck(before, gradients, after)``: which weights do not learn, and why, from one step of a training.

Three dicts by the names of the weights: their values before the step, their gradients (None where there is none), and
their values after it. The result names each weight that does not learn, with one of `REASONS`; those that learn are
left out.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.words import describe

Weights, Found = dict[str, Tensor], dict[str, str]
REASONS = ("no gradient", "zero gradient", "not finite", "not moved")
NAMES = ("patch_embed.weight", "patch_embed.bias", "pos_embed", "attn.weight", "attn.bias", "mlp.weight", "mlp.bias")
NAMES += ("cls_token", "norm.weight", "norm.bias", "head.weight", "head.bias")
# Stuck for each of the reasons, learning, and easily taken for another kind.
KINDS = ("none", "zero", "decayed", "partly zero", "cancels", "tiny", "nan", "all nan", "infinite", "not moved")
KINDS += ("learns", "rearranged")
stuck = Check("training.stuck")


def _rule(
    *,
    none: str = "no gradient",
    zero: Callable[[Tensor], bool] = lambda gradient: bool((gradient == 0).all()),
    finite: Callable[[Tensor], bool] = lambda gradient: bool(gradient.isfinite().all()),
    moved: Callable[[Tensor, Tensor], bool] = lambda old, new: not torch.equal(old, new),
    zero_may_move: bool = True,
    moves_first: bool = False,
    rests_first: bool = False,
    learns: str | None = None,
) -> Callable[[Weights, dict[str, Tensor | None], Weights], Found]:
    """The right rule, or one with a part replaced.

    Args:
        none: the reason where there is no gradient.
        zero_may_move: whether a gradient of 0 counts where the weight moves all the same, as with weight decay.
        moves_first: whether a weight that moves is taken to learn, whatever its gradient.
        rests_first: whether a weight that does not move is called so, whatever its gradient.
        learns: what is said of weights that learn; None leaves them out.
    """

    def reason(old: Tensor, gradient: Tensor | None, new: Tensor) -> str | None:
        if moves_first and moved(old, new):
            return learns
        if rests_first and not moved(old, new):
            return "not moved"
        if gradient is None:
            return none
        if not finite(gradient):
            return "not finite"
        if zero(gradient) and (zero_may_move or not moved(old, new)):
            return "zero gradient"
        return learns if moved(old, new) else "not moved"

    def rule(before: Weights, gradients: dict[str, Tensor | None], after: Weights) -> Found:
        found = {name: reason(before[name], gradients[name], after[name]) for name in before}
        return {name: why for name, why in found.items() if why is not None}

    return rule


right = _rule()
SUSPECTS = {
    "none-is-zero": _rule(none="zero gradient"),
    "moved-is-learning": _rule(zero_may_move=False),
    "moved-is-learning/first": _rule(moves_first=True),
    "rest-asked-first": _rule(rests_first=True),
    "steps-not-compared": _rule(moved=lambda *_: True),
    "step-by-length": _rule(moved=lambda old, new: bool(old.norm() != new.norm())),
    "step-by-length/sum": _rule(moved=lambda old, new: bool(old.sum() != new.sum())),
    "one-zero-is-enough": _rule(zero=lambda gradient: bool((gradient == 0).any())),
    "sum-is-zero": _rule(zero=lambda gradient: bool(gradient.sum() == 0)),
    "small-is-zero": _rule(zero=lambda gradient: bool((gradient.abs() < 1e-6).all())),
    "small-is-zero/step": _rule(moved=lambda old, new: not torch.allclose(old, new)),
    "small-is-zero/both": _rule(
        zero=lambda gradient: bool((gradient.abs() < 1e-6).all()), moved=lambda old, new: not torch.allclose(old, new)
    ),
    "all-must-move": _rule(moved=lambda old, new: bool((old != new).all())),
    "finite-not-checked": _rule(finite=lambda _: True),
    "nan-only": _rule(finite=lambda gradient: not bool(gradient.isnan().any())),
    "infinite-only": _rule(finite=lambda gradient: not bool(gradient.isinf().any())),
    "all-not-finite": _rule(finite=lambda gradient: bool(gradient.isfinite().any())),
    "lists-all": _rule(learns="learns"),
}


def draw(probe: Probe) -> tuple[Weights, dict[str, Tensor | None], Weights]:
    """A step of weights, one of each kind."""
    rate, order = 1e-2, torch.randperm(len(NAMES), generator=probe.generator).tolist()
    kinds = dict(zip((NAMES[place] for place in order), KINDS, strict=True))
    before, gradients, after = {}, {}, {}
    for name in NAMES:
        weight = 1 + probe.uniform(*probe.sizes(2, 2, 5))  # nowhere near 0
        gradient = 1 + probe.uniform(*weight.shape)
        kind = kinds[name]
        if kind in ("zero", "decayed"):
            gradient = torch.zeros_like(gradient)
        elif kind == "partly zero":
            gradient[0] = 0
        elif kind == "cancels":
            gradient = (8 * gradient).round() / 8  # so that the sum is exact
            gradient = torch.cat([gradient, -gradient])
            weight = torch.cat([weight, weight])
        elif kind == "rearranged":
            weight = 1 + torch.arange(weight.numel()).view_as(weight) / 8  # so that sum and length are exact
        elif kind == "tiny":
            gradient *= 1e-9
        elif kind == "all nan":
            gradient[:] = torch.nan
        elif kind in ("nan", "infinite"):
            gradient[0, 0] = torch.nan if kind == "nan" else torch.inf
        step = 1e-6 * weight if kind == "tiny" else rate * gradient.nan_to_num(0.0, 0.0, 0.0)
        step = rate * weight if kind == "decayed" else step
        step = weight - weight.flip(0, 1) if kind == "rearranged" else step
        before[name], gradients[name] = weight, None if kind == "none" else gradient
        after[name] = weight.clone() if kind in ("none", "zero", "not moved") else weight - step
    return before, gradients, after


def _judge(probe: Probe) -> None:
    given = draw(probe)
    found, wanted = probe.call(*given), right(*given)
    if not isinstance(found, dict) or not all(isinstance(why, str) for why in found.values()):
        raise Wrong("wrong-type", f"Expected a dict of texts, got {describe(found)}.")
    if found == wanted:
        return
    unknown = sorted(set(found) - set(given[0]))
    name = unknown[0] if unknown else next(name for name in given[0] if found.get(name) != wanted.get(name))
    detail = f"You say of `{name}`: {found.get(name, 'it learns')!r}; it should be {wanted.get(name, 'it learns')!r}."
    for suspect, rule in SUSPECTS.items():
        probe.require(found != rule(*given), suspect.partition("/")[0], detail)
    strange = next((why for why in found.values() if why not in REASONS), None)
    probe.require(strange is None, "another-word", f"You say {strange!r}.")
    raise Wrong("wrong-values", detail)


stuck.property("each weight that does not learn, with the reason, and no other")(_judge)

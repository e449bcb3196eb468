"""``multi_head.aim(key, targets)``: a query for each head, so that each reads the token that it is given.

The keys of a head have length 1 and stand far apart (the same small dot product between any two), so a long query along
the key of a token reads that token. The keys of one head mislead the others.
"""

from itertools import permutations

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.words import apart

SHARE = 0.9  # of a head's attention, that its token must get
aim = Check("multi_head.aim")


def _draw(probe: Probe, heads: int) -> tuple[Tensor, list[int]]:
    """Keys (H, S, d_k) of length 1, and H different tokens."""
    tokens, width = probe.integer(5, 7), probe.integer(9, 12)
    while True:
        axes = torch.linalg.qr(probe.normal(heads, width, tokens + 1)).Q.mT  # in each head, orthogonal rows of length 1
        key = torch.nn.functional.normalize(axes[:, 1:] + 0.5 * axes[:, :1], dim=-1)
        targets = torch.randperm(tokens, generator=probe.generator, device="cpu")[:heads].tolist()
        if not any(_fits_another(key, targets, head) for head in range(heads)):
            return key, targets


def _fits_another(key: Tensor, targets: list[int], head: int) -> bool:
    """Whether a query that this head's keys give reads the right token in another head, by chance."""
    others = [other for other in range(len(targets)) if other != head]
    return any(int((key[other] @ key[head, targets[other]]).argmax()) == targets[other] for other in others)


def _call(probe: Probe, key: Tensor, targets: list[int]) -> tuple[Tensor, Tensor]:
    """The learner's queries, and the weights (H, S) that they lead to."""
    heads, tokens, width = key.shape
    value = probe.call(key, targets)
    shapes = {"weights-not-queries": (heads, tokens), "every-target": (heads, heads, width)}
    query = probe.tensor(value, (heads, width), key.dtype, shapes=shapes)
    probe.require(bool(query.isfinite().all()), "not-finite")
    return query, _weights(query, key)


def _weights(query: Tensor, key: Tensor) -> Tensor:
    scores = torch.einsum("hd,hsd->hs", query.double(), key.double()) / key.shape[-1] ** 0.5
    return scores.softmax(dim=-1)


def _explain(query: Tensor, key: Tensor, weights: Tensor, targets: list[int]) -> str:
    """The misconception behind heads that read other tokens than theirs."""
    heads = len(targets)
    own = key[range(heads), targets]
    if bool((_cosine(query, own) < -0.8).all()):
        return "points-away"
    if any(bool((_cosine(query, key[head, targets]) > 0.99).all()) for head in range(heads)):
        return "keys-of-one-head"
    for order in list(permutations(range(heads)))[1:]:
        swapped = [targets[head] for head in order]
        if bool((_cosine(query[list(order)], own) > 0.8).all()) or weights.argmax(dim=-1).tolist() == swapped:
            return "heads-swapped"
    return "wrong-token"


def _cosine(query: Tensor, key: Tensor) -> Tensor:
    return torch.nn.functional.cosine_similarity(query, key, dim=-1)


def _judge(probe: Probe, key: Tensor, targets: list[int]) -> Tensor:
    """The weight that each head puts on its token, where every head reads its token most."""
    query, weights = _call(probe, key, targets)
    read = weights.argmax(dim=-1).tolist()
    detail = f"The heads should read the tokens {list(targets)}, and read {read} most."
    if len(targets) > 1:
        probe.require(not torch.allclose(query, query[:1].expand_as(query)), "one-query-for-all", detail)
        on_targets = weights[:, targets]
        level = on_targets.amin(dim=-1) > 0.9 * on_targets.amax(dim=-1)
        # Level because nothing stands out is too soft; level because a sum of keys was taken stands out from the rest.
        stands_out = on_targets.sum(dim=-1) > 1.5 * len(targets) / key.shape[1]
        probe.require(not bool((level & stands_out).all()), "blends", detail)
    if read != list(targets):
        raise Wrong(_explain(query, key, weights, targets), detail)
    return weights[range(len(targets)), targets]


@aim.property("there is one query for each head, as wide as its keys")
def _shape(probe: Probe) -> None:
    _call(probe, *_draw(probe, heads=2))


@aim.property("each of two heads reads its own token most")
def _two(probe: Probe) -> None:
    _judge(probe, *_draw(probe, heads=2))


@aim.property(f"it reads it with a weight of at least {SHARE}")
def _sharp(probe: Probe) -> None:
    share = _judge(probe, *_draw(probe, heads=2)).min().item()
    probe.require(share >= SHARE, "too-soft", f"On one of the inputs tried {_below(share)}.")


@aim.property("three heads, or a single one, work as well")
def _other_numbers(probe: Probe) -> None:
    for heads in (3, 1):
        share = _judge(probe, *_draw(probe, heads)).min().item()
        probe.require(share >= SHARE, "too-soft", f"With {heads} heads {_below(share)}.")


def _below(share: float) -> str:
    found, least = apart(share, SHARE, digits=2)
    return f"the weight is {found}, which is below {least}"

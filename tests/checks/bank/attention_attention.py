"""Answers to ``attention.attention``."""

import math

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("attention.attention")


@BANK.right
def harmless_scores_before_and_zeros_after(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        empty = ~mask.any(dim=-1, keepdim=True)
        weights = scores.masked_fill(~mask & ~empty, -math.inf).softmax(dim=-1).masked_fill(empty, 0.0)
    return weights @ value, weights


@BANK.right
def by_hand(query, key, value, mask=None):
    scores = torch.einsum("...ld,...sd->...ls", query, key) * key.shape[-1] ** -0.5
    powers = (scores - scores.detach().amax(dim=-1, keepdim=True)).exp()
    if mask is not None:
        powers = powers * mask
    total = powers.sum(dim=-1, keepdim=True)
    weights = powers / torch.where(total == 0, torch.ones_like(total), total)
    return [torch.einsum("...ls,...sv->...lv", weights, value), weights]


def variant(
    divisor=lambda query, key, value: math.sqrt(query.shape[-1]),
    hide=lambda scores, mask: scores.masked_fill(~mask, -math.inf),
    softmax=lambda scores: scores.softmax(dim=-1),
    after=lambda weights, mask: weights.masked_fill(~mask.any(dim=-1, keepdim=True), 0.0),
    result=lambda weights, scores, value: (weights @ value, weights),
):
    """An attention of which one step can be replaced; as it stands, it is right."""

    def attention(query, key, value, mask=None):
        scores = query @ key.mT / divisor(query, key, value)
        if mask is not None:
            scores = hide(scores, mask)
        weights = softmax(scores)
        if mask is not None:
            weights = after(weights, mask)
        return result(weights, scores, value)

    return attention


def unchanged(first, _mask):
    return first


def with_bias(scores, mask):
    return scores + torch.zeros(mask.shape, dtype=scores.dtype).masked_fill(~mask, -math.inf)


def shared_out(epsilon):
    return lambda weights, mask: weights * mask / ((weights * mask).sum(dim=-1, keepdim=True) + epsilon)


BANK.right(variant())  # masked_fill stops the gradient of the empty row before its nan gets anywhere
BANK.right(variant(divisor=lambda query, key, value: torch.sqrt(torch.tensor(query.shape[-1]))))
BANK.wrong("nan-gradient")(variant(hide=with_bias))
BANK.wrong("nan-gradient")(variant(hide=with_bias, after=lambda weights, mask: weights.nan_to_num(0.0)))
BANK.wrong("no-weights")(variant(result=lambda weights, scores, value: weights @ value))
BANK.wrong("swapped")(variant(result=lambda weights, scores, value: (weights, weights @ value)))
BANK.wrong("not-scaled")(variant(divisor=lambda *inputs: 1.0))
BANK.wrong("wrong-divisor")(variant(divisor=lambda query, key, value: query.shape[-1]))
BANK.wrong("wrong-divisor")(variant(divisor=lambda query, key, value: math.sqrt(value.shape[-1])))
BANK.wrong("wrong-divisor")(variant(divisor=lambda query, key, value: math.sqrt(key.shape[-2])))
BANK.wrong("half-of-width")(variant(divisor=lambda query, key, value: query.shape[-1] ** 1 / 2))
BANK.wrong("half-of-width")(variant(divisor=lambda query, key, value: query.shape[-1] * 2))
BANK.wrong("wrong-axis")(variant(softmax=lambda scores: scores.softmax(dim=-2)))
BANK.wrong("no-softmax")(variant(softmax=lambda scores: scores))
BANK.wrong("softmax-twice")(variant(softmax=lambda scores: scores.softmax(dim=-1).softmax(dim=-1)))
BANK.wrong("sigmoid")(variant(softmax=torch.sigmoid))
BANK.wrong("not-normalised")(variant(softmax=torch.exp))
BANK.wrong("whole-tensor")(variant(softmax=lambda scores: scores.exp() / scores.exp().sum()))
BANK.wrong("scores-times-values")(variant(result=lambda weights, scores, value: (scores @ value, weights)))
BANK.wrong("only-two-axes")(variant(softmax=lambda scores: scores.softmax(dim=1)))
BANK.wrong("mask-ignored")(variant(hide=unchanged))
BANK.wrong("mask-inverted")(variant(hide=lambda scores, mask: scores.masked_fill(mask, -math.inf)))
BANK.wrong("mask-after-softmax")(variant(hide=unchanged, after=lambda weights, mask: weights * mask))
BANK.wrong("mask-as-zero")(variant(hide=lambda scores, mask: scores * mask))
BANK.wrong("mask-as-zero")(variant(hide=lambda scores, mask: scores.masked_fill(~mask, 0.0)))
BANK.wrong("mask-added")(variant(hide=lambda scores, mask: scores + mask))
BANK.wrong("mask-too-weak")(variant(hide=lambda scores, mask: scores.masked_fill(~mask, -10.0)))
BANK.wrong("nan-everywhere")(variant(hide=lambda scores, mask: scores.masked_fill(~mask, math.inf)))
BANK.wrong("nan-everywhere")(variant(hide=lambda scores, mask: scores + -math.inf * ~mask))
BANK.wrong("hidden-in-part")(variant(after=lambda weights, mask: weights * mask.all(dim=-1, keepdim=True)))
BANK.wrong("adds-epsilon")(variant(hide=unchanged, after=shared_out(1e-9)))
BANK.wrong("adds-epsilon")(variant(hide=unchanged, after=shared_out(1e-3)))
BANK.wrong("nan-row")(variant(hide=unchanged, after=shared_out(0)))
BANK.wrong("nan-row")(variant(after=unchanged))
BANK.wrong("uniform-row")(variant(hide=lambda scores, mask: scores.masked_fill(~mask, -1e9), after=unchanged))
BANK.wrong("wrong-values")(variant(result=lambda weights, scores, value: (2 * weights @ value, weights)))
BANK.wrong("wrong-type")(variant(result=lambda weights, scores, value: {"output": weights @ value, "weights": weights}))
BANK.wrong("wrong-type")(variant(result=lambda weights, scores, value: (weights @ value, None)))
BANK.wrong("wrong-shape")(variant(result=lambda weights, scores, value: (weights @ value, weights.mean(dim=-2))))
BANK.wrong("cuts-gradient")(variant(result=lambda weights, scores, value: (weights @ value.detach(), weights)))


@BANK.wrong("only-two-axes")
def einsum_without_dots(query, key, value, mask=None):
    scores = torch.einsum("ld,sd->ls", query, key) / math.sqrt(query.shape[-1])
    weights = scores.softmax(dim=-1)
    return weights @ value, weights


@BANK.wrong("mask-not-broadcast")
def indexes_with_the_mask(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if mask is not None:
        scores[~mask] = -math.inf
    weights = scores.softmax(dim=-1)
    return weights @ value, weights


@BANK.wrong("mask-not-broadcast")
def asks_for_the_same_shape(query, key, value, mask=None):
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if mask is not None:
        if mask.shape != scores.shape:
            raise ValueError("mask and scores differ in shape")
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(dim=-1)
    return weights @ value, weights


@BANK.wrong("changes-inputs")
def turns_the_mask_round(query, key, value, mask=None):
    if mask is not None:
        mask.logical_not_()
    return harmless_scores_before_and_zeros_after(query, key, value, None if mask is None else ~mask)


@BANK.wrong("wrong-dtype")
def always_float32(query, key, value, mask=None):
    return harmless_scores_before_and_zeros_after(query.float(), key.float(), value.float(), mask)


@BANK.wrong("lost-precision")
def through_float32(query, key, value, mask=None):
    return tuple(part.to(query.dtype) for part in always_float32(query, key, value, mask))

"""Answers to ``attention.repair``; the first is what the notebook hands out."""

import math

import torch

from tests.checks.bank.attention_attention import shared_out, unchanged, with_bias
from tests.checks.bank.attention_attention import variant as both_variant
from tests.checks.bank.entries import Bank

BANK = Bank("attention.repair")


@BANK.wrong("scale-from-length")
def handed_out(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(key.shape[-2])
    weights = scores.softmax(dim=-1)
    if mask is not None:
        weights = weights * mask
    return weights @ value


@BANK.right
def hidden_before(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(key.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1) @ value


@BANK.right
def shared_out_again(query, key, value, mask=None):
    weights = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(dim=-1)
    if mask is not None:
        weights = weights * mask
        weights = weights / weights.sum(dim=-1, keepdim=True)
    return weights @ value


@BANK.right
def added(query, key, value, mask=None):
    scores = torch.einsum("...id,...jd->...ij", query, key) * query.shape[-1] ** -0.5
    if mask is not None:
        scores = scores + torch.zeros(mask.shape, dtype=scores.dtype).masked_fill(mask.logical_not(), -math.inf)
    return torch.softmax(scores, -1) @ value


def variant(**steps):
    return both_variant(**{"after": unchanged, "result": lambda weights, scores, value: weights @ value} | steps)


BANK.wrong("returns-a-pair")(variant(result=lambda weights, scores, value: (weights @ value, weights)))
BANK.wrong("breaks-what-worked")(variant(result=lambda weights, scores, value: weights.mT @ value))
BANK.wrong("breaks-what-worked")(variant(divisor=lambda query, key, value: query.shape[-1]))
BANK.wrong("not-scaled")(variant(divisor=lambda *inputs: 1.0))
BANK.wrong("half-of-width")(variant(divisor=lambda query, key, value: query.shape[-1] ** 1 / 2))
BANK.wrong("wrong-axis")(variant(softmax=lambda scores: scores.softmax(dim=-2)))
BANK.wrong("scale-from-length")(variant(divisor=lambda query, key, value: math.sqrt(len(query))))
BANK.wrong("scale-from-value")(variant(divisor=lambda query, key, value: math.sqrt(value.shape[-1])))
BANK.wrong("mask-after-softmax")(variant(hide=unchanged, after=lambda weights, mask: weights * mask))
BANK.wrong("mask-ignored")(variant(hide=unchanged))
BANK.wrong("mask-inverted")(variant(hide=lambda scores, mask: scores.masked_fill(mask, -math.inf)))
BANK.wrong("mask-as-zero")(variant(hide=lambda scores, mask: scores * mask))
BANK.wrong("mask-added")(variant(hide=lambda scores, mask: scores + mask))
BANK.wrong("mask-too-weak")(variant(hide=lambda scores, mask: scores.masked_fill(~mask, -1.0)))
BANK.wrong("nan-everywhere")(variant(hide=lambda scores, mask: scores + -math.inf * ~mask))
BANK.wrong("hidden-in-part")(variant(after=lambda weights, mask: weights * mask.all(dim=-1, keepdim=True)))
BANK.wrong("adds-epsilon")(variant(hide=unchanged, after=shared_out(1e-8)))
BANK.wrong("only-two-axes")(variant(softmax=lambda scores: scores.softmax(dim=1)))
BANK.wrong("only-two-axes")(variant(hide=lambda scores, mask: with_bias(scores, mask.view(scores.shape[-2:]))))
BANK.wrong("wrong-values")(variant(divisor=lambda query, key, value: math.sqrt(0.9 * query.shape[-1] + 0.1 * len(key))))
BANK.wrong("lost-precision")(lambda q, k, v, mask=None: hidden_before(q.float(), k.float(), v.float(), mask).to(q))
BANK.wrong("wrong-dtype")(lambda q, k, v, mask=None: hidden_before(q.float(), k.float(), v.float(), mask))
BANK.wrong("wrong-shape")(variant(result=lambda weights, scores, value: (weights @ value).flatten()))


@BANK.wrong("changes-inputs")
def scales_the_query_in_place(query, key, value, mask=None):
    query.mul_(key.shape[-1] ** -0.5)
    return (query @ key.mT).softmax(dim=-1) @ value

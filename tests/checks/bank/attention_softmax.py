"""Answers to ``attention.softmax``."""

import math

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("attention.softmax")


@BANK.right
def harmless_scores_before_and_zeros_after(scores):
    empty = (scores == -math.inf).all(dim=-1, keepdim=True)
    return torch.softmax(scores.masked_fill(empty, 0.0), dim=-1).masked_fill(empty, 0.0)


@BANK.right
def by_hand(scores):
    largest = scores.detach().amax(dim=-1, keepdim=True)
    powers = torch.exp(scores - torch.where(largest.isinf(), torch.zeros_like(largest), largest))
    total = powers.sum(dim=-1, keepdim=True)
    return powers / torch.where(total == 0, torch.ones_like(total), total)


def _powers(scores):
    """Exponentials after a harmless subtraction, and which rows are empty."""
    largest = scores.amax(dim=-1, keepdim=True)
    empty = largest == -math.inf
    return (scores - largest.masked_fill(empty, 0.0)).exp(), empty


@BANK.right
def log_sum_exp(scores):
    empty = (scores == -math.inf).all(dim=-1)
    weights = torch.zeros_like(scores)
    weights[~empty] = (scores[~empty] - scores[~empty].logsumexp(dim=-1, keepdim=True)).exp()
    return weights


BANK.wrong("log-weights")(lambda scores: scores.log_softmax(dim=-1))
BANK.wrong("no-exponential")(lambda scores: scores / scores.sum(dim=-1, keepdim=True))
BANK.wrong("no-exponential")(lambda scores: scores.abs() / scores.abs().sum(dim=-1, keepdim=True))
BANK.wrong("wrong-axis")(lambda scores: scores.softmax(dim=-2))
BANK.wrong("wrong-axis")(lambda scores: scores.softmax(dim=0))
BANK.wrong("whole-tensor")(lambda scores: scores.exp() / scores.exp().sum())
BANK.wrong("whole-tensor")(lambda scores: scores.flatten().softmax(dim=0).view_as(scores))
BANK.wrong("not-normalised")(lambda scores: scores.exp())
BANK.wrong("not-normalised")(lambda scores: (scores - scores.amax(dim=-1, keepdim=True)).exp())
BANK.wrong("sigmoid")(torch.sigmoid)
BANK.wrong("hard-maximum")(lambda scores: torch.eye(scores.shape[-1], dtype=scores.dtype)[scores.argmax(dim=-1)])
BANK.wrong("wrong-base")(lambda scores: 2**scores / (2**scores).sum(dim=-1, keepdim=True))
BANK.wrong("wrong-sign")(lambda scores: (-scores).softmax(dim=-1))
BANK.wrong("drops-axis")(lambda scores: scores.exp() / scores.exp().sum(dim=-1))
BANK.wrong("drops-axis")(lambda scores: _powers(scores)[0] / _powers(scores)[0].sum(dim=-1))
BANK.wrong("drops-axis")(lambda scores: (scores - scores.amax(dim=-1)).softmax(dim=-1))
BANK.wrong("hidden-in-part")(lambda scores: scores.softmax(dim=-1) * (scores > -math.inf).all(dim=-1, keepdim=True))
BANK.wrong("scaled-again")(lambda scores: (scores / math.sqrt(scores.shape[-1])).softmax(dim=-1))
BANK.wrong("only-two-axes")(lambda scores: scores.softmax(dim=1))
BANK.wrong("only-two-axes")(lambda scores: scores.exp() / scores.exp().sum(dim=1, keepdim=True))
BANK.wrong("only-two-axes")(lambda scores: scores.exp() / scores.exp().sum(dim=-1)[:, None])
BANK.wrong("overflow")(lambda scores: scores.exp() / scores.exp().sum(dim=-1, keepdim=True))
BANK.wrong("overflow")(lambda scores: (scores.exp() / scores.exp().sum(dim=-1, keepdim=True)).nan_to_num(0.0))
BANK.wrong("overflow")(lambda scores: (scores.double().exp() / scores.double().exp().sum(-1, True)).to(scores.dtype))
BANK.wrong("clamped")(lambda scores: scores.clamp(max=80).softmax(dim=-1))
BANK.wrong("nan-row")(lambda scores: scores.softmax(dim=-1))
BANK.wrong("uniform-row")(lambda scores: scores.clamp(min=-1e9).softmax(dim=-1))
BANK.wrong("uniform-row")(lambda scores: scores.masked_fill(scores.isinf(), -1e9).softmax(dim=-1))
BANK.wrong("uniform-row")(lambda scores: scores.nan_to_num(neginf=torch.finfo(scores.dtype).min).softmax(dim=-1))
BANK.wrong("nan-gradient")(lambda scores: scores.softmax(dim=-1).nan_to_num(0.0))
BANK.wrong("changes-inputs")(lambda scores: scores.sub_(scores.amax(dim=-1, keepdim=True)).softmax(dim=-1))


@BANK.wrong("wrong-maximum")
def one_maximum_for_all(scores):
    powers = (scores - scores.max()).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


@BANK.wrong("wrong-maximum")
def one_maximum_for_all_and_no_nan(scores):
    return one_maximum_for_all(scores).nan_to_num(0.0)


@BANK.wrong("wrong-maximum")
def maximum_of_the_column(scores):
    powers = (scores - scores.amax(dim=-2, keepdim=True)).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


@BANK.wrong("hidden-score")
def mean_subtracted(scores):
    powers = (scores - scores.mean(dim=-1, keepdim=True)).exp()
    return powers / powers.sum(dim=-1, keepdim=True)


@BANK.wrong("hidden-score")
def hidden_becomes_one(scores):
    return scores.nan_to_num(neginf=0.0).softmax(dim=-1)


@BANK.wrong("nan-gradient")
def replaced_afterwards(scores):
    empty = (scores == -math.inf).all(dim=-1, keepdim=True)
    return torch.where(empty, 0.0, scores.softmax(dim=-1))


@BANK.wrong("adds-epsilon")
def sum_plus_a_little(scores):
    powers, _ = _powers(scores)
    return powers / (powers.sum(dim=-1, keepdim=True) + 1e-6)


@BANK.wrong("adds-epsilon")
def sum_plus_more(scores):
    powers, _ = _powers(scores)
    return powers / (powers.sum(dim=-1, keepdim=True) + 1e-3)


@BANK.wrong("wrong-dtype")
def always_float32(scores):
    return harmless_scores_before_and_zeros_after(scores.float())


@BANK.wrong("lost-precision")
def through_float32(scores):
    return harmless_scores_before_and_zeros_after(scores.float()).to(scores.dtype)


@BANK.wrong("wrong-shape")
def only_the_visible(scores):
    return harmless_scores_before_and_zeros_after(scores)[..., :-1]


@BANK.wrong("cuts-gradient")
def divides_by_a_constant(scores):
    powers, empty = _powers(scores)
    return powers / (powers.sum(dim=-1, keepdim=True) + empty).detach()

"""Answers to ``block_variants.layer_scale``: (weight, bias) of the one map that is left."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("block_variants.layer_scale")


@BANK.right
def row_by_row(weight, bias, gamma):
    return gamma[:, None] * weight, gamma * bias


@BANK.right
def diagonal(weight, bias, gamma):
    scale = torch.diag(gamma)
    return scale @ weight, scale @ bias


@BANK.right
def by_trying(weight, bias, gamma):
    """What the two give of zero is the bias, and of each unit vector a column."""
    units = torch.eye(weight.shape[1], dtype=weight.dtype)
    zero = torch.nn.functional.linear(torch.zeros_like(units[:1]), weight, bias) * gamma
    return (torch.nn.functional.linear(units, weight, bias) * gamma - zero).T, zero[0]


BANK.wrong("scales-columns")(lambda w, b, g: (w * g, b * g))
BANK.wrong("scales-columns")(lambda w, b, g: (w @ torch.diag(g), b))
BANK.wrong("bias-left")(lambda w, b, g: (g[:, None] * w, b))
BANK.wrong("weight-left")(lambda w, b, g: (w, g * b))
BANK.wrong("one-number")(lambda w, b, g: (w * g.mean(), b * g.mean()))
BANK.wrong("one-number")(lambda w, b, g: (w * g[0], b * g[0]))
BANK.wrong("divides")(lambda w, b, g: (w / g[:, None], b / g))
BANK.wrong("scales-twice")(lambda w, b, g: (g[:, None] * w * g[:, None], b * g * g))
BANK.wrong("scales-twice")(lambda w, b, g: (g[:, None] * w, b * g * g))
BANK.wrong("residual-inside")(lambda w, b, g: (g[:, None] * w + torch.eye(*w.shape), g * b))
BANK.wrong("residual-inside")(lambda w, b, g: (w + g[:, None] * w, b + g * b))
BANK.wrong("gamma-in-bias")(lambda w, b, g: (g[:, None] * w, b + g))
BANK.wrong("swapped")(lambda w, b, g: row_by_row(w, b, g)[::-1])
BANK.wrong("wrong-type")(lambda w, b, g: g[:, None] * w)
BANK.wrong("wrong-values")(lambda w, b, g: (g[:, None] * w, b - g))
BANK.wrong("cuts-gradient")(lambda w, b, g: row_by_row(w, b, g.detach()))
BANK.wrong("lost-precision")(lambda w, b, g: tuple(x.to(w.dtype) for x in row_by_row(w.float(), b.float(), g.float())))


@BANK.wrong("changes-inputs")
def in_place(weight, bias, gamma):
    weight *= gamma[:, None]
    bias *= gamma
    return weight, bias

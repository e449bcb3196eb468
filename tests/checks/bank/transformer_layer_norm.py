"""Answers to ``transformer.layer_norm``."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("transformer.layer_norm")


@BANK.right
def written_out(x, weight, bias, eps):
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.pow(2).mean(dim=-1, keepdim=True)
    return centred / torch.sqrt(variance + eps) * weight + bias


@BANK.right
def with_var(x, weight, bias, eps):
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
    return weight * (x - mean) * torch.rsqrt(variance + eps) + bias


@BANK.right
def with_sums(x, weight, bias, eps):
    width = x.shape[-1]
    mean = x.sum(dim=-1).unsqueeze(-1) / width
    squares = ((x - mean) ** 2).sum(dim=-1).unsqueeze(-1)
    return torch.addcmul(bias, weight.expand_as(x), (x - mean) / (squares / width + eps) ** 0.5)


def variant(
    mean=lambda x: x.mean(dim=-1, keepdim=True),
    divide=lambda centred, eps: centred / (centred.square().mean(dim=-1, keepdim=True) + eps).sqrt(),
    affine=lambda normed, weight, bias: normed * weight + bias,
):
    """A layer norm of which one step can be replaced; as it stands, it is right."""
    return lambda x, weight, bias, eps: affine(divide(x - mean(x), eps), weight, bias)


def over(*axes):
    def normed(x, weight, bias, eps):
        axis = axes or tuple(range(x.ndim))
        mean, variance = x.mean(dim=axis, keepdim=True), x.var(dim=axis, keepdim=True, correction=0)
        return (x - mean) / (variance + eps).sqrt() * weight + bias

    return normed


BANK.right(variant())
BANK.wrong("sample-sigma")(variant(divide=lambda c, eps: c / (c.var(dim=-1, keepdim=True) + eps).sqrt()))
BANK.wrong("sample-sigma")(variant(divide=lambda c, eps: c / (c.std(dim=-1, keepdim=True) + eps)))
BANK.wrong("wrong-axis")(over())
BANK.wrong("wrong-axis")(over(0))
BANK.wrong("not-centred")(variant(mean=lambda x: 0.0))
BANK.wrong("variance-not-root")(variant(divide=lambda c, eps: c / (c.square().mean(dim=-1, keepdim=True) + eps)))
BANK.wrong("not-divided")(variant(divide=lambda c, eps: c))
BANK.wrong("eps-outside")(variant(divide=lambda c, eps: c / (c.square().mean(dim=-1, keepdim=True).sqrt() + eps)))
BANK.wrong("eps-ignored")(variant(divide=lambda c, eps: c / c.square().mean(dim=-1, keepdim=True).sqrt()))
BANK.wrong("eps-ignored")(variant(divide=lambda c, eps: c / (c.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()))
BANK.wrong("eps-ignored")(variant(divide=lambda c, eps: c / (c.square().mean(dim=-1, keepdim=True) + 1e-6).sqrt()))
BANK.wrong("weight-ignored")(variant(affine=lambda normed, weight, bias: normed + bias))
BANK.wrong("weight-ignored")(variant(affine=lambda normed, weight, bias: normed))
BANK.wrong("bias-ignored")(variant(affine=lambda normed, weight, bias: normed * weight))
BANK.wrong("bias-scaled")(variant(affine=lambda normed, weight, bias: (normed + bias) * weight))
BANK.wrong("forbidden-call")(lambda x, weight, bias, eps: F.layer_norm(x, x.shape[-1:], weight, bias, eps))
BANK.wrong("forbidden-call")(lambda x, weight, bias, eps: torch.layer_norm(x, x.shape[-1:], weight, bias, eps))
BANK.wrong("wrong-dtype")(lambda x, weight, bias, eps: variant()(x, weight, bias, eps).float())
BANK.wrong("cuts-gradient")(
    lambda x, weight, bias, eps: variant(mean=lambda x: x.detach().mean(-1, True))(x, weight, bias, eps)
)
BANK.wrong("cuts-gradient")(lambda x, weight, bias, eps: variant()(x.detach(), weight, bias, eps))
BANK.wrong("wrong-values")(lambda x, weight, bias, eps: variant()(x, weight, bias, eps) + 1)


@BANK.wrong("only-two-axes")
def counts_axes_from_the_front(x, weight, bias, eps):
    mean, variance = x.mean(dim=1, keepdim=True), x.var(dim=1, keepdim=True, correction=0)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


@BANK.wrong("changes-inputs")
def centres_in_place(x, weight, bias, eps):
    x -= x.mean(dim=-1, keepdim=True)
    return variant()(x, weight, bias, eps)


BANK.wrong("sum-not-mean")(variant(divide=lambda c, eps: c / (c.square().sum(dim=-1, keepdim=True) + eps).sqrt()))
BANK.wrong("variance-not-root")(variant(divide=lambda c, eps: c / (c.square().mean(-1, keepdim=True) + eps) ** 1 / 2))
BANK.wrong("weight-and-bias-swapped")(variant(affine=lambda normed, weight, bias: normed * bias + weight))
BANK.wrong("not-centred")(
    lambda x, weight, bias, eps: (
        (x - x.mean(-1, keepdim=True)) / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight + bias
    )
)
BANK.wrong("keepdim-forgotten")(variant(mean=lambda x: x.mean(dim=-1)))
BANK.wrong("keepdim-forgotten")(variant(divide=lambda c, eps: c / (c.square().mean(dim=-1) + eps).sqrt()))
BANK.wrong("keepdim-forgotten")(
    lambda x, weight, bias, eps: (x - x.mean(-1)) / (x.var(-1, correction=0) + eps).sqrt() * weight + bias
)
BANK.wrong("wrong-axis")(
    lambda x, weight, bias, eps: (x - x.mean(-1, keepdim=True)) / (x.var(correction=0) + eps).sqrt() * weight + bias
)

"""Answers to ``bert.classify``: logits (B, K)."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("bert.classify")


@BANK.right
def two_products(x, pooler_weight, pooler_bias, weight, bias):
    pooled = (x[:, 0] @ pooler_weight.T + pooler_bias).tanh()
    return pooled @ weight.T + bias


@BANK.right
def functional(x, pooler_weight, pooler_bias, weight, bias):
    return F.linear(torch.tanh(F.linear(x.select(1, 0), pooler_weight, pooler_bias)), weight, bias)


@BANK.right
def all_tokens_first(x, pooler_weight, pooler_bias, weight, bias):
    pooled = torch.einsum("bnd,ed->bne", x, pooler_weight).add(pooler_bias).tanh()
    return torch.einsum("bnd,kd->bnk", pooled, weight)[:, 0] + bias


def head(take=lambda x: x[:, 0], before=lambda x: x, between=torch.tanh, after=lambda x: x, biases=(1, 1), turn=True):
    """The right answer with one part replaced."""

    def answer(x, pooler_weight, pooler_bias, weight, bias):
        inner = pooler_weight.T if turn else pooler_weight
        pooled = between(before(take(x)) @ inner + biases[0] * pooler_bias)
        return after(pooled @ weight.T + biases[1] * bias)

    return answer


BANK.wrong("mean-of-tokens")(head(take=lambda x: x.mean(dim=1)))
BANK.wrong("last-token")(head(take=lambda x: x[:, -1]))
BANK.wrong("first-row")(head(take=lambda x: x[0]))
BANK.wrong("first-row")(head(take=lambda x: x[0, 0]))
BANK.wrong("no-pooler")(lambda x, w1, b1, w2, b2: x[:, 0] @ w2.T + b2)
BANK.wrong("no-pooler")(lambda x, w1, b1, w2, b2: x[:, 0].tanh() @ w2.T + b2)
BANK.wrong("no-tanh")(head(between=lambda x: x))
BANK.wrong("other-activation")(head(between=torch.relu))
BANK.wrong("other-activation")(head(between=F.gelu))
BANK.wrong("other-activation")(head(between=torch.sigmoid))
BANK.wrong("tanh-too-early")(head(before=torch.tanh, between=lambda x: x))
BANK.wrong("tanh-too-late")(head(between=lambda x: x, after=torch.tanh))
BANK.wrong("tanh-too-late")(head(after=torch.tanh))
BANK.wrong("not-transposed")(head(turn=False))
BANK.wrong("no-bias")(head(biases=(0, 1)))
BANK.wrong("no-bias")(head(biases=(1, 0)))
BANK.wrong("no-bias")(head(biases=(0, 0)))
BANK.wrong("softmax-too-early")(head(after=lambda x: x.softmax(dim=-1)))
BANK.wrong("softmax-too-early")(head(after=lambda x: x.log_softmax(dim=-1)))
BANK.wrong("wrong-shape")(head(take=lambda x: x))
BANK.wrong("wrong-shape")(head(take=lambda x: x[:, :1]))
BANK.wrong("wrong-shape")(head(after=lambda x: x.argmax(dim=-1)))
BANK.wrong("wrong-type")(head(after=lambda x: x.tolist()))
BANK.wrong("wrong-values")(head(take=lambda x: x[:, 1]))
BANK.wrong("lost-precision")(lambda *given: two_products(*(part.float() for part in given)).to(given[0].dtype))
BANK.wrong("wrong-dtype")(lambda *given: two_products(*(part.float() for part in given)))
BANK.wrong("cuts-gradient")(head(take=lambda x: x[:, 0].detach()))
BANK.wrong("not-transposed")(lambda x, w1, b1, w2, b2: (x[:, 0] @ w1.T + b1).tanh() @ w2 + b2)
BANK.wrong("not-transposed")(lambda x, w1, b1, w2, b2: (x[:, 0] @ w1 + b1).tanh() @ w2 + b2)
BANK.wrong("raises")(lambda x, *parameters: two_products(x[:, 0], *parameters))


@BANK.wrong("changes-inputs")
def adds_in_place(x, pooler_weight, pooler_bias, weight, bias):
    right = two_products(x, pooler_weight, pooler_bias, weight, bias)
    x[:, 0] += 1.0
    return right


BANK.wrong("no-classifier")(lambda x, w1, b1, w2, b2: (x[:, 0] @ w1.T + b1).tanh())
BANK.wrong("mean-of-tokens")(head(take=lambda x: x[:, 1:].mean(dim=1)))
BANK.wrong("tanh-too-early")(head(before=torch.tanh))
BANK.wrong("softmax-too-early")(head(after=torch.sigmoid))

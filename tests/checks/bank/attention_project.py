"""Answers to ``attention.project``."""

import math

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("attention.project")


@BANK.right
def three_products_and_four_steps(x, context, w_query, w_key, w_value):
    query, key, value = x @ w_query, context @ w_key, context @ w_value
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    return scores.softmax(dim=-1) @ value


@BANK.right
def the_maps_of_queries_and_keys_first(x, context, w_query, w_key, w_value):
    both = w_query @ w_key.T / w_key.shape[1] ** 0.5
    weights = torch.softmax(torch.einsum("...la,ab,...sb->...ls", x, both, context), dim=-1)
    return weights @ context @ w_value


@BANK.right
def with_linear(x, context, w_query, w_key, w_value):
    query, key, value = F.linear(x, w_query.T), F.linear(context, w_key.T), F.linear(context, w_value.T)
    powers = (query @ key.mT * w_query.shape[1] ** -0.5).exp()
    return powers @ value / powers.sum(dim=-1, keepdim=True)


def variant(
    asks=lambda x, context: x,
    keys=lambda x, context: context,
    values=lambda x, context: context,
    maps=lambda *maps: maps,
    divisor=lambda query, x: math.sqrt(query.shape[-1]),
    softmax=lambda scores: scores.softmax(dim=-1),
):
    """The first answer with one thing changed."""

    def answer(x, context, *given):
        w_query, w_key, w_value = maps(*given)
        query, key, value = asks(x, context) @ w_query, keys(x, context) @ w_key, values(x, context) @ w_value
        return softmax(query @ key.mT / divisor(query, x)) @ value

    return answer


def first(x, _context):
    return x


def second(_x, context):
    return context


def in_turn(*order):
    return variant(maps=lambda *maps: [maps[place] for place in order])


BANK.right(variant())
BANK.wrong("context-asks")(variant(asks=second, keys=first, values=first))
BANK.wrong("context-ignored")(variant(keys=first, values=first))
BANK.wrong("context-ignored")(lambda x, context, *maps: three_products_and_four_steps(x, x, *maps))
BANK.wrong("x-ignored")(variant(asks=second))
BANK.wrong("context-in-part")(variant(keys=first))
BANK.wrong("context-in-part")(variant(values=first))
BANK.wrong("maps-swapped")(in_turn(1, 0, 2))
BANK.wrong("maps-swapped")(in_turn(0, 2, 1))
BANK.wrong("maps-swapped")(in_turn(1, 2, 0))
BANK.wrong("one-map")(in_turn(0, 0, 0))
BANK.wrong("one-map")(in_turn(0, 0, 2))
BANK.wrong("transposed-map")(variant(maps=lambda *maps: [w.T for w in maps]))
BANK.wrong("transposed-map")(lambda x, c, q, k, v: three_products_and_four_steps(x, c, q.T, k.T, v))
BANK.wrong("no-maps")(lambda x, c, q, k, v: (x @ c.mT / math.sqrt(x.shape[-1])).softmax(dim=-1) @ c)
BANK.wrong("no-maps")(lambda x, c, q, k, v: (x @ c.mT / math.sqrt(q.shape[-1])).softmax(dim=-1) @ (c @ v))
BANK.wrong("no-value-map")(lambda x, c, q, k, v: (x @ q @ (c @ k).mT / math.sqrt(q.shape[-1])).softmax(dim=-1) @ c)
BANK.wrong("scaled-by-tokens")(variant(divisor=lambda query, x: math.sqrt(x.shape[-1])))
BANK.wrong("not-scaled")(variant(divisor=lambda query, x: 1))
BANK.wrong("half-of-width")(variant(divisor=lambda query, x: query.shape[-1] ** 1 / 2))
BANK.wrong("wrong-divisor")(variant(divisor=lambda query, x: query.shape[-1]))
BANK.wrong("wrong-divisor")(variant(divisor=lambda query, x: math.sqrt(query.shape[-2])))
BANK.wrong("wrong-axis")(variant(softmax=lambda scores: scores.softmax(dim=-2)))
BANK.wrong("no-softmax")(variant(softmax=lambda scores: scores))
BANK.wrong("softmax-twice")(variant(softmax=lambda scores: scores.softmax(dim=-1).softmax(dim=-1)))
BANK.wrong("sigmoid")(variant(softmax=torch.sigmoid))
BANK.wrong("not-normalised")(variant(softmax=torch.exp))
BANK.wrong("whole-tensor")(variant(softmax=lambda scores: scores.exp() / scores.exp().sum()))
BANK.wrong("only-two-axes")(variant(softmax=lambda scores: scores.softmax(dim=1)))
BANK.wrong("only-two-axes")(
    lambda x, c, q, k, v: ((x @ q) @ (c @ k).T / math.sqrt(q.shape[1])).softmax(dim=1) @ (c @ v)
)
BANK.wrong("wrong-values")(variant(softmax=lambda scores: (2 * scores).softmax(dim=-1)))
BANK.wrong("wrong-shape")(lambda *inputs: three_products_and_four_steps(*inputs).mean(dim=-2))
BANK.wrong("wrong-type")(lambda *inputs: (three_products_and_four_steps(*inputs), None))
BANK.wrong("cuts-gradient")(lambda *inputs: three_products_and_four_steps(*(part.detach() for part in inputs)))
BANK.wrong("wrong-dtype")(lambda *inputs: three_products_and_four_steps(*(part.float() for part in inputs)))
BANK.wrong("forbidden-call")(lambda x, c, q, k, v: F.scaled_dot_product_attention(x @ q, c @ k, c @ v))

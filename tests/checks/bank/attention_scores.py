"""Answers to ``attention.scores``."""

import math

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("attention.scores")


@BANK.right
def product_then_division(query, key):
    return query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])


@BANK.right
def einsum_of_scaled_queries(query, key):
    return torch.einsum("...ld,...sd->...ls", query * query.size(-1) ** -0.5, key)


@BANK.right
def sum_of_products(query, key):
    products = query.unsqueeze(-2) * key.unsqueeze(-3)
    return products.sum(dim=-1).div(torch.tensor(float(key.shape[-1])).sqrt())


BANK.wrong("not-scaled")(lambda query, key: query @ key.mT)
BANK.wrong("divided-by-width")(lambda query, key: query @ key.mT / key.shape[-1])
BANK.wrong("multiplied-by-root")(lambda query, key: query @ key.mT * math.sqrt(key.shape[-1]))
BANK.wrong("multiplied-by-root")(lambda query, key: query @ key.mT / query.shape[-1] ** -0.5)
BANK.wrong("half-of-width")(lambda query, key: query @ key.mT / query.shape[-1] ** 1 / 2)
BANK.wrong("half-of-width")(lambda query, key: query @ key.mT / (query.shape[-1] ** 1 / 2))
BANK.wrong("distance")(lambda query, key: -torch.cdist(query, key) / math.sqrt(key.shape[-1]))
BANK.wrong("distance")(lambda query, key: (query.unsqueeze(-2) - key.unsqueeze(-3)).square().sum(dim=-1))
BANK.wrong("length-not-width")(lambda query, key: query @ key.mT / math.sqrt(len(query)))
BANK.wrong("length-not-width")(lambda query, key: query @ key.mT / math.sqrt(key.shape[-2]))
BANK.wrong("length-not-width")(lambda query, key: query @ key.mT / query.shape[-2])
BANK.wrong("rounded-root")(lambda query, key: query @ key.mT / int(math.sqrt(query.shape[-1])))
BANK.wrong("fixed-divisor")(lambda query, key: query @ key.mT / math.sqrt(64))
BANK.wrong("fixed-divisor")(lambda query, key: query @ key.mT / math.sqrt(2))
BANK.wrong("transposed")(lambda query, key: key @ query.mT / math.sqrt(key.shape[-1]))
BANK.wrong("key-not-transposed")(lambda query, key: query @ key / math.sqrt(key.shape[-1]))
BANK.wrong("softmax-too-early")(lambda query, key: (query @ key.mT / math.sqrt(key.shape[-1])).softmax(dim=-1))
BANK.wrong("softmax-too-early")(lambda query, key: F.softmax(query @ key.mT, dim=-1))
BANK.wrong("cosine")(lambda query, key: F.cosine_similarity(query.unsqueeze(-2), key.unsqueeze(-3), dim=-1))
BANK.wrong("only-two-axes")(lambda query, key: query @ key.permute(*reversed(range(key.ndim))) / key.shape[-1] ** 0.5)
BANK.wrong("only-two-axes")(lambda query, key: torch.einsum("ld,sd->ls", query, key) / math.sqrt(key.shape[-1]))
BANK.wrong("only-two-axes")(lambda query, key: query @ key.transpose(0, 1) / math.sqrt(key.shape[-1]))
BANK.wrong("width-from-wrong-axis")(lambda query, key: query @ key.mT / math.sqrt(query.shape[1]))
BANK.wrong("wrong-shape")(lambda query, key: (query @ key.mT).sum(dim=-1) / math.sqrt(key.shape[-1]))
BANK.wrong("wrong-dtype")(lambda query, key: query.float() @ key.float().mT / math.sqrt(key.shape[-1]))
BANK.wrong("lost-precision")(lambda query, key: (query.float() @ key.float().mT).to(key.dtype) / key.shape[-1] ** 0.5)
BANK.wrong("wrong-values")(lambda query, key: (query @ key.mT).abs() / math.sqrt(key.shape[-1]))
BANK.wrong("cuts-gradient")(lambda query, key: query.detach() @ key.mT / math.sqrt(key.shape[-1]))
BANK.wrong("cuts-gradient")(lambda query, key: (query @ key.mT / key.shape[-1] ** 0.5).data)


@BANK.wrong("changes-inputs")
def scales_the_query_in_place(query, key):
    query /= math.sqrt(query.shape[-1])
    return query @ key.mT

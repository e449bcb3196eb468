"""Answers to ``attention.causal_mask``."""

import math

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("attention.causal_mask")


@BANK.right
def lower_triangle(n):
    return torch.ones(n, n, dtype=torch.bool).tril()


@BANK.right
def comparison(n):
    place = torch.arange(n)
    return place[None, :] <= place[:, None]


@BANK.right
def by_loops(n):
    mask = torch.zeros(n, n).bool()
    for row in range(n):
        mask[row, : row + 1] = True
    return mask


BANK.wrong("additive-mask")(lambda n: torch.full((n, n), -math.inf).triu(1))
BANK.wrong("not-boolean")(lambda n: torch.ones(n, n).tril())
BANK.wrong("not-boolean")(lambda n: torch.ones(n, n, dtype=torch.long).tril())
BANK.wrong("inverted")(lambda n: ~lower_triangle(n))
BANK.wrong("upside-down")(lambda n: lower_triangle(n).T)
BANK.wrong("mirrored")(lambda n: lower_triangle(n).flip(0))
BANK.wrong("mirrored")(lambda n: torch.arange(n)[:, None] + torch.arange(n) < n)
BANK.wrong("excludes-itself")(lambda n: torch.ones(n, n, dtype=torch.bool).tril(-1))
BANK.wrong("one-too-many")(lambda n: torch.ones(n, n, dtype=torch.bool).tril(1))
BANK.wrong("hides-nothing")(lambda n: torch.ones(n, n, dtype=torch.bool))
BANK.wrong("short-memory")(lambda n: torch.eye(n, dtype=torch.bool))
BANK.wrong("short-memory")(lambda n: torch.ones(n, n, dtype=torch.bool).tril().triu(-1))
BANK.wrong("short-memory")(lambda n: torch.ones(n, n, dtype=torch.bool).tril().triu(-3))
BANK.wrong("one-token")(lambda n: lower_triangle(n).squeeze())
BANK.wrong("one-token")(
    lambda n: torch.stack([lower_triangle(n)[i] for i in range(1, n)]).T if n < 2 else comparison(n)
)
BANK.wrong("wrong-shape")(lambda n: torch.ones(3, 3, dtype=torch.bool).tril())
BANK.wrong("wrong-shape")(lambda n: lower_triangle(n)[None])
BANK.wrong("wrong-values")(lambda n: lower_triangle(n).logical_or(torch.eye(n).bool().fliplr()))
BANK.wrong("wrong-type")(lambda n: [[column <= row for column in range(n)] for row in range(n)])

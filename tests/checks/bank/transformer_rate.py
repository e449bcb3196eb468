"""Answers to ``transformer.rate``: rates (N,)."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("transformer.rate")


@BANK.right
def as_the_equation(step, dim, warmup):
    return dim**-0.5 * torch.minimum(step**-0.5, step * warmup**-1.5)


@BANK.right
def in_two_pieces(step, dim, warmup):
    peak = (dim * warmup) ** -0.5
    return torch.where(step < warmup, peak * step / warmup, peak * (warmup / step).sqrt())


@BANK.right
def one_by_one(step, dim, warmup):
    return torch.tensor([min(s**-0.5, s * warmup**-1.5) / dim**0.5 for s in step.tolist()])


def schedule(
    join=torch.minimum, rise=lambda s, w: s * w**-1.5, fall=lambda s, w: s**-0.5, front=lambda d: d**-0.5, first=0
):
    """The equation with one part replaced."""
    return lambda step, dim, warmup: front(dim) * join(fall(step + first, warmup), rise(step + first, warmup))


BANK.wrong("larger-of-the-two")(schedule(join=torch.maximum))
BANK.wrong("only-rises")(schedule(join=lambda fall, rise: rise))
BANK.wrong("only-falls")(schedule(join=lambda fall, rise: fall))
BANK.wrong("stays-up")(schedule(join=lambda fall, rise: rise, rise=lambda s, w: s.clamp(max=w) * w**-1.5))
BANK.wrong("added")(schedule(join=lambda fall, rise: fall + rise))
BANK.wrong("added")(schedule(join=lambda fall, rise: fall * rise))
BANK.wrong("falls-otherwise")(lambda s, d, w: (d * w) ** -0.5 * torch.minimum(s / w, w / s))
BANK.wrong("falls-otherwise")(schedule(fall=lambda s, w: 1 / s))
BANK.wrong("rises-otherwise")(schedule(rise=lambda s, w: s / w))
BANK.wrong("only-falls")(schedule(rise=lambda s, w: s * w**1.5))  # which is never the smaller one
BANK.wrong("rises-otherwise")(schedule(rise=lambda s, w: s * w**-0.5))
BANK.wrong("rises-otherwise")(schedule(rise=lambda s, w: (s * w) ** -1.5))
BANK.wrong("counts-from-zero")(schedule(first=1))
BANK.wrong("counts-from-zero")(schedule(first=-1))
BANK.wrong("fixed-warmup")(lambda s, d, w: as_the_equation(s, d, 4000))
BANK.wrong("width-otherwise")(schedule(front=lambda d: 1.0))
BANK.wrong("width-otherwise")(schedule(front=lambda d: d**0.5))
BANK.wrong("width-otherwise")(schedule(front=lambda d: 1 / d))
BANK.wrong("width-otherwise")(lambda s, d, w: as_the_equation(s, 512, w))
BANK.wrong("raises")(lambda s, d, w: d**-0.5 * (s * w**-1.5 if s < w else s**-0.5))
BANK.wrong("raises")(lambda s, d, w: d**-0.5 * torch.minimum(s**-0.5, w**-1.5))
BANK.wrong("wrong-shape")(lambda s, d, w: as_the_equation(s, d, w).max())
BANK.wrong("wrong-type")(lambda s, d, w: as_the_equation(s, d, w).tolist())
BANK.wrong("wrong-dtype")(lambda s, d, w: as_the_equation(s, d, w).long())
BANK.wrong("wrong-values")(lambda s, d, w: 2 * as_the_equation(s, d, w))

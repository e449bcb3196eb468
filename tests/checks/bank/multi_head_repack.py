"""Answers to ``multi_head.repack``."""

import torch
from einops import rearrange

from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.repack")


@BANK.right
def by_einops(rows, num_heads):
    return rearrange(rows, "(h three d) ... -> (three h d) ...", three=3, h=num_heads)


@BANK.right
def unflatten_and_transpose(rows, num_heads):
    return rows.unflatten(0, (num_heads, 3, -1)).transpose(0, 1).flatten(0, 2)


@BANK.right
def piece_by_piece(rows, num_heads):
    heads = [head.chunk(3) for head in rows.chunk(num_heads)]
    return torch.cat([head[part] for part in range(3) for head in heads])


def pattern(text):
    return lambda rows, h: rearrange(rows, f"{text} ...".replace(" ->", " ... ->"), three=3, h=h)


BANK.wrong("unchanged")(lambda rows, h: rows)
BANK.wrong("unchanged")(lambda rows, h: rows.reshape(3, h, -1, *rows.shape[1:]).flatten(0, 2))
BANK.wrong("way-back")(pattern("(three h d) -> (h three d)"))
BANK.wrong("dealt-out")(pattern("(h d three) -> (three h d)"))
BANK.wrong("dealt-out")(pattern("(d h three) -> (three h d)"))
BANK.wrong("dealt-out")(pattern("(d three h) -> (three h d)"))
BANK.wrong("width-before-heads")(pattern("(h three d) -> (three d h)"))
BANK.wrong("heads-not-width")(lambda rows, h: rearrange(rows, "(h three d) ... -> (three h d) ...", three=3, d=h))
BANK.wrong("parts-in-another-order")(lambda rows, h: torch.cat(by_einops(rows, h).chunk(3)[::-1]))
BANK.wrong("not-joined")(pattern("(h three d) -> three h d"))
BANK.wrong("not-joined")(pattern("(h three d) -> three (h d)"))
BANK.wrong("heads-reversed")(lambda rows, h: by_einops(torch.cat(rows.chunk(h)[::-1]), h))
BANK.wrong("only-two-axes")(lambda rows, h: rearrange(rows, "(h three d) i -> (three h d) i", three=3, h=h))
BANK.wrong("wrong-shape")(lambda rows, h: by_einops(rows, h)[:-1])
BANK.wrong("wrong-type")(lambda rows, h: by_einops(rows, h).chunk(3))
BANK.wrong("wrong-values")(lambda rows, h: by_einops(rows, h) + 1)
BANK.wrong("wrong-dtype")(lambda rows, h: by_einops(rows, h).float())

"""Answers to ``multi_head.split``."""

import torch
from einops import rearrange

from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.split")


@BANK.right
def by_einops(x, num_heads):
    return rearrange(x, "b n (h d) -> b h n d", h=num_heads)


@BANK.right
def view_and_transpose(x, num_heads):
    batch, tokens, dim = x.shape
    return x.view(batch, tokens, num_heads, dim // num_heads).transpose(1, 2)


@BANK.right
def slices_stacked(x, num_heads):
    return torch.stack(x.chunk(num_heads, dim=-1), dim=1)


BANK.wrong("heads-after-tokens")(lambda x, h: x.unflatten(-1, (h, -1)))
BANK.wrong("width-before-tokens")(lambda x, h: rearrange(x, "b n (h d) -> b h d n", h=h))
BANK.wrong("width-not-heads")(lambda x, h: rearrange(x, "b n (h d) -> b h n d", d=h))
BANK.wrong("width-not-heads")(lambda x, h: x.unflatten(-1, (-1, h)))
BANK.wrong("heads-first")(lambda x, h: rearrange(x, "b n (h d) -> h b n d", h=h))
BANK.wrong("reshaped")(lambda x, h: x.reshape(x.shape[0], h, x.shape[1], -1))
BANK.wrong("reshaped")(lambda x, h: x.mT.reshape(x.shape[0], h, x.shape[1], -1))
BANK.wrong("reshaped")(lambda x, h: x.reshape(h, x.shape[0], x.shape[1], -1).transpose(0, 1))
BANK.wrong("reshaped")(lambda x, h: x.reshape(x.shape[0], h, -1, x.shape[1]).mT)
BANK.wrong("interleaved")(lambda x, h: rearrange(x, "b n (d h) -> b h n d", h=h))
BANK.wrong("heads-reversed")(lambda x, h: by_einops(x, h).flip(1))
BANK.wrong("wrong-shape")(lambda x, h: by_einops(x, h).flatten(0, 1))
BANK.wrong("wrong-shape")(lambda x, h: x.chunk(h, dim=-1)[0])
BANK.wrong("wrong-type")(lambda x, h: list(x.chunk(h, dim=-1)))
BANK.wrong("wrong-values")(lambda x, h: by_einops(x, h) + 1)
BANK.wrong("wrong-dtype")(lambda x, h: by_einops(x, h).half())
BANK.wrong("cuts-gradient")(lambda x, h: by_einops(x, h).detach())


@BANK.wrong("fixed-heads")
def only_the_first_number_of_heads(x, num_heads):
    heads = {15: (3, 5), 21: (3, 7), 35: (5, 7)}[x.shape[-1]]
    return by_einops(x, num_heads if num_heads in heads and num_heads * x.shape[1] != 0 else heads[0])


@BANK.wrong("fixed-heads")
def width_one_is_squeezed(x, num_heads):
    return by_einops(x, num_heads).squeeze(-1)

"""Answers to ``multi_head.merge``."""

import torch
from einops import rearrange

from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.merge")


@BANK.right
def by_einops(heads):
    return rearrange(heads, "b h n d -> b n (h d)")


@BANK.right
def transpose_and_flatten(heads):
    return heads.transpose(1, 2).flatten(2)


@BANK.right
def side_by_side(heads):
    return torch.cat(heads.unbind(1), dim=-1)


BANK.wrong("reshaped")(lambda heads: heads.reshape(heads.shape[0], heads.shape[2], -1))
BANK.wrong("reshaped")(lambda heads: heads.mT.reshape(heads.shape[0], heads.shape[2], -1))
BANK.wrong("reshaped")(lambda heads: heads.transpose(0, 1).reshape(heads.shape[0], heads.shape[2], -1))
BANK.wrong("interleaved")(lambda heads: rearrange(heads, "b h n d -> b n (d h)"))
BANK.wrong("averaged")(lambda heads: heads.mean(dim=1))
BANK.wrong("summed")(lambda heads: heads.sum(dim=1))
BANK.wrong("one-head")(lambda heads: heads[:, 0])
BANK.wrong("one-head")(lambda heads: heads[:, -1])
BANK.wrong("not-joined")(lambda heads: heads.transpose(1, 2))
BANK.wrong("width-before-tokens")(lambda heads: by_einops(heads).mT)
BANK.wrong("tokens-joined")(lambda heads: heads.flatten(1, 2))
BANK.wrong("tokens-joined")(lambda heads: rearrange(heads, "b h n d -> b (n h) d"))
BANK.wrong("heads-reversed")(lambda heads: by_einops(heads.flip(1)))
BANK.wrong("wrong-shape")(lambda heads: heads.squeeze(0))
BANK.wrong("wrong-shape")(lambda heads: by_einops(heads).squeeze(1))
BANK.wrong("wrong-shape")(lambda heads: heads.flatten(1))
BANK.wrong("wrong-dtype")(lambda heads: by_einops(heads).float())
BANK.wrong("wrong-values")(lambda heads: 2 * by_einops(heads))
BANK.wrong("wrong-type")(lambda heads: None)
BANK.wrong("cuts-gradient")(lambda heads: by_einops(heads.detach()))

"""Answers to ``multi_head.remove``."""

import torch
from einops import rearrange

from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.remove")


def block_of(weight, head, num_heads):
    width = weight.shape[1] // num_heads
    return slice(head * width, (head + 1) * width)


def zeroed(weight, *places):
    left = weight.clone()
    left[places] = 0
    return left


@BANK.right
def a_copy_with_zeros(weight, head, num_heads):
    return zeroed(weight, slice(None), block_of(weight, head, num_heads))


@BANK.right
def by_einops(weight, head, num_heads):
    keep = (torch.arange(num_heads) != head).to(weight)
    return rearrange(rearrange(weight, "o (h d) -> o h d", h=num_heads) * keep[:, None], "o h d -> o (h d)")


@BANK.right
def by_a_mask_of_columns(weight, head, num_heads):
    owner = torch.arange(weight.shape[1]) // (weight.shape[1] // num_heads)
    return weight.masked_fill(owner == head, 0.0)


BANK.wrong("rows-not-columns")(lambda w, i, h: zeroed(w, block_of(w, i, h)))
BANK.wrong("interleaved")(lambda w, i, h: zeroed(w, slice(None), slice(i, None, h)))
BANK.wrong("keeps-only-it")(lambda w, i, h: w - a_copy_with_zeros(w, i, h))
BANK.wrong("counts-from-one")(lambda w, i, h: a_copy_with_zeros(w, i - 1, h))
BANK.wrong("one-column")(lambda w, i, h: zeroed(w, slice(None), i))
BANK.wrong("one-column")(lambda w, i, h: zeroed(w, slice(None), i * (w.shape[1] // h)))
BANK.wrong("width-not-heads")(lambda w, i, h: zeroed(w, slice(None), slice(i * h, (i + 1) * h)))
BANK.wrong("starts-at-head")(lambda w, i, h: zeroed(w, slice(None), slice(i, i + w.shape[1] // h)))
BANK.wrong("corner-only")(lambda w, i, h: zeroed(w, block_of(w, i, h), block_of(w, i, h)))
BANK.wrong("transposed")(lambda w, i, h: a_copy_with_zeros(w, i, h).T)
BANK.wrong("rows-and-columns")(lambda w, i, h: zeroed(a_copy_with_zeros(w, i, h), block_of(w, i, h)))
BANK.wrong("one-short")(
    lambda w, i, h: zeroed(w, slice(None), slice(block_of(w, i, h).start, block_of(w, i, h).stop - 1))
)
BANK.wrong("too-many")(lambda w, i, h: zeroed(w, slice(None), slice(0, block_of(w, i, h).stop)))
BANK.wrong("too-many")(lambda w, i, h: zeroed(w, slice(None), slice(block_of(w, i, h).start, None)))
BANK.wrong("minus-infinity")(
    lambda w, i, h: a_copy_with_zeros(w, i, h).masked_fill(a_copy_with_zeros(w, i, h) == 0, -torch.inf)
)
BANK.wrong("cut-out")(lambda w, i, h: torch.cat([w[:, : block_of(w, i, h).start], w[:, block_of(w, i, h).stop :]], 1))
BANK.wrong("cut-out")(lambda w, i, h: torch.cat([w[: block_of(w, i, h).start], w[block_of(w, i, h).stop :]]))
BANK.wrong("nothing-removed")(lambda w, i, h: w)
BANK.wrong("wrong-values")(lambda w, i, h: -a_copy_with_zeros(w, i, h))
BANK.wrong("wrong-values")(lambda w, i, h: a_copy_with_zeros(w, i, h) if i < h - 1 else w)
BANK.wrong("wrong-dtype")(lambda w, i, h: a_copy_with_zeros(w.float(), i, h))
BANK.wrong("lost-precision")(lambda w, i, h: a_copy_with_zeros(w.float(), i, h).to(w))
BANK.wrong("wrong-shape")(lambda w, i, h: a_copy_with_zeros(w, i, h)[:, block_of(w, i, h)])


@BANK.wrong("averaged")
def mean_of_the_head(weight, head, num_heads):
    left, block = weight.clone(), block_of(weight, head, num_heads)
    left[:, block] = left[:, block].mean(dim=1, keepdim=True)
    return left


@BANK.wrong("averaged")
def one_mean_for_all(weight, head, num_heads):
    left, block = weight.clone(), block_of(weight, head, num_heads)
    left[:, block] = left[:, block].mean()
    return left


@BANK.wrong("changes-inputs")
def in_place(weight, head, num_heads):
    weight[:, block_of(weight, head, num_heads)] = 0
    return weight

"""Answers to ``vit.block``: the pre-norm block, from a state dict."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import nn

from tests.checks.bank.entries import Bank

BANK = Bank("vit.block")


def ln(x, state, name, eps=1e-6):
    return F.layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps)


def attend(x, state, heads, scale=None, bias=True):
    packed = F.linear(x, state["attn.qkv.weight"], state["attn.qkv.bias"] if bias else None)
    query, key, value = rearrange(packed, "b n (three h d) -> three b h n d", three=3, h=heads)
    scores = query @ key.transpose(-2, -1) / (scale or math.sqrt(query.shape[-1]))
    mixed = rearrange(scores.softmax(dim=-1) @ value, "b h n d -> b n (h d)")
    return F.linear(mixed, state["attn.proj.weight"], state["attn.proj.bias"])


def mlp(x, state, act=F.gelu, bias=True):
    hidden = act(F.linear(x, state["mlp.fc1.weight"], state["mlp.fc1.bias"] if bias else None))
    return F.linear(hidden, state["mlp.fc2.weight"], state["mlp.fc2.bias"])


@BANK.right
def written_out(x, state, num_heads):
    x = x + attend(ln(x, state, "norm1"), state, num_heads)
    return x + mlp(ln(x, state, "norm2"), state)


@BANK.right
def by_modules(x, state, num_heads):
    """The parts as modules, with the fused kernel, the norm by hand."""
    dim = x.shape[-1]

    def normed(tokens, name):
        mean, variance = tokens.mean(-1, keepdim=True), tokens.var(-1, keepdim=True, unbiased=False)
        return (tokens - mean) / torch.sqrt(variance + 1e-6) * state[name + ".weight"] + state[name + ".bias"]

    parts = F.linear(normed(x, "norm1"), state["attn.qkv.weight"], state["attn.qkv.bias"]).split(dim, dim=-1)
    query, key, value = (part.unflatten(-1, (num_heads, -1)).transpose(1, 2) for part in parts)
    found = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    x = x + F.linear(found, state["attn.proj.weight"], state["attn.proj.bias"])
    hidden = nn.GELU()(normed(x, "norm2") @ state["mlp.fc1.weight"].T + state["mlp.fc1.bias"])
    return x + hidden @ state["mlp.fc2.weight"].T + state["mlp.fc2.bias"]


def answer(first=None, second=None):
    """The right answer with a step replaced: each of (x, state, heads)."""

    def default_first(x, state, heads):
        return x + attend(ln(x, state, "norm1"), state, heads)

    def default_second(x, state, _heads, _start):
        return x + mlp(ln(x, state, "norm2"), state)

    def block(x, state, num_heads):
        middle = (first or default_first)(x, state, num_heads)
        return (second or default_second)(middle, state, num_heads, x)

    return block


def ends(second):
    return answer(second=lambda x, state, heads, start: second(x, state, start))


BANK.wrong("post-norm")(
    answer(
        lambda x, s, h: ln(x + attend(x, s, h), s, "norm1"),
        lambda x, s, h, _: ln(x + mlp(x, s), s, "norm2"),
    )
)
BANK.wrong("no-residual")(answer(lambda x, s, h: attend(ln(x, s, "norm1"), s, h)))
BANK.wrong("no-residual")(ends(lambda x, s, _: mlp(ln(x, s, "norm2"), s)))
BANK.wrong("no-residual")(
    answer(lambda x, s, h: attend(ln(x, s, "norm1"), s, h), lambda x, s, h, _: mlp(ln(x, s, "norm2"), s))
)
BANK.wrong("normed-residual")(answer(lambda x, s, h: ln(x, s, "norm1") + attend(ln(x, s, "norm1"), s, h)))
BANK.wrong("normed-residual")(ends(lambda x, s, _: ln(x, s, "norm2") + mlp(ln(x, s, "norm2"), s)))
BANK.wrong("residual-from-start")(ends(lambda x, s, start: start + mlp(ln(x, s, "norm2"), s)))
BANK.wrong("side-by-side")(ends(lambda x, s, start: x + mlp(ln(start, s, "norm2"), s)))
BANK.wrong("norm-missing")(answer(lambda x, s, h: x + attend(x, s, h)))
BANK.wrong("norm-missing")(ends(lambda x, s, _: x + mlp(x, s)))
BANK.wrong("norm-missing")(answer(lambda x, s, h: x + attend(x, s, h), lambda x, s, h, _: x + mlp(x, s)))
BANK.wrong("one-norm-for-both")(ends(lambda x, s, _: x + mlp(ln(x, s, "norm1"), s)))
BANK.wrong("no-activation")(ends(lambda x, s, _: x + mlp(ln(x, s, "norm2"), s, act=lambda hidden: hidden)))
BANK.wrong("other-activation")(ends(lambda x, s, _: x + mlp(ln(x, s, "norm2"), s, act=F.relu)))
BANK.wrong("other-activation")(ends(lambda x, s, _: x + mlp(ln(x, s, "norm2"), s, act=F.silu)))
BANK.wrong("approximate-gelu")(
    ends(lambda x, s, _: x + mlp(ln(x, s, "norm2"), s, act=lambda hidden: F.gelu(hidden, approximate="tanh")))
)
BANK.wrong("activation-at-the-end")(ends(lambda x, s, _: x + F.gelu(mlp(ln(x, s, "norm2"), s))))
BANK.wrong("no-heads")(answer(lambda x, s, h: x + attend(ln(x, s, "norm1"), s, 1)))
BANK.wrong("wrong-divisor")(answer(lambda x, s, h: x + attend(ln(x, s, "norm1"), s, h, scale=1.0)))
BANK.wrong("wrong-divisor")(answer(lambda x, s, h: x + attend(ln(x, s, "norm1"), s, h, scale=x.shape[-1] ** 0.5)))
BANK.wrong("no-bias")(answer(lambda x, s, h: x + attend(ln(x, s, "norm1"), s, h, bias=False)))
BANK.wrong("no-bias")(ends(lambda x, s, _: x + mlp(ln(x, s, "norm2"), s, bias=False)))
BANK.wrong("cuts-gradient")(lambda x, s, h: written_out(x.detach(), s, h))
BANK.wrong("wrong-shape")(lambda x, s, h: written_out(x, s, h)[:, 0])
BANK.wrong("wrong-values")(lambda x, s, h: 2 * written_out(x, s, h))


@BANK.wrong("mlp-first")
def the_other_order(x, state, num_heads):
    x = x + mlp(ln(x, state, "norm2"), state)
    return x + attend(ln(x, state, "norm1"), state, num_heads)


@BANK.wrong("other-epsilon")
def pytorchs_default(x, state, num_heads):
    x = x + attend(ln(x, state, "norm1", 1e-5), state, num_heads)
    return x + mlp(ln(x, state, "norm2", 1e-5), state)


@BANK.wrong("norm-not-scaled")
def bare_norm(x, state, num_heads):
    x = x + attend(F.layer_norm(x, x.shape[-1:], eps=1e-6), state, num_heads)
    return x + mlp(F.layer_norm(x, x.shape[-1:], eps=1e-6), state)


@BANK.wrong("unbiased-deviation")
def divides_by_one_less(x, state, num_heads):
    def normed(tokens, name):
        centred = tokens - tokens.mean(-1, keepdim=True)
        scaled = centred / torch.sqrt(tokens.var(-1, keepdim=True) + 1e-6)
        return scaled * state[name + ".weight"] + state[name + ".bias"]

    x = x + attend(normed(x, "norm1"), state, num_heads)
    return x + mlp(normed(x, "norm2"), state)


@BANK.wrong("changes-inputs")
def in_place(x, state, num_heads):
    x += attend(ln(x, state, "norm1"), state, num_heads)
    return x + mlp(ln(x, state, "norm2"), state)


@BANK.wrong("forbidden-call")
def finished(x, state, num_heads):
    from vitcourse.blocks import Block

    block = Block(x.shape[-1], num_heads).to(x.dtype)
    block.load_state_dict(state)
    return block(x)

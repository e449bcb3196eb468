"""Answers to ``multi_head.layer``."""

import math

import torch
import torch.nn.functional as F
from einops import rearrange

from tests.checks.bank.attention_attention import shared_out
from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.layer")


def in_order(state, num_heads):
    """All rows of the queries first, then of the keys, then of the values."""
    packed = {
        name: rearrange(state[name], "(h three d) ... -> (three h d) ...", three=3, h=num_heads)
        for name in ("qkv.weight", "qkv.bias")
    }
    return {**state, **packed}


@BANK.right
def packed_with_einops(x, state, num_heads, context=None, mask=None):
    state = in_order(state, num_heads)
    context = x if context is None else context
    dim = x.shape[-1]
    weight, bias = state["qkv.weight"], state["qkv.bias"]
    query = F.linear(x, weight[:dim], bias[:dim])
    packed = F.linear(context, weight[dim:], bias[dim:])
    query = rearrange(query, "b n (h d) -> b h n d", h=num_heads)
    key, value = rearrange(packed, "b n (two h d) -> two b h n d", two=2, h=num_heads)
    scores = query @ key.mT / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    output = rearrange(scores.softmax(dim=-1) @ value, "b h n d -> b n (h d)")
    return F.linear(output, state["proj.weight"], state["proj.bias"])


@BANK.right
def a_loop_that_adds_up_the_heads(x, state, num_heads, context=None, mask=None):
    context = x if context is None else context
    width, output, state = x.shape[-1] // num_heads, state["proj.bias"], in_order(state, num_heads)
    weights, biases = state["qkv.weight"].chunk(3), state["qkv.bias"].chunk(3)
    for head in range(num_heads):
        rows = slice(head * width, (head + 1) * width)
        query, key, value = (
            tokens @ weight[rows].T + bias[rows]
            for tokens, weight, bias in zip((x, context, context), weights, biases, strict=True)
        )
        scores = torch.einsum("bld,bsd->bls", query, key) * width**-0.5
        if mask is not None:
            own = mask.broadcast_to(len(x), num_heads, *scores.shape[1:])[:, head]
            scores = torch.where(own, scores, -math.inf)
        output = output + scores.softmax(dim=-1) @ value @ state["proj.weight"][:, rows].T
    return output


def unchanged(scores, _mask=None):
    return scores


def variant(
    split="b n (h d) -> b h n d",
    merge="b h n d -> b n (h d)",
    packing="(h part d)",
    divisor=lambda query, dim: math.sqrt(query.shape[-1]),
    softmax=lambda scores: scores.softmax(dim=-1),
    hide=lambda scores, mask: scores.masked_fill(~mask, -math.inf),
    after=unchanged,
    qkv=F.linear,
    proj=F.linear,
    asks=lambda x, context: (x, context),
    order=(0, 1, 2),
):
    """The packed answer with one thing changed."""

    def answer(x, state, num_heads, context=None, mask=None):
        dim = x.shape[-1]
        asking, giving = asks(x, x if context is None else context)
        named = {"part": 3, "h": num_heads}
        weights = rearrange(state["qkv.weight"], f"{packing} i -> part (h d) i", **named)
        biases = rearrange(state["qkv.bias"], f"{packing} -> part (h d)", **named)
        parts = [qkv(t, weights[i], biases[i]) for t, i in zip((asking, giving, giving), order, strict=True)]
        if callable(split):
            query, key, value = (split(part, num_heads) for part in parts)
        else:
            query, key, value = (rearrange(part, split, h=num_heads) for part in parts)
        scores = query @ key.mT / divisor(query, dim)
        scores = scores if mask is None else hide(scores, mask)
        table = softmax(scores)
        table = table if mask is None else after(table, mask)
        output = merge(table @ value) if callable(merge) else rearrange(table @ value, merge)
        return proj(output, state["proj.weight"], state["proj.bias"])

    return answer


def reshaped(x, num_heads):
    return x.reshape(x.shape[0], num_heads, x.shape[1], -1)


def merged_by_reshape(x):
    return x.reshape(x.shape[0], x.shape[2], -1)


def not_transposed(x, weight, bias):
    return x @ weight + bias


def without_bias(x, weight, _bias):
    return F.linear(x, weight)


def without_projection(x, _weight, _bias):
    return x


def context_asks(x, context):
    return context, x


def keys_from_the_context(x, state, num_heads, context=None, mask=None):
    """As far as the lengths allow."""
    if context is None or context.shape != x.shape:
        return packed_with_einops(x, state, num_heads, context, mask)
    state = in_order(state, num_heads)
    dim, named = x.shape[-1], {"pattern": "b n (h d) -> b h n d", "h": num_heads}
    query, key, value = (
        rearrange(F.linear(tokens, weight, bias), **named)
        for tokens, weight, bias in zip(
            (x, context, x), state["qkv.weight"].split(dim), state["qkv.bias"].split(dim), strict=True
        )
    )
    weights = (query @ key.mT / math.sqrt(dim // num_heads)).softmax(dim=-1)
    return F.linear(rearrange(weights @ value, "b h n d -> b n (h d)"), state["proj.weight"], state["proj.bias"])


def through_float32(x, state, num_heads, **options):
    options = {name: t if t is None or t.dtype == torch.bool else t.float() for name, t in options.items()}
    return packed_with_einops(x.float(), {name: t.float() for name, t in state.items()}, num_heads, **options)


BANK.right(variant())
BANK.wrong("no-heads")(lambda x, state, h, **options: packed_with_einops(x, in_order(state, h), 1, **options))
BANK.wrong("no-heads")(
    lambda x, state, h, **options: variant(divisor=lambda q, dim: (dim // h) ** 0.5)(x, in_order(state, h), 1)
)
BANK.wrong("scaled-by-dim")(variant(divisor=lambda query, dim: math.sqrt(dim)))
BANK.wrong("not-scaled")(variant(divisor=lambda query, dim: 1.0))
BANK.wrong("half-of-width")(variant(divisor=lambda query, dim: query.shape[-1] ** 1 / 2))
BANK.wrong("wrong-divisor")(variant(divisor=lambda query, dim: query.shape[-1]))
BANK.wrong("wrong-divisor")(variant(divisor=lambda query, dim: math.sqrt(query.shape[-2])))
BANK.wrong("no-softmax")(variant(softmax=unchanged))
BANK.wrong("wrong-divisor")(variant(divisor=lambda query, dim: math.sqrt(query.shape[1])))
BANK.wrong("softmax-twice")(variant(softmax=lambda scores: scores.softmax(dim=-1).softmax(dim=-1)))
BANK.wrong("sigmoid")(variant(softmax=torch.sigmoid))
BANK.wrong("adds-x")(lambda x, state, h, context=None, mask=None: x + packed_with_einops(x, state, h, context, mask))
BANK.wrong("not-normalised")(variant(softmax=torch.exp))
BANK.wrong("whole-tensor")(variant(softmax=lambda scores: scores.exp() / scores.exp().sum()))
BANK.wrong("split-mixes-tokens")(variant(split=reshaped))
BANK.wrong("split-mixes-tokens")(variant(split=reshaped, merge=merged_by_reshape))
BANK.wrong("merge-mixes-tokens")(variant(merge=merged_by_reshape))
BANK.wrong("interleaved")(variant(split="b n (d h) -> b h n d"))
BANK.wrong("interleaved")(variant(split="b n (d h) -> b h n d", merge="b h n d -> b n (d h)"))
BANK.wrong("interleaved")(variant(merge="b h n d -> b n (d h)"))
BANK.wrong("packed-order")(variant(packing="(part h d)"))
BANK.wrong("packed-order")(variant(order=(1, 0, 2)))
BANK.wrong("packed-order")(variant(order=(2, 1, 0)))
BANK.wrong("packed-order")(variant(order=(0, 1, 1)))
BANK.wrong("no-output-weight")(variant(proj=without_projection))
BANK.wrong("weight-not-transposed")(variant(proj=not_transposed))
BANK.wrong("weight-not-transposed")(variant(qkv=not_transposed))
BANK.wrong("weight-not-transposed")(variant(qkv=not_transposed, proj=not_transposed))
BANK.wrong("no-bias")(variant(qkv=without_bias))
BANK.wrong("no-bias")(variant(proj=without_bias))
BANK.wrong("no-bias")(variant(qkv=without_bias, proj=without_bias))
BANK.wrong("wrong-axis")(variant(softmax=lambda scores: scores.softmax(dim=-2)))
BANK.wrong("wrong-axis")(variant(softmax=lambda scores: scores.softmax(dim=1)))
BANK.wrong("context-ignored")(lambda x, state, h, context=None, mask=None: packed_with_einops(x, state, h, None, mask))
BANK.wrong("context-asks")(variant(asks=context_asks))
BANK.wrong("context-asks")(
    lambda x, state, h, context=None, mask=None: packed_with_einops(x if context is None else context, state, h)
)
BANK.wrong("context-in-part")(keys_from_the_context)
BANK.wrong("mask-ignored")(variant(hide=unchanged))
BANK.wrong("mask-inverted")(variant(hide=lambda scores, mask: scores.masked_fill(mask, -math.inf)))
BANK.wrong("mask-after-softmax")(variant(hide=unchanged, after=lambda table, mask: table * mask))
BANK.wrong("mask-as-zero")(variant(hide=lambda scores, mask: scores * mask))
BANK.wrong("mask-added")(variant(hide=lambda scores, mask: scores + mask))
BANK.wrong("mask-too-weak")(variant(hide=lambda scores, mask: scores.masked_fill(~mask, -1.0)))
BANK.wrong("nan-everywhere")(variant(hide=lambda scores, mask: scores + -math.inf * ~mask))
BANK.wrong("hidden-in-part")(variant(after=lambda table, mask: table * mask.all(dim=-1, keepdim=True)))
BANK.wrong("adds-epsilon")(variant(hide=unchanged, after=shared_out(1e-8)))
BANK.wrong("mask-not-broadcast")(
    variant(hide=lambda scores, mask: scores.masked_fill(~mask.expand(scores.shape[-2:]), -math.inf))
)
BANK.wrong("mask-not-broadcast")(
    variant(hide=lambda scores, mask: scores.masked_fill(~(mask if mask.ndim == 2 else mask[0, 0]), -math.inf))
)
BANK.wrong("wrong-values")(variant(softmax=lambda scores: (2 * scores).softmax(dim=-1)))
BANK.wrong("wrong-shape")(variant(merge=lambda x: x.transpose(1, 2).flatten(2)[:, :-1]))
BANK.wrong("raises")(variant(proj=lambda x, weight, bias: F.linear(x[..., 1:], weight, bias)))
BANK.wrong("wrong-dtype")(through_float32)
BANK.wrong("lost-precision")(lambda x, state, h, **options: through_float32(x, state, h, **options).to(x))
BANK.wrong("cuts-gradient")(lambda x, state, h, **options: packed_with_einops(x.detach(), state, h, **options))
BANK.wrong("forbidden-call")(lambda x, state, h, **options: F.scaled_dot_product_attention(x, x, x))


@BANK.wrong("changes-inputs")
def scales_x_in_place(x, state, num_heads, context=None, mask=None):
    output = packed_with_einops(x, state, num_heads, context, mask)
    x.mul_(0)
    return output

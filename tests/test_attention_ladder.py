"""The ladder from one head in a loop to the packed, fused layer: each rung equals the last, gradients included."""

import math

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange

from tests.helpers import randomise
from vitcourse.attention import MultiHeadAttention, attention, causal_mask

DIM, HEADS = 24, 4


def one_head_in_a_loop(layer, x, mask):
    """Every head by itself: its own rows of the weights, its own softmax, and its own columns of ``proj``."""
    width = DIM // HEADS
    query_weight, key_weight, value_weight = layer.qkv.weight.split(DIM)
    query_bias, key_bias, value_bias = layer.qkv.bias.split(DIM)
    output = layer.proj.bias
    for head in range(HEADS):
        rows = slice(head * width, (head + 1) * width)
        query = x @ query_weight[rows].T + query_bias[rows]
        key = x @ key_weight[rows].T + key_bias[rows]
        value = x @ value_weight[rows].T + value_bias[rows]
        scores = query @ key.transpose(1, 2) / math.sqrt(width)
        weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
        output = output + weights @ value @ layer.proj.weight[:, rows].T
    return output


def heads_batched(layer, x, mask):
    """All heads at once, as an axis; three products still."""
    parts = zip(layer.qkv.weight.split(DIM), layer.qkv.bias.split(DIM), strict=True)
    query, key, value = (rearrange(F.linear(x, w, b), "b n (h d) -> b h n d", h=HEADS) for w, b in parts)
    output, _ = attention(query, key, value, mask)
    return layer.proj(rearrange(output, "b h n d -> b n (h d)"))


def packed(layer, x, mask):
    """One product for query, key and value."""
    query, key, value = rearrange(layer.qkv(x), "b n (three h d) -> three b h n d", three=3, h=HEADS)
    output, _ = attention(query, key, value, mask)
    return layer.proj(rearrange(output, "b h n d -> b n (h d)"))


def packed_with_weights(layer, x, mask):
    return layer(x, mask=mask, return_weights=True)[0]


def fused(layer, x, mask):
    return layer(x, mask=mask)


LADDER = (one_head_in_a_loop, heads_batched, packed, packed_with_weights, fused)


def run(form, masked):
    layer = randomise(MultiHeadAttention(DIM, HEADS))
    x = torch.randn(2, 7, DIM, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    mask = causal_mask(7) if masked else torch.ones(7, 7, dtype=torch.bool)
    output = form(layer, x, mask)
    weight = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).view_as(output)
    (output * weight).sum().backward()
    return output, x.grad, *(parameter.grad for parameter in layer.parameters())


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("rung", range(1, len(LADDER)), ids=lambda rung: LADDER[rung].__name__)
def test_a_rung_equals_the_last(rung, masked):
    for this, last in zip(run(LADDER[rung], masked), run(LADDER[rung - 1], masked), strict=True):
        torch.testing.assert_close(this, last, atol=1e-12, rtol=0)

import math

import pytest
import torch
import torch.nn.functional as F
from timm.layers import Attention as TimmAttention
from torch import nn

from tests.helpers import randomise
from vitcourse.attention import KeyValueCache, MultiHeadAttention, attention, causal_mask, fused_attention

CLOSE = {"atol": 1e-12, "rtol": 0}


def qkv(*lead, queries=5, keys=7, width=4):
    return tuple(torch.randn(*lead, n, width, dtype=torch.float64) for n in (queries, keys, keys))


def test_attention_by_hand():
    """Three keys, width 2, numbers that can be done on paper: scores 0, ln 2, ln 4 give weights 1/7, 2/7, 4/7."""
    query = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    key = math.sqrt(2) * torch.tensor([[0.0, 5.0], [math.log(2), 0.0], [math.log(4), -3.0]], dtype=torch.float64)
    value = torch.tensor([[7.0, 0.0], [0.0, 7.0], [7.0, 7.0]], dtype=torch.float64)
    output, weights = attention(query, key, value)
    torch.testing.assert_close(weights, torch.tensor([[1, 2, 4]], dtype=torch.float64) / 7, **CLOSE)
    torch.testing.assert_close(output, torch.tensor([[5.0, 6.0]], dtype=torch.float64), **CLOSE)


def test_the_value_may_have_another_width():
    query, key, _ = qkv(2, 3)
    value = torch.randn(2, 3, 7, 9, dtype=torch.float64)
    output, _ = attention(query, key, value)
    torch.testing.assert_close(output, F.scaled_dot_product_attention(query, key, value), **CLOSE)


@pytest.mark.parametrize("kind", ["none", "bool", "float", "causal"])
def test_both_forms_equal_pytorch(kind):
    query, key, value = qkv(2, 3, queries=7)
    mask = {
        "none": None,
        "bool": (torch.rand(2, 1, 1, 7) > 0.4) | (torch.arange(7) == 0),
        "float": torch.randn(7, 7, dtype=torch.float64),
        "causal": causal_mask(7),
    }[kind]
    expected = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    torch.testing.assert_close(attention(query, key, value, mask)[0], expected, **CLOSE)
    torch.testing.assert_close(fused_attention(query, key, value, mask), expected, **CLOSE)
    if kind == "causal":
        torch.testing.assert_close(fused_attention(query, key, value, is_causal=True), expected, **CLOSE)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
@pytest.mark.parametrize("floating", [False, True])
def test_a_fully_masked_row_is_zero_with_finite_gradients(floating, dtype, device):
    mask = torch.rand(5, 7) > 0.3
    mask[2] = False
    given = torch.zeros(5, 7).masked_fill(~mask, -math.inf) if floating else mask
    for form in (lambda *args: attention(*args)[0], fused_attention):
        query, key, value = (t.detach().to(device, dtype).requires_grad_() for t in qkv(2, 3))
        output = form(query, key, value, given.to(device))
        assert (output[:, :, 2] == 0).all()
        assert (output[:, :, 1] != 0).all()
        output.float().square().sum().backward()
        for tensor in (query, key, value):
            assert tensor.grad.isfinite().all()
        assert (query.grad[:, :, 2] == 0).all()
    weights = attention(query, key, value, given.to(device))[1]
    assert (weights[:, :, 2] == 0).all()
    assert (weights.masked_select(~mask.to(device)) == 0).all()


def test_a_large_negative_bias_masks_nothing():
    """Only False and -inf mask: a row biased by -1e9 everywhere is the unmasked row."""
    query, key, value = qkv(2)
    plain = attention(query, key, value)[0]
    for form in (lambda *args: attention(*args)[0], fused_attention):
        output = form(query, key, value, torch.full((5, 7), -1e9, dtype=torch.float64))
        torch.testing.assert_close(output, plain, atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_large_negative_bias_masks_nothing_in_half_precision(dtype):
    """-1e9 is beyond float16: it must not turn into -inf, whole rows of which give NaN or zeros."""
    query, key, value = (tensor.to(dtype) for tensor in qkv(2))
    for form in (lambda *args: attention(*args)[0], fused_attention):
        output = form(query, key, value, torch.full((5, 7), -1e9))
        assert output.isfinite().all()
        assert (output != 0).all()


def test_causal_is_aligned_bottom_right():
    """Two new queries after five keys: the first sees all but the last key."""
    assert causal_mask(2, 5).tolist() == [[True, True, True, True, False], [True] * 5]
    query, key, value = qkv(2, 3, queries=2, keys=5)
    output = fused_attention(query, key, value, is_causal=True)
    torch.testing.assert_close(output[..., :1, :], attention(query[..., :1, :], key[..., :4, :], value[..., :4, :])[0])
    torch.testing.assert_close(output[..., 1:, :], attention(query[..., 1:, :], key, value)[0])


def test_more_queries_than_keys_leaves_the_first_rows_empty():
    query, key, value = qkv(1, queries=4, keys=2)
    output = fused_attention(query, key, value, is_causal=True)
    assert (output[:, :2] == 0).all()
    torch.testing.assert_close(output[:, 3:], attention(query[:, 3:], key, value)[0])


@pytest.mark.parametrize("kind", ["bool", "float"])
def test_causal_joins_a_mask_of_either_kind(kind):
    query, key, value = qkv(2, 3, queries=7)
    keep = (torch.rand(2, 1, 1, 7) > 0.4) | (torch.arange(7) == 0)
    mask = keep if kind == "bool" else torch.zeros(2, 1, 1, 7, dtype=torch.float64).masked_fill(~keep, -math.inf)
    expected = attention(query, key, value, keep & causal_mask(7))[0]
    torch.testing.assert_close(fused_attention(query, key, value, mask, is_causal=True), expected, **CLOSE)


def test_multi_head_equals_timm_with_gradients():
    ours, theirs = randomise(MultiHeadAttention(24, 4)), TimmAttention(24, 4, qkv_bias=True).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 9, 24, dtype=torch.float64, requires_grad=True)
    twin = x.detach().clone().requires_grad_()
    cotangent = torch.randn(2, 9, 24, dtype=torch.float64)
    (ours(x) * cotangent).sum().backward()
    (theirs(twin) * cotangent).sum().backward()
    torch.testing.assert_close(ours(x), theirs(twin), atol=1e-10, rtol=0)
    torch.testing.assert_close(x.grad, twin.grad, atol=1e-10, rtol=0)
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-10, rtol=0, msg=name)


@pytest.mark.parametrize("cross", [False, True])
def test_multi_head_equals_torch(cross):
    ours = randomise(MultiHeadAttention(24, 4))
    theirs = nn.MultiheadAttention(24, 4, batch_first=True).double()
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.qkv.weight,
            "in_proj_bias": ours.qkv.bias,
            "out_proj.weight": ours.proj.weight,
            "out_proj.bias": ours.proj.bias,
        }
    )
    x = torch.randn(2, 5, 24, dtype=torch.float64)
    context = torch.randn(2, 8, 24, dtype=torch.float64) if cross else x
    ignore = torch.zeros(2, context.shape[1], dtype=torch.bool)
    ignore[0, -2:] = True  # torch: True = ignore; here: True = attend
    expected, expected_weights = theirs(x, context, context, key_padding_mask=ignore, average_attn_weights=False)
    mask = ~ignore[:, None, None]
    output, weights = ours(x, context if cross else None, mask, return_weights=True)
    torch.testing.assert_close(output, expected, atol=1e-10, rtol=0)
    torch.testing.assert_close(weights, expected_weights, atol=1e-10, rtol=0)
    torch.testing.assert_close(ours(x, context if cross else None, mask), expected, atol=1e-10, rtol=0)


def test_a_fully_masked_row_leaves_the_bias_of_proj():
    layer = randomise(MultiHeadAttention(24, 4))
    mask = torch.ones(5, 5, dtype=torch.bool)
    mask[3] = False
    output = layer(torch.randn(2, 5, 24, dtype=torch.float64), mask=mask)
    torch.testing.assert_close(output[:, 3], layer.proj.bias.expand(2, -1), **CLOSE)


def test_a_cache_changes_nothing():
    layer = randomise(MultiHeadAttention(24, 4)).eval()
    x = torch.randn(2, 6, 24, dtype=torch.float64)
    whole, cache = layer(x, is_causal=True), KeyValueCache()
    steps = [layer(part, is_causal=True, cache=cache) for part in x.split([3, 1, 2], dim=1)]
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, **CLOSE)


def test_a_fixed_cache_keeps_the_first_context():
    layer, cache = randomise(MultiHeadAttention(24, 4)).eval(), KeyValueCache(fixed=True)
    x, context = torch.randn(2, 3, 24, dtype=torch.float64), torch.randn(2, 6, 24, dtype=torch.float64)
    expected = layer(x, context)
    torch.testing.assert_close(layer(x, context, cache=cache), expected, **CLOSE)
    torch.testing.assert_close(layer(x, torch.zeros_like(context), cache=cache), expected, **CLOSE)


@pytest.mark.parametrize("return_weights", [False, True])
def test_attention_dropout_acts_in_training_alone(return_weights):
    layer = randomise(MultiHeadAttention(24, 4, attn_drop=0.5))
    x = torch.randn(2, 6, 24, dtype=torch.float64)

    def run():
        return layer(x, return_weights=True)[0] if return_weights else layer(x)

    assert not torch.equal(run(), run())
    layer.eval()
    assert torch.equal(run(), run())


def test_bad_input_names_both_values():
    with pytest.raises(ValueError, match="dim=10 and num_heads=3"):
        MultiHeadAttention(10, 3)
    layer = MultiHeadAttention(24, 4)
    x = torch.randn(2, 5, 24)
    for call, words in {
        lambda: layer(torch.randn(2, 5, 16)): "x must have width 24, got 16",
        lambda: layer(x, torch.randn(2, 5, 8)): "context must have width 24, got 8",
        lambda: layer(x, mask=torch.ones(2, 5, 5, dtype=torch.bool)): r"got \(2, 5, 5\)",
        lambda: layer(x, mask=torch.ones(5, 4, dtype=torch.bool)): r"\(5, 4\) does not broadcast .* \(2, 4, 5, 5\)",
        lambda: layer(x, mask=torch.ones(5, 5, dtype=torch.int64)): "torch.int64",
        lambda: layer(x, mask=torch.ones(5, 5, dtype=torch.int64), is_causal=True): "torch.int64",
        lambda: layer(x, mask=torch.ones(5, 4, dtype=torch.bool), is_causal=True): r"\(5, 4\) does not broadcast",
        lambda: fused_attention(x, torch.randn(2, 5, 8), x): "24 and 8",
        lambda: attention(x, torch.randn(2, 5, 8), x): "24 and 8",
        lambda: attention(x, x, torch.randn(2, 4, 24)): "5 and 4",
        # A mask with more axes than the scores would broadcast them instead.
        lambda: attention(x, x, x, torch.ones(3, 2, 5, 5, dtype=torch.bool)): r"\(3, 2, 5, 5\)",
    }.items():
        with pytest.raises(ValueError, match=words):
            call()

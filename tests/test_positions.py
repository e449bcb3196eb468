import math

import pytest
import torch
import torch.nn.functional as F
from timm.layers import resample_abs_pos_embed
from transformers import ViTConfig, ViTModel

from vitcourse.positions import resample, sinusoidal, sinusoidal_grid


def test_sinusoidal_by_hand():
    table = sinusoidal(3, 4)
    assert table[0].tolist() == [0, 1, 0, 1]
    expected = [math.sin(2), math.cos(2), math.sin(2 / 100), math.cos(2 / 100)]
    torch.testing.assert_close(table[2], torch.tensor(expected))


def test_sinusoidal_stays_exact_far_out():
    """In float32 the angle itself would be off by 1e-3 at position 100,000."""
    assert sinusoidal(100_001, 2)[-1].tolist() == pytest.approx([math.sin(1e5), math.cos(1e5)], abs=1e-6)


def test_a_shift_is_a_rotation():
    """PE(p + k) is one matrix times PE(p), whatever p is (Vaswani et al. 2017, section 3.5)."""
    table = sinusoidal(50, 16).double().unflatten(1, (8, 2))
    sines, cosines = table.unbind(-1)
    turn_sin, turn_cos = sines[7], cosines[7]
    moved = torch.stack([sines * turn_cos + cosines * turn_sin, cosines * turn_cos - sines * turn_sin], dim=-1)
    torch.testing.assert_close(moved[:43], table[7:], atol=1e-6, rtol=0)


def test_grid_is_in_reading_order_x_first():
    grid, line = sinusoidal_grid(3, 8), sinusoidal(3, 4)
    for row in range(3):
        for column in range(3):
            assert torch.equal(grid[3 * row + column], torch.cat([line[column], line[row]]))


@pytest.mark.parametrize("grid", [(6, 6), (2, 3), (4, 7)])
def test_resampling_as_timm(grid):
    table = torch.randn(1, 2 + 16, 8)
    ours = resample(table, grid, num_prefix=2)
    theirs = resample_abs_pos_embed(table, list(grid), num_prefix_tokens=2)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=0)
    assert torch.equal(ours[:, :2], table[:, :2])
    with_antialias = resample(table, grid, num_prefix=2, convention="hf")
    assert (with_antialias - ours).abs().max() > 0.05  # the conventions do differ


@pytest.mark.parametrize("side", [6, 2])
def test_resampling_as_hugging_face(side):
    options = {"hidden_size": 8, "num_hidden_layers": 0, "num_attention_heads": 1, "intermediate_size": 8}
    model = ViTModel(ViTConfig(image_size=16, patch_size=4, **options)).double()
    torch.nn.init.normal_(model.embeddings.position_embeddings)
    theirs = model.embeddings.interpolate_pos_encoding(torch.zeros(1, 1 + side**2, 8), 4 * side, 4 * side)
    ours = resample(model.embeddings.position_embeddings, (side, side), convention="hf")
    torch.testing.assert_close(ours, theirs, atol=1e-10, rtol=0)


def test_resampling_as_deit():
    """DeiT resizes a table without class token: bicubic, corners not aligned, no antialiasing (main.py, finetune)."""
    table = torch.randn(1, 16, 8, dtype=torch.float64)
    grid = table.reshape(1, 4, 4, 8).permute(0, 3, 1, 2)
    theirs = F.interpolate(grid, size=(6, 6), mode="bicubic", align_corners=False).permute(0, 2, 3, 1).flatten(1, 2)
    torch.testing.assert_close(resample(table, (6, 6), 0, convention="deit"), theirs, atol=1e-12, rtol=0)


def test_resampling_keeps_what_need_not_change():
    table = torch.randn(1, 1 + 6, 8, dtype=torch.bfloat16)
    assert resample(table, (2, 3), old_grid=(2, 3)) is table
    assert resample(table, (4, 6), old_grid=(2, 3)).dtype == torch.bfloat16
    level = torch.full((1, 1 + 9, 8), 2.5)
    torch.testing.assert_close(resample(level, (5, 4)), torch.full((1, 21, 8), 2.5))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"convention": "jax"}, "timm, hf, deit, got 'jax'"),
        ({"num_prefix": 2}, "17 positions are not 2 and a square grid"),
        ({"old_grid": (3, 5)}, "17 positions are not 1 and a grid of 3 x 5"),
    ],
)
def test_a_table_that_does_not_fit_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        resample(torch.zeros(1, 17, 8), (6, 6), **options)


@pytest.mark.parametrize("call", [lambda: sinusoidal(4, 5), lambda: sinusoidal_grid(4, 6)])
def test_a_dim_that_does_not_divide_is_named(call):
    with pytest.raises(ValueError, match=r"got [56]"):
        call()

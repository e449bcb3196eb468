import math

import pytest
import torch

from tests.helpers import randomise
from vitcourse.explain import attention_distance, intermediates, rollout
from vitcourse.vit import VisionTransformer, ViTConfig

CONFIG = ViTConfig(image_size=32, patch_size=8, num_classes=5, dim=24, depth=3, num_heads=4)


@pytest.fixture
def model():
    return randomise(VisionTransformer(CONFIG)).eval()


@pytest.fixture
def images():
    return torch.randn(2, 3, 32, 32, dtype=torch.float64)


def test_intermediates_are_the_steps_of_the_model(model, images):
    names = ["blocks.1.attn", "pos_drop", "blocks.0", "blocks.1.attn.weights", "blocks.2", "norm"]
    output, parts = intermediates(model, names, images)
    assert set(parts) == set(names)
    assert torch.equal(parts["pos_drop"], model.embed(images))
    assert torch.equal(parts["blocks.0"], model.blocks[0](model.embed(images)))
    assert torch.equal(output, model.head(parts["norm"][:, 0]))
    attended, weights = model.blocks[1].attn(model.blocks[1].norm1(parts["blocks.0"]), return_weights=True)
    assert torch.equal(parts["blocks.1.attn"], attended)
    assert torch.equal(parts["blocks.1.attn.weights"], weights)
    assert weights.shape == (2, 4, 17, 17)


def test_asking_changes_neither_the_output_nor_the_model(model, images):
    expected = model(images)
    output, _ = intermediates(model, ["blocks.0.attn.weights", "blocks.1"], images)
    torch.testing.assert_close(output, expected, atol=1e-12, rtol=0)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_failing_pass_leaves_no_hook(model):
    with pytest.raises(ValueError, match="images must have shape"):
        intermediates(model, ["blocks.0.attn.weights"], torch.zeros(1, 3, 8, 8))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("blocks.7", "VisionTransformer has no part 'blocks.7'"),
        ("", "no part ''"),
        ("blocks.0.mlp.weights", "the weights of a Mlp, which is no attention"),
    ],
)
def test_an_unknown_part_is_named(model, images, name, words):
    with pytest.raises(ValueError, match=words):
        intermediates(model, [name], images)


def test_rollout_multiplies_the_layers_from_the_first_on():
    first, second = (torch.rand(2, 3, 5, 5, dtype=torch.float64).softmax(dim=-1) for _ in range(2))
    eye = torch.eye(5, dtype=torch.float64)
    expected = (eye + second.mean(dim=1)) @ (eye + first.mean(dim=1)) / 4
    torch.testing.assert_close(rollout([first, second]), expected)
    torch.testing.assert_close(rollout([first, second]).sum(dim=-1), torch.ones(2, 5, dtype=torch.float64))
    torch.testing.assert_close(rollout([first, second], residual=1.0), eye.expand(2, 5, 5))
    torch.testing.assert_close(rollout([first], residual=0.0), first.mean(dim=1))


def test_attention_distance_counts_patches_and_leaves_out_the_class_token():
    """On a grid of 2 rows and 3 columns: one head reads its own patch, one the first, one all alike."""
    weights = torch.zeros(1, 3, 7, 7, dtype=torch.float64)
    weights[..., 0] = 0.5
    weights[0, 0, 1:, 1:] = 0.5 * torch.eye(6)
    weights[0, 1, 1:, 1] = 0.5
    weights[0, 2, 1:, 1:] = 0.5 / 6
    own, first, alike = attention_distance(weights, columns=3)[0].tolist()
    from_first = [0, 1, 2, 1, 2**0.5, 5**0.5]
    assert own == 0
    assert first == pytest.approx(sum(from_first) / 6)
    places = [(row, column) for row in range(2) for column in range(3)]
    pairs = [math.dist(a, b) for a in places for b in places]
    assert alike == pytest.approx(sum(pairs) / 36)

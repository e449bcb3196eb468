"""Whole models against the libraries that people use: values, and the gradient of every parameter and of the input."""

from dataclasses import replace

import pytest
import torch

from tests.helpers import randomise
from vitcourse.recipes.speed.references import logits, reference
from vitcourse.vit import VisionTransformer, ViTConfig
from vitcourse.weights import convert

TINY = ViTConfig(image_size=32, patch_size=8, num_classes=5, dim=24, depth=3, num_heads=4)
CASES = {
    "timm": {},
    "timm, LayerScale": {"block": "layer_scale_init"},
    "timm, parallel": {"block": "parallel", "num_parallel": 2},
    "timm, three parallel with LayerScale": {"block": "parallel_layer_scale_init", "num_parallel": 3},
    "timm, average": {"pool": "avg"},
    "timm, positions on the patches alone": {"class_token_has_position": False},
    "timm, no bias": {"qkv_bias": False},
    "hf": {},
    "hf, its epsilon": {"norm_eps": 1e-12},
    "torchvision": {},
}


def gradients(model, images, weight):
    """The output, and the gradients of a sum of logits with respect to the images and all parameters."""
    images = images.detach().requires_grad_()
    output = logits(model(images))
    (output * weight).sum().backward()
    return output, images.grad, {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
@pytest.mark.parametrize("case", CASES)
def test_model_and_gradients_equal(case, dtype, bound):
    library = case.partition(",")[0]
    ours = randomise(VisionTransformer(replace(TINY, **CASES[case]))).to(dtype)
    theirs = reference(library, ours)
    images, weight = torch.randn(2, 3, 32, 32, dtype=dtype), torch.randn(2, 5, dtype=dtype)
    output, image_gradient, own = gradients(ours, images, weight)
    their_output, their_image_gradient, their_own = gradients(theirs, images, weight)
    pairs = {"output": (output, their_output), "images": (image_gradient, their_image_gradient)}
    # Gradients have the names of parameters, so that the converter of weights carries them as well.
    their_own = convert(their_own, library, config=ours.config)
    assert set(own) == set(their_own)
    pairs |= {name: (own[name], their_own[name]) for name in own}
    for name, (mine, reference_value) in pairs.items():
        size = 1.0 if dtype == torch.float64 else reference_value.abs().max().item()
        assert (mine - reference_value).abs().max().item() <= bound * size, name
    assert image_gradient.abs().max() > 1e-3  # the gradients do reach the input, through every block


@pytest.mark.parametrize("library", ["hf", "torchvision"])
def test_what_a_library_cannot_build_is_named(library):
    model = VisionTransformer(replace(TINY, block="parallel", num_parallel=2))
    with pytest.raises(ValueError, match="no block='parallel', only 'block'"):
        reference(library, model)

"""Every ViT under torch.compile, bf16 autocast and torch.export (the Transformer and BERT have theirs beside them)."""

from dataclasses import replace

import pytest
import torch

from tests.helpers import randomise
from vitcourse.blocks import BLOCKS
from vitcourse.vit import VisionTransformer, ViTConfig

TINY = ViTConfig(image_size=32, patch_size=16, num_classes=5, dim=24, depth=2, num_heads=4)
CONFIGS = {
    **{block: replace(TINY, block=block, num_parallel=2) for block in BLOCKS},
    "hmlp stem": replace(TINY, stem="hmlp"),
    "convolutional stem": replace(TINY, stem="conv"),
    "average, positions on the patches alone": replace(TINY, pool="avg", class_token_has_position=False),
}


@pytest.fixture(params=CONFIGS)
def model(request):
    return randomise(VisionTransformer(CONFIGS[request.param])).float()


def test_export_gives_the_same_program_for_any_batch(model):
    model.eval()
    images = torch.randn(3, 3, 32, 32)
    program = torch.export.export(model, (images,), dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=64)},))
    for batch in (images, images[:1]):
        torch.testing.assert_close(program.module()(batch), model(batch), atol=1e-5, rtol=1e-5)


def autocast_agrees(model, images):
    """Half precision keeps 8 bits of a number: the logits stay within a few percent of their size."""
    expected = model(images)
    with torch.autocast(images.device.type, torch.bfloat16):
        output = model(images)
    assert output.dtype == torch.bfloat16
    error = (output.float() - expected).abs().max() / expected.abs().max()
    assert 0 < error < 0.06
    output.float().square().sum().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def compile_agrees(model, images):
    expected = model(images)
    expected.square().sum().backward()
    gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    output = torch.compile(model, fullgraph=True)(images)  # fullgraph: no part of the model falls back to Python
    torch.testing.assert_close(output, expected, atol=1e-4, rtol=1e-4)
    output.square().sum().backward()
    for name, parameter in model.named_parameters():
        size = gradients[name].abs().max()
        assert (parameter.grad - gradients[name]).abs().max() <= 1e-3 * size, name


def test_bf16_autocast(model):
    autocast_agrees(model.eval(), torch.randn(2, 3, 32, 32))


# The two ends suffice on the CPU, where compiling takes its time; on a GPU all are compiled.
@pytest.mark.starts_programs
@pytest.mark.parametrize("name", ["block", "parallel_layer_scale_init"])
def test_compile(name):
    compile_agrees(randomise(VisionTransformer(CONFIGS[name])).float().eval(), torch.randn(2, 3, 32, 32))


@pytest.mark.gpu
def test_on_a_gpu(model):
    images = torch.randn(2, 3, 32, 32, device="cuda")
    autocast_agrees(model.cuda().eval(), images)
    model.zero_grad()
    compile_agrees(model, images)

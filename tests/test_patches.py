from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from timm.layers import PatchEmbed as TimmPatchEmbed

from tests.helpers import randomise
from vitcourse.patches import ConvolutionalStem, HierarchicalMLPStem, PatchEmbed, patchify, unpatchify

GOLDEN = Path(__file__).parent / "data" / "deit_reference.safetensors"


def test_patchify_reads_like_a_page():
    images = torch.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
    patches = patchify(images, 2)
    assert patches.shape == (2, 6, 12)
    assert torch.equal(patches[1, 4].reshape(3, 2, 2), images[1, :, 2:4, 2:4])  # second row of patches, second column


def test_patchify_equals_unfold_and_back():
    images = torch.randn(2, 3, 8, 12, dtype=torch.float64)
    assert torch.equal(patchify(images, 4), F.unfold(images, 4, stride=4).transpose(1, 2))
    assert torch.equal(unpatchify(patchify(images, 4), 4, 8, 12), images)


def test_patch_embed_is_a_linear_layer_on_patches_and_equals_timm():
    ours = randomise(PatchEmbed(16, 4, 3, 10))
    theirs = TimmPatchEmbed(16, 4, 3, 10).double()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    linear = F.linear(patchify(images, 4), ours.proj.weight.flatten(1), ours.proj.bias)
    torch.testing.assert_close(ours(images), linear, atol=1e-10, rtol=0)
    torch.testing.assert_close(ours(images), theirs(images), atol=1e-12, rtol=0)


def test_hmlp_stem_never_mixes_patches():
    stem = randomise(HierarchicalMLPStem(64, 16, 3, 24)).eval()
    images = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    order = torch.randperm(16)
    shuffled = unpatchify(patchify(images, 16)[:, order], 16, 64, 64)
    torch.testing.assert_close(stem(shuffled), stem(images)[:, order], atol=1e-10, rtol=0)


def test_hmlp_stem_equals_deit():
    """Against golden tensors of the public DeiT code, with random weights and running statistics."""
    with safe_open(GOLDEN, "pt") as file:
        size, prefix = int(file.metadata()["img"]), "hMLP_stem/"
        tensors = {key.removeprefix(prefix): file.get_tensor(key) for key in file.keys() if key.startswith(prefix)}  # noqa: SIM118
    state = {key.removeprefix("state/"): tensor for key, tensor in tensors.items() if key.startswith("state/")}
    stem = HierarchicalMLPStem(size, 16, 3, dim=len(state["proj.6.bias"])).double().eval()
    stem.load_state_dict(state)
    torch.testing.assert_close(stem(tensors["input"]), tensors["output"], atol=1e-12, rtol=0)


def test_hmlp_stem_has_the_papers_parameters():
    assert sum(parameter.numel() for parameter in HierarchicalMLPStem(dim=768).parameters()) == 749_952
    assert sum(parameter.numel() for parameter in PatchEmbed(dim=768).parameters()) == 590_592


def test_convolutional_stem_written_out():
    stem = randomise(ConvolutionalStem(16, 8, 3, 48)).eval()
    images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    state, x = stem.proj.state_dict(), images
    for layer, stride, width in ((0, 2, 32), (3, 2, 48), (6, 1, 48), (9, 2, 48), (12, 1, 48)):
        x = F.conv2d(x, state[f"{layer}.weight"], stride=stride, padding=1)
        assert x.shape[1] == width
        mean, var, gain, shift = (
            state[f"{layer + 1}.{name}"][:, None, None] for name in ("running_mean", "running_var", "weight", "bias")
        )
        x = ((x - mean) / (var + 1e-5).sqrt() * gain + shift).relu()
    x = F.conv2d(x, state["15.weight"], state["15.bias"])
    torch.testing.assert_close(stem(images), x.flatten(2).transpose(1, 2), atol=1e-10, rtol=0)
    assert set(state) == {f"{i}.{name}" for i in range(16) for name in stem.proj[i].state_dict()}


def test_convolutional_stem_looks_over_the_borders_of_patches():
    stem = randomise(ConvolutionalStem(32, 8, 3, 16)).eval()
    images = torch.randn(1, 3, 32, 32, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(stem(images)[0, 5].sum(), images)  # the second patch of the second row
    seen = gradient[0].abs().sum(0) > 0
    assert seen[8:16, 8:16].all()
    assert seen[7, 8:16].any()
    assert seen[8:16, 16].any()
    assert not seen.all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: patchify(torch.zeros(1, 3, 10, 8), 4), "10 x 8 pixels .* patches of 4"),
        (lambda: unpatchify(torch.zeros(1, 5, 12), 2, 4, 4), "5 patches of 2 do not make 4 x 4"),
        (lambda: unpatchify(torch.zeros(1, 4, 13), 2, 4, 4), "13 numbers is not 2 x 2"),
        (lambda: PatchEmbed(30, 16), "30 and 16"),
        (lambda: PatchEmbed(16, 4)(torch.zeros(1, 1, 16, 16)), r"\(B, 3, 16, 16\), got \(1, 1, 16, 16\)"),
        (lambda: PatchEmbed(16, 4)(torch.zeros(1, 3, 16, 20)), r"got \(1, 3, 16, 20\)"),
        (lambda: HierarchicalMLPStem(64, 8), "patch_size=8"),
        (lambda: HierarchicalMLPStem(64, 16, 3, 30), "dim=30"),
        (lambda: ConvolutionalStem(36, 12), "power of 2, got 12"),
        (lambda: ConvolutionalStem(36, 1), "power of 2, got 1"),
    ],
)
def test_bad_input_names_both_values(call, words):
    with pytest.raises(ValueError, match=words):
        call()

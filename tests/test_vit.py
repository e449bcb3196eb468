from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from safetensors import safe_open

from tests.helpers import randomise
from tests.test_blocks import DEIT_NAMES
from vitcourse.vit import VARIANTS, VisionTransformer, ViTConfig
from vitcourse.weights import convert

GOLDEN = Path(__file__).parent / "data" / "deit_reference.safetensors"
TINY = ViTConfig(image_size=32, patch_size=8, num_classes=5, dim=24, depth=3, num_heads=4)


@pytest.mark.parametrize(
    ("name", "count"), [("ti/16", 5_717_416), ("s/16", 22_050_664), ("b/16", 86_567_656), ("l/16", 304_326_632)]
)
def test_parameter_counts_of_the_papers(name, count):
    with torch.device("meta"):
        model = VisionTransformer(VARIANTS[name])
    assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_the_defaults_are_those_of_timm():
    """Epsilon, biases and order of the parts, without a word about them on either side."""
    ours = randomise(VisionTransformer(TINY)).eval()
    sizes = {"img_size": 32, "patch_size": 8, "num_classes": 5, "embed_dim": 24, "depth": 3, "num_heads": 4}
    theirs = timm.models.VisionTransformer(**sizes).double().eval()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(ours(images), theirs(images), atol=1e-10, rtol=0)


@pytest.mark.parametrize("block", DEIT_NAMES)
def test_model_equals_deit(block):
    with safe_open(GOLDEN, "pt") as file:
        sizes, prefix = file.metadata(), f"vit_models.{DEIT_NAMES[block]}/"
        tensors = {key.removeprefix(prefix): file.get_tensor(key) for key in file.keys() if key.startswith(prefix)}  # noqa: SIM118
    config = ViTConfig(
        image_size=int(sizes["img"]), patch_size=int(sizes["patch"]), num_classes=int(sizes["classes"]),
        dim=int(sizes["dim"]), depth=int(sizes["depth"]), num_heads=int(sizes["heads"]),
        mlp_ratio=float(sizes["mlp_ratio"]), block=block, num_parallel=2, norm_eps=float(sizes["norm_eps"]),
        class_token_has_position=False,
    )  # fmt: skip
    model = VisionTransformer(config).double().eval()
    state = {key.removeprefix("state/"): tensor for key, tensor in tensors.items() if key.startswith("state/")}
    model.load_state_dict(convert(state, "deit", config=config))
    back = convert(model.state_dict(), "vitcourse", "deit")
    assert set(back) == set(state)
    assert all(torch.equal(back[key], state[key]) for key in state)
    torch.testing.assert_close(model(tensors["input"]), tensors["output"], atol=1e-12, rtol=0)


@pytest.mark.parametrize(("name", "serial_depth", "count"), [("s/16", 36, 64_665_064), ("b/16", 36, 256_731_112)])
def test_branches_side_by_side_have_the_parameters_of_the_serial_model(name, serial_depth, count):
    """DeiT's 18x2 against 36x1 with LayerScale (Touvron et al. 2022, "Three things", Table 3)."""
    serial = replace(VARIANTS[name], depth=serial_depth, block="layer_scale_init")
    parallel = replace(serial, depth=serial_depth // 2, block="parallel_layer_scale_init", num_parallel=2)
    for config in (serial, parallel):
        with torch.device("meta"):
            model = VisionTransformer(replace(config, class_token_has_position=False))
        # DeiT's table of positions has no class token: one row less than ours has by default.
        assert sum(parameter.numel() for parameter in model.parameters()) == count


def test_no_head_gives_pooled_features():
    model = VisionTransformer(replace(TINY, num_classes=0)).eval()
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(model(images), model.forward_features(images)[:, 0])
    assert not [name for name in model.state_dict() if name.startswith("head")]


@pytest.mark.parametrize(("schedule", "rates"), [("linear", [0.0, 0.1, 0.2]), ("constant", [0.2, 0.2, 0.2])])
def test_drop_path_schedules(schedule, rates):
    model = VisionTransformer(replace(TINY, drop_path_rate=0.2, drop_path_schedule=schedule))
    assert [block.drop_path2.p for block in model.blocks] == pytest.approx(rates)


def test_options_reach_the_blocks():
    model = VisionTransformer(replace(TINY, block="parallel", num_parallel=3, init_values=0.5))
    assert len(model.blocks[0].attns) == 3
    assert model.blocks[0].ffns[2].ls.gamma.tolist() == [0.5] * 24
    assert VisionTransformer(replace(TINY, block="layer_scale_init")).blocks[0].ls1.gamma[0] == torch.tensor(1e-4)


@pytest.mark.parametrize("stem", ["hmlp", "conv"])
def test_another_stem_feeds_the_model(stem):
    config = replace(TINY, patch_size=16, stem=stem)
    assert VisionTransformer(config).eval()(torch.randn(2, 3, 32, 32)).shape == (2, 5)


def test_the_start_is_deterministic_and_small():
    torch.manual_seed(7)
    first = VisionTransformer(TINY).state_dict()
    torch.manual_seed(7)
    second = VisionTransformer(TINY).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert 0.015 < first["blocks.0.mlp.fc1.weight"].std() < 0.025
    assert 0.01 < first["pos_embed"].std() < 0.025


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"block": "serial"}, "block must be one of .*'serial'"),
        ({"stem": "mlp"}, "stem must be one of linear, hmlp, conv, got 'mlp'"),
        ({"pool": "max"}, "'max'"),
        ({"drop_path_schedule": "cosine"}, "'cosine'"),
    ],
)
def test_an_unknown_choice_is_named(options, words):
    with pytest.raises(ValueError, match=words):
        ViTConfig(**options)


def test_an_unknown_field_is_a_type_error():
    with pytest.raises(TypeError, match="num_head"):
        ViTConfig(num_head=3)


def test_a_wrong_image_is_named():
    with pytest.raises(ValueError, match=r"\(B, 3, 32, 32\), got \(2, 3, 40, 32\)"):
        VisionTransformer(TINY)(torch.zeros(2, 3, 40, 32))


@pytest.mark.gpu
def test_the_gpu_gives_the_same_numbers():
    model, images = VisionTransformer(TINY).eval(), torch.randn(2, 3, 32, 32)
    expected = model(images)
    torch.testing.assert_close(model.cuda()(images.cuda()).cpu(), expected, atol=1e-5, rtol=1e-4)

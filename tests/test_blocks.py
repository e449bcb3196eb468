"""The blocks against timm and against golden tensors of the public DeiT code (float64, random gammas and norms)."""

from itertools import combinations
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from timm.models.vision_transformer import Block as TimmBlock
from timm.models.vision_transformer import ParallelThingsBlock

from tests.helpers import randomise
from vitcourse.blocks import BLOCKS, Block, DropPath, LayerScale, ParallelBlock

GOLDEN = Path(__file__).parent / "data" / "deit_reference.safetensors"
DEIT_NAMES = {
    "block": "Block",
    "layer_scale_init": "Layer_scale_init_Block",
    "parallel": "Block_paralx2",
    "parallel_layer_scale_init": "Layer_scale_init_Block_paralx2",
}


def from_deit(name: str, parallel: bool) -> str:
    """DeiT's name of a parameter of one block, as ours."""
    first, _, rest = name.partition(".")
    if not parallel:
        return {"gamma_1": "ls1.gamma", "gamma_2": "ls2.gamma"}.get(first, name)
    branch = {
        **{"norm1": "attns.0.norm", "attn": "attns.0.attn", "gamma_1": "attns.0.ls.gamma"},
        **{"norm11": "attns.1.norm", "attn1": "attns.1.attn", "gamma_1_1": "attns.1.ls.gamma"},
        **{"norm2": "ffns.0.norm", "mlp": "ffns.0.mlp", "gamma_2": "ffns.0.ls.gamma"},
        **{"norm21": "ffns.1.norm", "mlp1": "ffns.1.mlp", "gamma_2_1": "ffns.1.ls.gamma"},
    }[first]
    return f"{branch}.{rest}" if rest else branch


@pytest.fixture(scope="module")
def golden():
    with safe_open(GOLDEN, "pt") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, file.metadata()  # noqa: SIM118


@pytest.mark.parametrize("name", BLOCKS)
def test_block_equals_deit(name, golden):
    tensors, sizes = golden
    deit, parallel = DEIT_NAMES[name], name.startswith("parallel")
    block = BLOCKS[name](int(sizes["dim"]), int(sizes["heads"]), float(sizes["mlp_ratio"])).double()
    for norm in (module for module in block.modules() if isinstance(module, torch.nn.LayerNorm)):
        norm.eps = float(sizes["norm_eps"])
    prefix = f"{deit}/state/"
    state = {from_deit(key.removeprefix(prefix), parallel): t for key, t in tensors.items() if key.startswith(prefix)}
    block.load_state_dict(state)
    gammas = [parameter for name, parameter in block.named_parameters() if name.endswith("gamma")]
    assert len(gammas) == (4 if parallel else 2) * name.endswith("layer_scale_init")
    assert all((one - other).abs().min() > 1e-6 for one, other in combinations(gammas, 2))  # a lost one would show
    x = tensors[f"{deit}/input"].requires_grad_()
    output = block(x)
    (gradient,) = torch.autograd.grad((output * tensors[f"{deit}/cotangent"]).sum(), x)
    torch.testing.assert_close(output, tensors[f"{deit}/output"], atol=1e-12, rtol=0)
    torch.testing.assert_close(gradient, tensors[f"{deit}/input_grad"], atol=1e-12, rtol=0)


@pytest.mark.parametrize("init_values", [None, 1e-4])
def test_block_equals_timm(init_values):
    ours = randomise(Block(24, 4, init_values=init_values))
    theirs = TimmBlock(24, 4, qkv_bias=True, init_values=init_values).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 9, 24, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-10, rtol=0)


@pytest.mark.parametrize("branches", [1, 2, 3])
def test_parallel_block_equals_timm(branches):
    ours = randomise(ParallelBlock(24, 4, init_values=1e-4, num_parallel=branches))
    theirs = ParallelThingsBlock(24, 4, branches, qkv_bias=True, init_values=1e-4).double()
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 9, 24, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-10, rtol=0)


def test_layer_scale_starts_at_init_values_and_can_work_in_place():
    x = torch.randn(2, 3, 8)
    assert torch.equal(LayerScale(8, 0.5)(x), x * 0.5)
    same = x.clone()
    assert LayerScale(8, 0.5, inplace=True).requires_grad_(False)(same) is same
    assert torch.equal(same, x * 0.5)


def test_drop_path_drops_whole_samples_and_keeps_the_mean():
    layer, x = DropPath(0.25), torch.ones(4000, 3, 2)
    output = layer(x)
    per_sample = output.flatten(1)
    assert (per_sample == per_sample[:, :1]).all()  # a sample is dropped whole
    assert set(output.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert 0.72 < (output[:, 0, 0] > 0).float().mean() < 0.78
    assert layer.eval()(x) is x


def test_drop_path_masks_are_independent_between_branches():
    """At rate 1/2 both branches of a sample are dropped a quarter of the time; one mask for the sum would give half."""
    block = randomise(ParallelBlock(4, 1, drop_path=0.5, num_parallel=2))
    with torch.no_grad():
        for branch in block.ffns:
            branch.mlp.fc2.weight.zero_()
            branch.mlp.fc2.bias.zero_()
    x = torch.randn(1, 3, 4, dtype=torch.float64).expand(4000, -1, -1)
    untouched = (block(x) == x).all(dim=(1, 2)).double().mean()
    assert 0.22 < untouched < 0.28


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: DropPath(1.0), "got 1.0"),
        (lambda: DropPath(-0.1), "got -0.1"),
        (lambda: ParallelBlock(8, 2, num_parallel=0), "got 0"),
        (lambda: Block(10, 3), "dim=10 and num_heads=3"),
    ],
)
def test_bad_input_names_the_value(call, words):
    with pytest.raises(ValueError, match=words):
        call()

"""Each test named here goes red when the one mistake it stands against is made in the source.

The package is copied, the copy is changed, and pytest runs the test on it in a process of its own.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.starts_programs
ROOT = Path(__file__).parents[1]

BRANCHES_ONE_BY_ONE = """            total = x
            for branch in branches:
                total = total + branch(x)
            x = total
"""
ONE_MASK_FOR_THE_SUM = """            x = x + branches[0].drop_path(sum(branch[:3](x) for branch in branches))
"""

# The mistake: the file, (old, new) texts, and the test that must see it.
MUTATIONS = {
    "no scale": ("attention.py", [(" / math.sqrt(query.shape[-1])", "")], "test_attention.py::test_attention_by_hand"),
    "a shared gamma": (
        "blocks.py",
        [
            ("        def branch(name", "        shared = _scale(dim, init_values)\n\n        def branch(name"),
            ("ls=_scale(dim, init_values)", "ls=shared"),
        ],
        "test_blocks.py::test_block_equals_deit[parallel_layer_scale_init]",
    ),
    "a gamma shared by the two sub-layers": (
        "blocks.py",
        [("self.ls2(self.mlp", "self.ls1(self.mlp")],
        "test_blocks.py::test_block_equals_deit[layer_scale_init]",
    ),
    "swapped norms": (
        "blocks.py",
        [("self.norm1(x)", "self.norm(x)"), ("self.norm2(x)", "self.norm1(x)"), ("self.norm(x)", "self.norm2(x)")],
        "test_blocks.py::test_block_equals_deit[block]",
    ),
    "the norm after the sum": (
        "blocks.py",
        [("x + self.drop_path1(self.ls1(self.attn(self.norm1(x))))", "self.norm1(x + self.attn(x))")],
        "test_blocks.py::test_block_equals_timm[None]",
    ),
    "one drop path mask for the sum": (
        "blocks.py",
        [(BRANCHES_ONE_BY_ONE, ONE_MASK_FOR_THE_SUM)],
        "test_blocks.py::test_drop_path_masks_are_independent_between_branches",
    ),
    "drop path without rescaling": (
        "blocks.py",
        [("x * keep / (1 - self.p)", "x * keep")],
        "test_blocks.py::test_drop_path_drops_whole_samples_and_keeps_the_mean",
    ),
    "tanh GELU": ("blocks.py", [("nn.GELU()", 'nn.GELU("tanh")')], "test_blocks.py::test_block_equals_timm[None]"),
    "eps 1e-5": (
        "vit.py",
        [("norm_eps: float = 1e-6", "norm_eps: float = 1e-5")],
        "test_vit.py::test_the_defaults_are_those_of_timm",
    ),
    "a causal mask aligned at the top": (
        "attention.py",
        [(".tril(past - length)", ".tril()")],
        "test_attention.py::test_a_cache_changes_nothing",
    ),
    "a class token without position": (
        "vit.py",
        [
            (
                "torch.cat([cls_token, tokens], dim=1) + self.pos_embed",
                "torch.cat([cls_token, tokens + self.pos_embed[:, 1:]], dim=1)",
            )
        ],
        "test_parity.py::test_model_and_gradients_equal[timm-dtype0-1e-10]",
    ),
    "the mean over the class token as well": (
        "vit.py",
        [("tokens[:, 1:].mean(dim=1)", "tokens.mean(dim=1)")],
        "test_parity.py::test_model_and_gradients_equal[timm, average-dtype0-1e-10]",
    ),
    "key and value exchanged by a converter": (
        "weights/names.py",
        [('for part in "qkv")', 'for part in "qvk")')],
        "test_parity.py::test_model_and_gradients_equal[hf-dtype0-1e-10]",
    ),
    "post-norm for pre-norm": (
        "transformer/layers.py",
        [("x = x + self.self_attn(self.norm1(x), **own)", "x = self.norm1(x + self.self_attn(x, **own))")],
        "transformer/test_model.py::test_stacks_equal_torch_values_and_gradients",
    ),
    "words without the root of the width": (
        "transformer/model.py",
        [(" * math.sqrt(self.config.dim)", "")],
        "transformer/test_model.py::test_the_model_is_embeddings_stacks_and_projection",
    ),
    "every step of a cached decoder at position 0": (
        "transformer/model.py",
        [("0 if cache is None else cache.length", "0")],
        "transformer/test_decoding.py::test_a_cache_changes_nothing_in_greedy_search",
    ),
    "a pooler of another token": (
        "bert.py",
        [("self.pooler(x[:, 0])", "self.pooler(x[:, -1])")],
        "test_bert.py::test_encoder_and_pooler_equal_bert_model",
    ),
    "antialiasing exchanged": (
        "positions.py",
        [('{"timm": True, "hf": False', '{"timm": False, "hf": True')],
        "test_positions.py::test_resampling_as_timm",
    ),
}


def run(test: str, folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{test}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path):
    """A copy of what the tests of the models need."""
    unused = shutil.ignore_patterns("__pycache__", "assets", "book", "lessons", "course", "grading")
    for name in ("vitcourse", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unused)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mistake_is_seen(name, copy):
    file, changes, test = MUTATIONS[name]
    source = copy / "vitcourse" / file
    text = source.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        text = text.replace(old, new)
    source.write_text(text, encoding="utf-8")
    found = run(test, copy)
    assert found.returncode == 1, f"{test} did not fail:\n{found.stdout}{found.stderr}"
    assert " failed" in found.stdout


def test_without_a_mistake_they_pass(copy):
    """The copy itself is sound: red above means the mistake, and not a missing file."""
    tests = sorted({test.partition("::")[0] for _, _, test in MUTATIONS.values()})
    found = run(f"{tests[0]}", copy)
    assert found.returncode == 0, found.stdout + found.stderr

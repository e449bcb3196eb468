"""The names that notebooks, the README and other people's code rely on stand where they are said to stand."""

from importlib import import_module

import pytest

NAMES = {
    "attention": "attention MultiHeadAttention",
    "patches": "PatchEmbed HierarchicalMLPStem patchify unpatchify",
    "blocks": "LayerScale DropPath Mlp Block LayerScaleInitBlock ParallelBlock ParallelLayerScaleInitBlock BLOCKS",
    "vit": "ViTConfig VisionTransformer VARIANTS",
    "transformer": "Transformer greedy_decode beam_decode",
    "bert": "Bert BertForPreTraining make_pretraining_examples",
    "weights": "convert",
    "data.asl": "load synthesise",
    "data.faces": "load synthesise",
    "asl": "ClassificationBBoxTransformer evaluate",
    "checks": "CATALOGUE CheckFailed",
    "errors": "DataError",
    "statistics": "paired_interval",
}


@pytest.mark.parametrize("name", [f"{module}.{name}" for module, names in NAMES.items() for name in names.split()])
def test_a_public_name_stands_where_it_is_said_to(name):
    module, _, own = name.rpartition(".")
    assert getattr(import_module(f"vitcourse.{module}"), own) is not None

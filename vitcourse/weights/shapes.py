"""What names and shapes a model's state dict must have: from its config, or read off the names that there are."""

import re
from collections.abc import Collection
from dataclasses import fields

import torch
from torch import nn

from vitcourse.attention import MultiHeadAttention
from vitcourse.bert import Bert, BertConfig, BertForPreTraining
from vitcourse.transformer import Transformer, TransformerConfig
from vitcourse.vit import VisionTransformer, ViTConfig

Config = ViTConfig | BertConfig | TransformerConfig


def family_of(names: Collection[str]) -> str:
    """ "bert", "torch" (an attention, or the two stacks of a Transformer) or "vit", by our names of the parameters."""
    if any(name.startswith(("bert.", "embeddings.")) for name in names):
        return "bert"
    return "torch" if any(name.startswith(("qkv.", "encoder.", "decoder.")) for name in names) else "vit"


def expected_shapes(family: str, names: Collection[str], config: Config | None) -> dict[str, torch.Size]:
    """Our names and shapes of the model that ``config`` defines, or that ``names`` seem to be of.

    Without a config only the names mean something: the sizes are then those of a stand-in.
    """
    with torch.device("meta"):
        if family == "vit":
            model = VisionTransformer(config or _vit_of(names))
        elif family == "bert":
            heads = any(name.startswith("bert.") for name in names)
            model = (BertForPreTraining if heads else Bert)(config or _bert_of(names))
        elif any(name.startswith("qkv.") for name in names):
            model = MultiHeadAttention(config.dim if config else 1, 1, qkv_bias="qkv.bias" in names)
        else:
            # torch's Transformer is the two stacks alone, without embeddings and output.
            model = nn.ModuleDict(Transformer(config or _transformer_of(names)).named_children())
            for name in set(model) - {"encoder", "decoder"}:
                del model[name]
    return {name: tensor.shape for name, tensor in model.state_dict().items()}


def _count(names: Collection[str], pattern: str) -> int:
    """One more than the largest number that ``pattern`` finds in the names."""
    return max((int(found[1]) + 1 for name in names if (found := re.match(pattern, name))), default=0)


def _vit_of(names: Collection[str]) -> ViTConfig:
    parallel = any(".attns." in name for name in names)
    layers = _count(names, r"patch_embed\.proj\.(\d+)\.")  # of the stem: 8 of an hMLP, 4, 10, 16, 22 of convolutions
    stem = {0: "linear", 8: "hmlp"}.get(layers, "conv")
    return ViTConfig(
        image_size=16,
        patch_size=1 << (layers + 2) // 6 if stem == "conv" else 16,
        dim=4,
        num_heads=1,
        depth=_count(names, r"blocks\.(\d+)\."),
        num_classes=int(any(name.startswith("head.") for name in names)),
        qkv_bias=any(name.endswith("qkv.bias") for name in names),
        block="parallel" if parallel else "block",
        num_parallel=max(_count(names, r"blocks\.\d+\.(?:attns|ffns)\.(\d+)\."), 1),
        init_values=1.0 if any(name.endswith(".gamma") for name in names) else None,
        stem=stem,
        pool="avg" if any(name.startswith("fc_norm.") for name in names) else "cls",
    )


def _transformer_of(names: Collection[str]) -> TransformerConfig:
    return TransformerConfig(
        dim=4,
        num_heads=1,
        source_vocab=1,
        target_vocab=1,
        encoder_depth=max(_count(names, r"encoder\.layers\.(\d+)\."), 1),
        decoder_depth=max(_count(names, r"decoder\.layers\.(\d+)\."), 1),
        final_norm=any(name.startswith(("encoder.norm.", "decoder.norm.")) for name in names),
    )


def _bert_of(names: Collection[str]) -> BertConfig:
    small = {"vocab_size": 8, "dim": 4, "num_heads": 1, "max_length": 4}
    known = {field.name for field in fields(BertConfig)}
    depth = max(_count(names, r"(?:bert\.)?encoder\.layers\.(\d+)\."), 1)
    return BertConfig(**{name: value for name, value in small.items() if name in known}, depth=depth)

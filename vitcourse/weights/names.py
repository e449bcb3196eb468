"""The names that other libraries give to the parts of our models: one table a library, read by `vitcourse.weights`.

A rule is (our name, their name); ``*`` stands for a number, and whatever follows a name (``.weight``) is carried over.
Where their name is a triple, our tensor is theirs joined along axis 0: query, key and value.

Read from the state dicts of timm 1.0, transformers 4.57 to 5.23, torchvision 0.29, torch 2.15 and of models_v2.py in
the DeiT repository, https://github.com/facebookresearch/deit.
"""

from collections.abc import Collection
from typing import NamedTuple

Rule = tuple[str, str | tuple[str, str, str]]


class Layout(NamedTuple):
    """How a library names the parts of one kind of model.

    Attributes:
        family: "vit", "bert" or "torch": the models that it names; "" for any.
        rules: the table; empty where the names are ours.
        older: (pattern, replacement) pairs that bring the library's other spellings to the one of the table.
        prefix: what stands before its names in a model that has a head, except before those in ``heads``.
        heads: what the names of a head begin with.
        copies: (name, name of the parameter that it repeats) pairs of its tied parameters.
        dropped: pattern of its names that have no place in our models.
    """

    family: str
    rules: tuple[Rule, ...] = ()
    older: tuple[tuple[str, str], ...] = ()
    prefix: str = ""
    heads: tuple[str, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
    dropped: str = r"(?!)"


DEIT_BLOCKS: tuple[Rule, ...] = (
    ("blocks.*.ls1.gamma", "blocks.*.gamma_1"),
    ("blocks.*.ls2.gamma", "blocks.*.gamma_2"),
    *((f"blocks.*.{part}", f"blocks.*.{part}") for part in ("norm1", "attn", "norm2", "mlp")),
)
DEIT_PARALLEL_BLOCKS: tuple[Rule, ...] = (
    ("blocks.*.attns.0.norm", "blocks.*.norm1"),
    ("blocks.*.attns.1.norm", "blocks.*.norm11"),
    ("blocks.*.attns.0.attn", "blocks.*.attn"),
    ("blocks.*.attns.1.attn", "blocks.*.attn1"),
    ("blocks.*.attns.0.ls.gamma", "blocks.*.gamma_1"),
    ("blocks.*.attns.1.ls.gamma", "blocks.*.gamma_1_1"),
    ("blocks.*.ffns.0.norm", "blocks.*.norm2"),
    ("blocks.*.ffns.1.norm", "blocks.*.norm21"),
    ("blocks.*.ffns.0.mlp", "blocks.*.mlp"),
    ("blocks.*.ffns.1.mlp", "blocks.*.mlp1"),
    ("blocks.*.ffns.0.ls.gamma", "blocks.*.gamma_2"),
    ("blocks.*.ffns.1.ls.gamma", "blocks.*.gamma_2_1"),
)
HF_VIT: tuple[Rule, ...] = (
    ("cls_token", "embeddings.cls_token"),
    ("pos_embed", "embeddings.position_embeddings"),
    ("patch_embed.proj", "embeddings.patch_embeddings.projection"),
    ("blocks.*.norm1", "layers.*.layernorm_before"),
    ("blocks.*.attn.qkv", tuple(f"layers.*.attention.{part}_proj" for part in "qkv")),
    ("blocks.*.attn.proj", "layers.*.attention.o_proj"),
    ("blocks.*.norm2", "layers.*.layernorm_after"),
    ("blocks.*.mlp", "layers.*.mlp"),
    ("norm", "layernorm"),
    ("head", "classifier"),
)
# Before transformers 5.9, and on disk to this day.
HF_VIT_OLDER = (
    (r"^vit\.", ""),
    (r"^encoder\.layer\.", "layers."),
    (r"\.attention\.attention\.(q|k|v)(?:uery|ey|alue)\.", r".attention.\1_proj."),
    (r"\.attention\.output\.dense\.", ".attention.o_proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"^(layers\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
)

_TORCHVISION_LAYER = "encoder.layers.encoder_layer_*"
TORCHVISION: tuple[Rule, ...] = (
    ("cls_token", "class_token"),
    ("pos_embed", "encoder.pos_embedding"),
    ("patch_embed.proj", "conv_proj"),
    ("blocks.*.norm1", f"{_TORCHVISION_LAYER}.ln_1"),
    ("blocks.*.attn.qkv.weight", f"{_TORCHVISION_LAYER}.self_attention.in_proj_weight"),
    ("blocks.*.attn.qkv.bias", f"{_TORCHVISION_LAYER}.self_attention.in_proj_bias"),
    ("blocks.*.attn.proj", f"{_TORCHVISION_LAYER}.self_attention.out_proj"),
    ("blocks.*.norm2", f"{_TORCHVISION_LAYER}.ln_2"),
    ("blocks.*.mlp.fc1", f"{_TORCHVISION_LAYER}.mlp.0"),
    ("blocks.*.mlp.fc2", f"{_TORCHVISION_LAYER}.mlp.3"),
    ("norm", "encoder.ln"),
    ("head", "heads.head"),
)
TORCHVISION_OLDER = ((r"\.mlp\.linear_1\.", ".mlp.0."), (r"\.mlp\.linear_2\.", ".mlp.3."))


def _torch_attention(ours: str, theirs: str) -> tuple[Rule, ...]:
    packed = tuple((f"{ours}qkv.{kind}", f"{theirs}in_proj_{kind}") for kind in ("weight", "bias"))
    return (*packed, (f"{ours}proj", f"{theirs}out_proj"))


def _torch_layer(stack: str, norms: int) -> tuple[Rule, ...]:
    layer = f"{stack}.layers.*"
    same = tuple((f"{layer}.norm{i}", f"{layer}.norm{i}") for i in range(1, norms + 1))
    return (*same, (f"{layer}.mlp.fc1", f"{layer}.linear1"), (f"{layer}.mlp.fc2", f"{layer}.linear2"))


TORCH: tuple[Rule, ...] = (
    *_torch_attention("", ""),  # nn.MultiheadAttention alone
    *_torch_attention("encoder.layers.*.attn.", "encoder.layers.*.self_attn."),
    *_torch_layer("encoder", 2),
    *_torch_attention("decoder.layers.*.self_attn.", "decoder.layers.*.self_attn."),
    *_torch_attention("decoder.layers.*.cross_attn.", "decoder.layers.*.multihead_attn."),
    *_torch_layer("decoder", 3),
    ("encoder.norm", "encoder.norm"),
    ("decoder.norm", "decoder.norm"),
)

_BERT_LAYER = "encoder.layer.*"
BERT: tuple[Rule, ...] = (
    ("embeddings.word", "embeddings.word_embeddings"),
    ("embeddings.position", "embeddings.position_embeddings"),
    ("embeddings.segment", "embeddings.token_type_embeddings"),
    ("embeddings.norm", "embeddings.LayerNorm"),
    (
        "encoder.layers.*.attn.qkv",
        tuple(f"{_BERT_LAYER}.attention.self.{part}" for part in ("query", "key", "value")),
    ),
    ("encoder.layers.*.attn.proj", f"{_BERT_LAYER}.attention.output.dense"),
    ("encoder.layers.*.norm1", f"{_BERT_LAYER}.attention.output.LayerNorm"),
    ("encoder.layers.*.mlp.fc1", f"{_BERT_LAYER}.intermediate.dense"),
    ("encoder.layers.*.mlp.fc2", f"{_BERT_LAYER}.output.dense"),
    ("encoder.layers.*.norm2", f"{_BERT_LAYER}.output.LayerNorm"),
    ("pooler", "pooler.dense"),
)


def _inside(prefix: str, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    def put(name: str | tuple[str, ...]) -> str | tuple[str, ...]:
        return prefix + name if isinstance(name, str) else tuple(prefix + part for part in name)

    return tuple((put(own), put(theirs)) for own, theirs in rules)


BERT_WITH_HEADS: tuple[Rule, ...] = (
    *_inside("bert.", BERT),
    ("mlm.transform", "cls.predictions.transform.dense"),
    ("mlm.norm", "cls.predictions.transform.LayerNorm"),
    ("mlm.bias", "cls.predictions.bias"),
    ("nsp", "cls.seq_relationship"),
)
_BERT_COPIES = (
    ("cls.predictions.decoder.weight", "bert.embeddings.word_embeddings.weight"),
    ("cls.predictions.decoder.bias", "cls.predictions.bias"),
)
# Files of the time of TensorFlow say gamma and beta.
_BERT_OLDER = ((r"LayerNorm\.gamma$", "LayerNorm.weight"), (r"LayerNorm\.beta$", "LayerNorm.bias"))

_SAME = tuple((name, name) for name in ("cls_token", "pos_embed", "patch_embed.proj", "norm", "head"))
LAYOUTS: dict[str, Layout] = {
    "vitcourse": Layout(""),
    "timm": Layout("vit"),
    "deit": Layout("vit", (*_SAME, *DEIT_BLOCKS)),
    "hf": Layout(
        "vit",
        HF_VIT,
        HF_VIT_OLDER,
        prefix="vit.",
        heads=("classifier.",),
        dropped=r"(vit\.)?(pooler\..*|embeddings\.mask_token)",
    ),
    "torchvision": Layout("vit", TORCHVISION, TORCHVISION_OLDER),
    "hf_bert": Layout(
        "bert",
        (*BERT, *BERT_WITH_HEADS),
        _BERT_OLDER,
        copies=_BERT_COPIES,
        dropped=r"(bert\.)?embeddings\.position_ids",
    ),
    "torch": Layout("torch", TORCH),
}
_DEIT_PARALLEL = Layout("vit", (*_SAME, *DEIT_PARALLEL_BLOCKS))


def layout_of(library: str, names: Collection[str]) -> Layout:
    """The layout of a library for a state dict with these names, its own or ours.

    DeiT gives names such as ``norm1`` and ``gamma_1`` another meaning in its parallel blocks.
    """
    parallel = any(".norm11." in name or ".attns." in name for name in names)
    return _DEIT_PARALLEL if library == "deit" and parallel else LAYOUTS[library]

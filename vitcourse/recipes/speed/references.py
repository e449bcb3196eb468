"""The same vision transformer from other libraries, built from our config and given our weights."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from vitcourse.vit import VisionTransformer, ViTConfig
from vitcourse.weights import convert


def timm_model(c: ViTConfig) -> nn.Module:
    """timm's VisionTransformer; a parallel config takes its ``ParallelThingsBlock``."""
    from timm.models.vision_transformer import Block, ParallelThingsBlock, VisionTransformer

    parallel = partial(ParallelThingsBlock, num_parallel=c.num_parallel)
    return VisionTransformer(
        img_size=c.image_size,
        patch_size=c.patch_size,
        in_chans=c.in_chans,
        num_classes=c.num_classes,
        global_pool="token" if c.pool == "cls" else "avg",
        embed_dim=c.dim,
        depth=c.depth,
        num_heads=c.num_heads,
        mlp_ratio=c.mlp_ratio,
        qkv_bias=c.qkv_bias,
        init_values=1e-4 if c.block.endswith("layer_scale_init") else c.init_values,
        no_embed_class=not c.class_token_has_position,
        proj_drop_rate=c.drop_rate,
        attn_drop_rate=c.attn_drop_rate,
        drop_path_rate=c.drop_path_rate,
        norm_layer=partial(nn.LayerNorm, eps=c.norm_eps),
        block_fn=parallel if c.block.startswith("parallel") else Block,
    )


def hf_model(c: ViTConfig) -> nn.Module:
    """Hugging Face's ViTForImageClassification, with the fused attention."""
    from transformers import ViTConfig, ViTForImageClassification

    _plain("Hugging Face's ViT", c)
    return ViTForImageClassification(
        ViTConfig(
            hidden_size=c.dim,
            num_hidden_layers=c.depth,
            num_attention_heads=c.num_heads,
            intermediate_size=int(c.dim * c.mlp_ratio),
            layer_norm_eps=c.norm_eps,
            image_size=c.image_size,
            patch_size=c.patch_size,
            num_channels=c.in_chans,
            qkv_bias=c.qkv_bias,
            num_labels=c.num_classes,
            attn_implementation="sdpa",
        )
    )


def torchvision_model(c: ViTConfig) -> nn.Module:
    """torchvision's VisionTransformer."""
    from torchvision.models import VisionTransformer

    _plain("torchvision's ViT", c)
    return VisionTransformer(
        image_size=c.image_size,
        patch_size=c.patch_size,
        num_layers=c.depth,
        num_heads=c.num_heads,
        hidden_dim=c.dim,
        mlp_dim=int(c.dim * c.mlp_ratio),
        num_classes=c.num_classes,
        norm_layer=partial(nn.LayerNorm, eps=c.norm_eps),
    )


def _plain(library: str, c: ViTConfig) -> None:
    wanted = {"block": "block", "init_values": None, "stem": "linear", "pool": "cls", "class_token_has_position": True}
    for field, value in wanted.items():
        if getattr(c, field) != value:
            raise ValueError(f"{library} has no {field}={getattr(c, field)!r}, only {value!r}")


REFERENCES: dict[str, Callable[[ViTConfig], nn.Module]] = {
    "timm": timm_model,
    "hf": hf_model,
    "torchvision": torchvision_model,
}


def reference(library: str, ours: VisionTransformer) -> nn.Module:
    """The model of a library with the weights of ours, in its dtype, on its device and in its mode.

    Args:
        library: "timm", "hf" or "torchvision".
        ours: the model whose config and weights are taken.

    Raises:
        ValueError: the library cannot build such a model.
    """
    weight = next(ours.parameters())
    theirs = REFERENCES[library](ours.config).to(weight.device, weight.dtype)
    theirs.load_state_dict(convert(ours.state_dict(), "vitcourse", library, ours.config))
    return theirs.train(ours.training)


def logits(output: object) -> Tensor:
    """The logits (B, K) of a model of any library."""
    return output if isinstance(output, Tensor) else output.logits

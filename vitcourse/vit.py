"""The vision transformer: one frozen config, one model, and the named sizes of the papers.

Shape legend: B batch, C channels, N patches, D width, K classes.

Sources: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), https://arxiv.org/abs/2010.11929, section 3.1 and
Table 1; Touvron et al., "Training data-efficient image transformers" (2020), https://arxiv.org/abs/2012.12877, Table 1
(Ti, S); Touvron et al., "DeiT III" (2022), https://arxiv.org/abs/2204.07118 (class token without position).
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from vitcourse.blocks import BLOCKS
from vitcourse.patches import ConvolutionalStem, HierarchicalMLPStem, PatchEmbed

STEMS: dict[str, type[nn.Module]] = {"linear": PatchEmbed, "hmlp": HierarchicalMLPStem, "conv": ConvolutionalStem}
CHOICES = {
    "block": tuple(BLOCKS),
    "stem": tuple(STEMS),
    "pool": ("cls", "avg"),
    "drop_path_schedule": ("linear", "constant"),
}


@dataclass(frozen=True)
class ViTConfig:
    """Everything that defines a `VisionTransformer`; the defaults are ViT-B/16 at 224 pixels, 1000 classes.

    Attributes:
        num_classes: classes of the head; 0 for no head (the model then returns pooled features).
        block: a name in `blocks.BLOCKS`; ``num_parallel`` is read by the parallel ones.
        init_values: start of the LayerScale gammas; None takes the block's own default.
        drop_path_schedule: "linear", 0 in the first block to the rate in the last (timm), or "constant" (DeiT).
        stem: "linear" patches, "hmlp" (patch size 16 only), or "conv" (a patch size that is a power of 2).
        class_token_has_position: False adds positions to the patches alone, as DeiT III does.
        pool: "cls" takes the normed class token; "avg" norms the mean of the patch tokens (timm's ``fc_norm``).

    Raises:
        ValueError: a named choice that is not one of `CHOICES`, or sizes that do not divide (from the parts).
        TypeError: an unknown field.
    """

    image_size: int = 224
    patch_size: int = 16
    in_chans: int = 3
    num_classes: int = 1000
    dim: int = 768
    depth: int = 12
    num_heads: int = 12
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    block: str = "block"
    num_parallel: int = 1
    init_values: float | None = None
    drop_rate: float = 0.0
    attn_drop_rate: float = 0.0
    drop_path_rate: float = 0.0
    drop_path_schedule: str = "linear"
    stem: str = "linear"
    class_token_has_position: bool = True
    norm_eps: float = 1e-6
    pool: str = "cls"

    def __post_init__(self):
        for field, choices in CHOICES.items():
            if getattr(self, field) not in choices:
                raise ValueError(f"{field} must be one of {', '.join(choices)}, got {getattr(self, field)!r}")


class VisionTransformer(nn.Module):
    """ViT (Dosovitskiy et al. 2020, equations 1 to 4), with the options of DeiT and DeiT III. Keys are timm's."""

    def __init__(self, config: ViTConfig):
        super().__init__()
        self.config = c = config
        self.patch_embed = STEMS[c.stem](c.image_size, c.patch_size, c.in_chans, c.dim)
        self.cls_token = nn.Parameter(torch.empty(1, 1, c.dim))
        positions = self.patch_embed.num_patches + c.class_token_has_position
        self.pos_embed = nn.Parameter(torch.empty(1, positions, c.dim))
        self.pos_drop = nn.Dropout(c.drop_rate)
        self.blocks = nn.ModuleList(self._block(i) for i in range(c.depth))
        # "avg" pools first and norms the one vector that is left; timm gives that norm another name.
        self.norm = nn.LayerNorm(c.dim, eps=c.norm_eps) if c.pool == "cls" else nn.Identity()
        self.fc_norm = nn.LayerNorm(c.dim, eps=c.norm_eps) if c.pool == "avg" else nn.Identity()
        self.head = nn.Linear(c.dim, c.num_classes) if c.num_classes else nn.Identity()
        self.apply(_init_linear)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        nn.init.trunc_normal_(self.cls_token, std=0.02)

    def _block(self, index: int) -> nn.Module:
        c = self.config
        share = 1.0 if c.drop_path_schedule == "constant" else index / max(c.depth - 1, 1)
        options = {"num_parallel": c.num_parallel} if c.block.startswith("parallel") else {}
        if c.init_values is not None:
            options["init_values"] = c.init_values
        return BLOCKS[c.block](
            c.dim,
            c.num_heads,
            c.mlp_ratio,
            c.qkv_bias,
            c.drop_rate,
            c.attn_drop_rate,
            c.drop_path_rate * share,
            norm_eps=c.norm_eps,
            **options,
        )

    def embed(self, images: Tensor) -> Tensor:
        """Images (B, C, height, width) to tokens (B, 1 + N, D): class token, patches, positions (equation 1)."""
        tokens = self.patch_embed(images)
        cls_token = self.cls_token.expand(tokens.shape[0], -1, -1)  # len() would fix the batch of an exported program
        if self.config.class_token_has_position:
            tokens = torch.cat([cls_token, tokens], dim=1) + self.pos_embed
        else:
            tokens = torch.cat([cls_token, tokens + self.pos_embed], dim=1)
        return self.pos_drop(tokens)

    def forward_features(self, images: Tensor) -> Tensor:
        """Tokens (B, 1 + N, D) after the last block (and its norm, with "cls" pooling); the class token is first."""
        tokens = self.embed(images)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)

    def pool(self, tokens: Tensor) -> Tensor:
        """One vector an image, (B, D), from `forward_features`."""
        return tokens[:, 0] if self.config.pool == "cls" else self.fc_norm(tokens[:, 1:].mean(dim=1))

    def forward(self, images: Tensor) -> Tensor:
        """Logits (B, K), or pooled features (B, D) where the config has no classes.

        Raises:
            ValueError: the images do not have the config's size and channels.
        """
        return self.head(self.pool(self.forward_features(images)))


def _init_linear(module: nn.Module) -> None:
    """DeiT's and timm's start: linear weights from a normal of deviation 0.02 cut at 2, biases 0."""
    if isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


_BASE = ViTConfig()
VARIANTS: dict[str, ViTConfig] = {
    "ti/16": replace(_BASE, dim=192, num_heads=3),
    "s/16": replace(_BASE, dim=384, num_heads=6),
    "b/16": _BASE,
    "l/16": replace(_BASE, dim=1024, depth=24, num_heads=16),
}

"""The two kinds of Transformer layer and the stacks that they make: vectors in, vectors out.

Shape legend: B batch, S source tokens, T target tokens, D width. Masks as in `vitcourse.attention`: True = attend;
padding is (B, 1, 1, S).

Sources: Vaswani et al., "Attention Is All You Need" (2017), https://arxiv.org/abs/1706.03762, sections 3.1 and 3.3;
Xiong et al., "On Layer Normalization in the Transformer Architecture" (2020), https://arxiv.org/abs/2002.04745, Figure
1 (post-norm against pre-norm). The stacks are those of `torch.nn.Transformer`.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from vitcourse.attention import KeyValueCache, MultiHeadAttention
from vitcourse.blocks import Mlp

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU}


@dataclass(frozen=True)
class LayerConfig:
    """What one encoder or decoder layer needs to know; the defaults are the base model of Vaswani et al., Table 3.

    Attributes:
        mlp_ratio: hidden width of the MLP over D.
        activation: "relu" (Vaswani et al., equation 2) or "gelu" (the exact one, as in BERT).
        norm_first: False norms each sum, as in 2017; True norms what goes into a sub-layer, as ViT does.
        norm_eps: epsilon of the layer norms.
        dropout: on the output of each sub-layer and on the embeddings (section 5.4).
        attn_dropout: on the attention weights; the paper names none, torch and BERT have it.
        mlp_dropout: on the MLP's hidden layer; torch alone has it.

    Raises:
        ValueError: an unknown activation.
        TypeError: an unknown field.
    """

    dim: int = 512
    num_heads: int = 8
    mlp_ratio: float = 4.0
    activation: str = "relu"
    norm_first: bool = False
    norm_eps: float = 1e-5
    dropout: float = 0.1
    attn_dropout: float = 0.0
    mlp_dropout: float = 0.0

    def __post_init__(self):
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {self.activation!r}")


class FeedForward(Mlp):
    """The MLP of a layer (section 3.3, equation 2) with the config's activation and dropout."""

    def __init__(self, config: LayerConfig):
        super().__init__(config.dim, round(config.dim * config.mlp_ratio), config.dropout)
        self.act = ACTIVATIONS[config.activation]()
        self.drop1 = nn.Dropout(config.mlp_dropout)


class EncoderLayer(nn.Module):
    """Two sub-layers, self-attention and MLP, each with a residual connection and a norm (section 3.1)."""

    def __init__(self, config: LayerConfig):
        super().__init__()
        self.norm_first = config.norm_first
        self.attn = _attention(config)
        self.norm1 = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.mlp = FeedForward(config)
        self.norm2 = nn.LayerNorm(config.dim, eps=config.norm_eps)

    def forward(self, x: Tensor, mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        """(B, S, D) to the same shape; ``mask`` and ``is_causal`` as in `MultiHeadAttention`."""
        if self.norm_first:
            x = x + self.attn(self.norm1(x), mask=mask, is_causal=is_causal)
            return x + self.mlp(self.norm2(x))
        x = self.norm1(x + self.attn(x, mask=mask, is_causal=is_causal))
        return self.norm2(x + self.mlp(x))


class DecoderLayer(nn.Module):
    """Three sub-layers: causal self-attention, attention to the encoder's output (the memory), MLP (section 3.1)."""

    def __init__(self, config: LayerConfig):
        super().__init__()
        self.norm_first = config.norm_first
        self.self_attn = _attention(config)
        self.norm1 = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.cross_attn = _attention(config)
        self.norm2 = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.mlp = FeedForward(config)
        self.norm3 = nn.LayerNorm(config.dim, eps=config.norm_eps)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        caches: tuple[KeyValueCache, KeyValueCache] | tuple[None, None] = (None, None),
    ) -> Tensor:
        """x (B, T, D) and memory (B, S, D) to (B, T, D); ``caches`` as `DecoderCache` makes them."""
        own, cross = {"mask": mask, "is_causal": True, "cache": caches[0]}, {"mask": memory_mask, "cache": caches[1]}
        if self.norm_first:
            x = x + self.self_attn(self.norm1(x), **own)
            x = x + self.cross_attn(self.norm2(x), memory, **cross)
            return x + self.mlp(self.norm3(x))
        x = self.norm1(x + self.self_attn(x, **own))
        x = self.norm2(x + self.cross_attn(x, memory, **cross))
        return self.norm3(x + self.mlp(x))


def _attention(config: LayerConfig) -> MultiHeadAttention:
    return MultiHeadAttention(config.dim, config.num_heads, attn_drop=config.attn_dropout, proj_drop=config.dropout)


class Encoder(nn.Module):
    """A stack of `EncoderLayer`, and a norm where ``final_norm`` asks for it."""

    def __init__(self, config: LayerConfig, depth: int, final_norm: bool = False):
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(depth))
        self.norm = nn.LayerNorm(config.dim, eps=config.norm_eps) if final_norm else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        """(B, S, D) to the same shape."""
        for layer in self.layers:
            x = layer(x, mask, is_causal)
        return self.norm(x)


class DecoderCache:
    """What a `Decoder` keeps between calls: two caches a layer. Self-attention's grows, the memory's stays."""

    def __init__(self, depth: int):
        self.layers = [(KeyValueCache(), KeyValueCache(fixed=True)) for _ in range(depth)]

    @property
    def length(self) -> int:
        """Target tokens already seen."""
        key = self.layers[0][0].key
        return 0 if key is None else key.shape[-2]

    def reorder(self, rows: Tensor) -> None:
        """Row i of the batch goes on from what row ``rows[i]`` (B,) has seen. Rows may change places only within one
        source: the memory's keys and values stay where they are."""
        for own, _ in self.layers:
            own.key, own.value = own.key[rows], own.value[rows]


class Decoder(nn.Module):
    """A stack of `DecoderLayer`, and a norm where ``final_norm`` asks for it."""

    def __init__(self, config: LayerConfig, depth: int, final_norm: bool = False):
        super().__init__()
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(depth))
        self.norm = nn.LayerNorm(config.dim, eps=config.norm_eps) if final_norm else nn.Identity()

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        cache: DecoderCache | None = None,
    ) -> Tensor:
        """x (B, T, D) and memory (B, S, D) to (B, T, D). With a cache, x holds the new tokens alone."""
        for i, layer in enumerate(self.layers):
            x = layer(x, memory, mask, memory_mask, cache.layers[i] if cache is not None else (None, None))
        return self.norm(x)

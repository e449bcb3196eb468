"""The encoder-decoder Transformer: token ids in, logits of the next token out.

Shape legend: B batch, S source tokens, T target tokens, D width, V entries of the target vocabulary.

Source: Vaswani et al., "Attention Is All You Need" (2017), https://arxiv.org/abs/1706.03762, section 3 and Table 3. The
layers are in `vitcourse.transformer.layers`, decoding in `vitcourse.transformer.decoding`.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.positions import sinusoidal
from vitcourse.transformer.layers import Decoder, DecoderCache, Encoder, LayerConfig


@dataclass(frozen=True)
class TransformerConfig(LayerConfig):
    """Everything that defines a `Transformer`; the defaults are the base model for English to German.

    Attributes:
        max_length: tokens of the longest source or target.
        share_embeddings: one table for source, target and, transposed, the output (section 3.4).
        pad_id: the token that fills sources up; it is never attended to, and never written.
        final_norm: a norm after each stack; None follows ``norm_first``, which needs one. torch always has it.

    Raises:
        ValueError: a depth below 1, or shared embeddings of two sizes.
    """

    source_vocab: int = 37_000
    target_vocab: int = 37_000
    encoder_depth: int = 6
    decoder_depth: int = 6
    max_length: int = 512
    share_embeddings: bool = True
    pad_id: int = 0
    final_norm: bool | None = None

    def __post_init__(self):
        super().__post_init__()
        for field in ("encoder_depth", "decoder_depth"):
            if getattr(self, field) < 1:
                raise ValueError(f"{field} must be at least 1, got {getattr(self, field)}")
        if self.share_embeddings and self.source_vocab != self.target_vocab:
            sizes = f"source_vocab={self.source_vocab} and target_vocab={self.target_vocab}"
            raise ValueError(f"shared embeddings need one vocabulary, got {sizes}")


class Transformer(nn.Module):
    """Token ids in, logits of the next token out (Vaswani et al. 2017, Figure 1).

    Keys: ``source_embed``, ``target_embed`` and ``output`` (the last two only where the embeddings are not shared),
    ``encoder.layers.N.{attn.qkv, attn.proj, norm1, mlp.fc1, mlp.fc2, norm2}``, ``decoder.layers.N.{self_attn.*, norm1,
    cross_attn.*, norm2, mlp.*, norm3}``, ``encoder.norm`` and ``decoder.norm``. Positions are computed, not stored.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = c = config
        final_norm = c.norm_first if c.final_norm is None else c.final_norm
        self.source_embed = nn.Embedding(c.source_vocab, c.dim)
        self.target_embed = None if c.share_embeddings else nn.Embedding(c.target_vocab, c.dim)
        self.register_buffer("positions", sinusoidal(c.max_length, c.dim), persistent=False)
        self.drop = nn.Dropout(c.dropout)
        self.encoder = Encoder(c, c.encoder_depth, final_norm)
        self.decoder = Decoder(c, c.decoder_depth, final_norm)
        self.output = None if c.share_embeddings else nn.Linear(c.dim, c.target_vocab, bias=False)
        self.apply(_init)

    def padding_mask(self, tokens: Tensor) -> Tensor:
        """(B, S) ids to (B, 1, 1, S): True where there is a token, False where there is padding."""
        return (tokens != self.config.pad_id)[:, None, None]

    def embed(self, tokens: Tensor, table: nn.Embedding, start: int = 0) -> Tensor:
        """(B, S) ids to (B, S, D): rows of the table times sqrt(D) (section 3.4), plus positions from ``start`` on."""
        check_tokens(tokens, table.num_embeddings, self.config.max_length, start)
        x = table(tokens) * math.sqrt(self.config.dim)
        return self.drop(x + self.positions[start : start + tokens.shape[1]])

    def encode(self, source: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """Source ids (B, S) to the memory (B, S, D). The mask is `padding_mask` unless another is given."""
        x = self.embed(source, self.source_embed)
        expected = (source.shape[0], 1, 1, source.shape[1])  # len() would fix the batch of an export
        if source_mask is None:
            source_mask = self.padding_mask(source)
        elif source_mask.shape != expected:
            raise ValueError(f"source_mask must have shape (B, 1, 1, S) = {expected}, got {tuple(source_mask.shape)}")
        return self.encoder(x, source_mask)

    def decode(
        self, target: Tensor, memory: Tensor, memory_mask: Tensor | None = None, cache: DecoderCache | None = None
    ) -> Tensor:
        """Target ids (B, T) and memory (B, S, D) to logits (B, T, V); position t sees the target up to t.

        ``memory_mask`` is the source's `padding_mask`; None attends to all of the memory. A target is padded at its
        end, where the causal mask already hides it from every token before it. With a cache, ``target`` holds only the
        ids that the cache has not seen.
        """
        table = self.source_embed if self.target_embed is None else self.target_embed
        x = self.embed(target, table, 0 if cache is None else cache.length)
        x = self.decoder(x, memory, memory_mask=memory_mask, cache=cache)
        return F.linear(x, table.weight if self.output is None else self.output.weight)

    def new_cache(self) -> DecoderCache:
        """An empty cache for `decode`."""
        return DecoderCache(self.config.decoder_depth)

    def forward(self, source: Tensor, target: Tensor, source_mask: Tensor | None = None) -> Tensor:
        """Source ids (B, S) and target ids (B, T), which start with the start token, to logits (B, T, V).

        The logits at t are of the token that follows target[:, t] ("outputs shifted right" in the paper's figure).

        Raises:
            ValueError: ids outside the vocabulary, more tokens than ``max_length``, or a mask that is not (B, 1, 1, S).
        """
        memory = self.encode(source, source_mask)
        return self.decode(target, memory, self.padding_mask(source) if source_mask is None else source_mask)


def check_tokens(tokens: Tensor, vocab_size: int, max_length: int, start: int = 0, name: str = "token") -> None:
    """Raises ValueError where ids (B, N) do not fit a model, naming both values."""
    if tokens.ndim != 2:
        raise ValueError(f"{name} ids must have two axes (batch, length), got shape {tuple(tokens.shape)}")
    if start + tokens.shape[1] > max_length:
        raise ValueError(f"the model has {max_length} positions, got {start + tokens.shape[1]} tokens")
    # The values are looked at where that costs nothing: not while compiling, and not on a GPU, which would wait.
    if tokens.device.type == "cpu" and tokens.numel() and not torch.compiler.is_compiling():
        least, most = (int(value) for value in tokens.aminmax())
        if least < 0 or most >= vocab_size:
            raise ValueError(f"{name} ids must be in 0 to {vocab_size - 1}, got {least if least < 0 else most}")


def _init(module: nn.Module) -> None:
    """Xavier for matrices, as torch.nn.Transformer; embeddings of variance 1/D, so that sqrt(D) makes it 1."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=module.embedding_dim**-0.5)

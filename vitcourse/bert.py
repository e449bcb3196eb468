"""BERT: a post-norm encoder that reads both ways, pre-trained to fill gaps and to tell whether B follows A.

Shape legend: B batch, N tokens, D width, V entries of the vocabulary.

Source: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding" (2018),
https://arxiv.org/abs/1810.04805, section 3 and appendix A. Its training examples are made in
`vitcourse.data.pretraining`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.data.pretraining import IGNORED, SpecialTokens, make_pretraining_examples, mask_tokens
from vitcourse.transformer.layers import Encoder, LayerConfig
from vitcourse.transformer.model import check_tokens

__all__ = [
    "IGNORED",
    "Bert",
    "BertConfig",
    "BertForPreTraining",
    "PreTrainingOutput",
    "SpecialTokens",
    "make_pretraining_examples",
    "mask_tokens",
]


@dataclass(frozen=True)
class BertConfig(LayerConfig):
    """Everything that defines a `Bert`; the defaults are BERT base (section 3, "Model Architecture").

    Attributes:
        max_length: learned positions.
        num_segments: how many kinds of segment there are (A and B).
        pad_id: the token whose word embedding starts at zero and stays there, but for the MLM head that shares it.
        is_causal: hide the future from every token, as GPT does, to compare with the model that reads both ways.

    The fields of `LayerConfig` come first, with BERT's values: GELU, post-norm, epsilon 1e-12.
    """

    dim: int = 768
    num_heads: int = 12
    activation: str = "gelu"
    norm_eps: float = 1e-12
    attn_dropout: float = 0.1
    depth: int = 12
    vocab_size: int = 30_522
    max_length: int = 512
    num_segments: int = 2
    pad_id: int = 0
    is_causal: bool = False


class BertEmbeddings(nn.Module):
    """Word, position and segment embeddings, added and normed (Figure 2)."""

    def __init__(self, config: BertConfig):
        super().__init__()
        c = config
        self.word = nn.Embedding(c.vocab_size, c.dim, padding_idx=c.pad_id)
        self.position = nn.Embedding(c.max_length, c.dim)
        self.segment = nn.Embedding(c.num_segments, c.dim)
        self.norm = nn.LayerNorm(c.dim, eps=c.norm_eps)
        self.drop = nn.Dropout(c.dropout)

    def forward(self, tokens: Tensor, segments: Tensor | None = None) -> Tensor:
        """Ids and segments, (B, N) each, to (B, N, D)."""
        check_tokens(tokens, self.word.num_embeddings, self.position.num_embeddings)
        if segments is None:
            segments = torch.zeros_like(tokens)
        elif segments.shape != tokens.shape:
            raise ValueError(f"segments must have the tokens' shape {tuple(tokens.shape)}, got {tuple(segments.shape)}")
        check_tokens(segments, self.segment.num_embeddings, self.position.num_embeddings, name="segment")
        positions = self.position.weight[: tokens.shape[1]]
        return self.drop(self.norm(self.word(tokens) + self.segment(segments) + positions))


class Bert(nn.Module):
    """The encoder with its embeddings and its pooler (section 3). Here and in Hugging Face's ``BertModel``:

    ==================================  ==================================================================
    ours                                Hugging Face
    ==================================  ==================================================================
    embeddings.word                     embeddings.word_embeddings
    embeddings.position                 embeddings.position_embeddings
    embeddings.segment                  embeddings.token_type_embeddings
    embeddings.norm                     embeddings.LayerNorm
    encoder.layers.N.attn.qkv           encoder.layer.N.attention.self.{query, key, value}, one above the other
    encoder.layers.N.attn.proj          encoder.layer.N.attention.output.dense
    encoder.layers.N.norm1              encoder.layer.N.attention.output.LayerNorm
    encoder.layers.N.mlp.fc1            encoder.layer.N.intermediate.dense
    encoder.layers.N.mlp.fc2            encoder.layer.N.output.dense
    encoder.layers.N.norm2              encoder.layer.N.output.LayerNorm
    pooler                              pooler.dense
    ==================================  ==================================================================
    """

    def __init__(self, config: BertConfig):
        super().__init__()
        self.config = config
        self.embeddings = BertEmbeddings(config)
        self.encoder = Encoder(config, config.depth)
        self.pooler = nn.Linear(config.dim, config.dim)
        self.apply(_init)

    def forward(
        self, tokens: Tensor, segments: Tensor | None = None, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Encodes a batch.

        Args:
            tokens: (B, N) ids, each row from [CLS] on.
            segments: (B, N), 0 in A and 1 in B; all 0 where it is None.
            mask: boolean (B, N) or (B, 1, 1, N), True = a token, False = padding; nothing is padding where it is None.

        Returns:
            All tokens (B, N, D), and the pooled [CLS], tanh of a linear layer (B, D).

        Raises:
            ValueError: ids or segments outside their tables, more tokens than positions, a mask of wrong shape or type.
        """
        x = self.encoder(self.embeddings(tokens, segments), _four_axes(mask, tokens), self.config.is_causal)
        return x, self.pooler(x[:, 0]).tanh()


def _four_axes(mask: Tensor | None, tokens: Tensor) -> Tensor | None:
    if mask is None:
        return None
    batch, length = tokens.shape
    if mask.shape not in ((batch, length), (batch, 1, 1, length)):
        raise ValueError(f"mask must have shape (B, N) = {batch, length} or (B, 1, 1, N), got {tuple(mask.shape)}")
    if mask.dtype != torch.bool:
        raise ValueError(f"mask must be of type {torch.bool} (True = a token), got {mask.dtype}")
    return mask.reshape(batch, 1, 1, length)


class MaskedLanguageHead(nn.Module):
    """Logits of the word at each place: linear, GELU, norm, then the word embedding transposed, and a bias.

    The word embedding is handed in at each call: the tie needs no second key.
    """

    def __init__(self, config: BertConfig):
        super().__init__()
        self.transform = nn.Linear(config.dim, config.dim)
        self.norm = nn.LayerNorm(config.dim, eps=config.norm_eps)
        self.bias = nn.Parameter(torch.zeros(config.vocab_size))

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        """x (B, N, D) and the word embedding (V, D) to logits (B, N, V)."""
        return F.linear(self.norm(F.gelu(self.transform(x))), words, self.bias)


class PreTrainingOutput(NamedTuple):
    """Logits of both tasks; the losses (scalars) of those for which there were labels, and their sum."""

    mlm_logits: Tensor  # (B, N, V)
    nsp_logits: Tensor  # (B, 2): B follows A, B is random
    loss: Tensor | None = None
    mlm_loss: Tensor | None = None
    nsp_loss: Tensor | None = None


class BertForPreTraining(nn.Module):
    """BERT with both heads of its pre-training (section 3.1). Here and in Hugging Face's class of the same name:

    ==================================  ==================================================================
    ours                                Hugging Face
    ==================================  ==================================================================
    bert.*                              bert.*, as in the table of `Bert`
    mlm.transform                       cls.predictions.transform.dense
    mlm.norm                            cls.predictions.transform.LayerNorm
    mlm.bias                            cls.predictions.bias, and again cls.predictions.decoder.bias
    bert.embeddings.word.weight         also cls.predictions.decoder.weight
    nsp                                 cls.seq_relationship
    ==================================  ==================================================================
    """

    def __init__(self, config: BertConfig):
        super().__init__()
        self.config = config
        self.bert = Bert(config)
        self.mlm = MaskedLanguageHead(config)
        self.nsp = nn.Linear(config.dim, 2)
        self.mlm.apply(_init)
        self.nsp.apply(_init)

    def forward(
        self,
        tokens: Tensor,
        segments: Tensor | None = None,
        mask: Tensor | None = None,
        labels: Tensor | None = None,
        next_sentence: Tensor | None = None,
    ) -> PreTrainingOutput:
        """The first three arguments are those of `Bert`; all five are what `make_pretraining_examples` gives.

        Args:
            labels: (B, N), the word that was at a masked place, `IGNORED` at all others. The loss is the mean cross
                entropy over the masked places, and 0 where there are none.
            next_sentence: (B,), 0 where B follows A and 1 where B is random. The loss is the mean cross entropy.
        """
        x, pooled = self.bert(tokens, segments, mask)
        mlm_logits, nsp_logits = self.mlm(x, self.bert.embeddings.word.weight), self.nsp(pooled)
        mlm_loss = nsp_loss = loss = None
        if labels is not None:
            total = F.cross_entropy(mlm_logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum")
            mlm_loss = total / (labels != IGNORED).sum().clamp(min=1)  # a mean over no place would be 0 / 0
        if next_sentence is not None:
            nsp_loss = F.cross_entropy(nsp_logits, next_sentence)
        losses = [value for value in (mlm_loss, nsp_loss) if value is not None]
        if losses:
            loss = sum(losses)
        return PreTrainingOutput(mlm_logits, nsp_logits, loss, mlm_loss, nsp_loss)


def _init(module: nn.Module) -> None:
    """BERT's start: weights from a normal of deviation 0.02, biases and the row of padding 0."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding) and module.padding_idx is not None:
        nn.init.zeros_(module.weight[module.padding_idx])

"""The encoder-decoder Transformer: its layers, the model, and the two ways to decode."""

from vitcourse.transformer.decoding import beam_decode, greedy_decode
from vitcourse.transformer.model import Transformer, TransformerConfig

__all__ = ["Transformer", "TransformerConfig", "beam_decode", "greedy_decode"]

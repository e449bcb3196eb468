"""Scaled dot-product attention and the one multi-head layer that every model of the course uses.

Shape legend: B batch, H heads, L queries, S keys, N tokens, D model width, d = D / H width of a head.

Masks: a boolean mask says True = attend; a floating mask is added to the scores. A key is masked by False or by -inf
and by nothing else. A query with no key left gets zeros (not NaN), with finite gradients, on every path and device.

Source: Vaswani et al., "Attention Is All You Need" (2017), https://arxiv.org/abs/1706.03762, section 3.2.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Scaled dot-product attention, written out: softmax(Q K^T / sqrt(d)) V (Vaswani et al. 2017, equation 1).

    Args:
        query: (..., L, d).
        key: (..., S, d).
        value: (..., S, d_v).
        mask: broadcastable to (..., L, S); boolean (True = attend) or floating (added to the scores).

    Returns:
        The output (..., L, d_v) and the weights (..., L, S). A row of weights sums to 1, or to 0 where every key is
        masked.

    Raises:
        ValueError: query and key differ in width, key and value differ in length, or the mask does not fit.
    """
    _check(query, key, value, mask)
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (..., L, S)
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        bias, empty = _bias_and_empty_rows(mask, scores.dtype)
        # An empty row keeps its scores through the softmax, so nothing is NaN, and is set to zero after it.
        weights = (scores + bias).softmax(dim=-1).masked_fill(empty, 0.0)
    return weights @ value, weights


def fused_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    is_causal: bool = False,
    dropout: float = 0.0,
) -> Tensor:
    """The same function through PyTorch's fused kernels, which never hold the (L, S) weights in memory.

    Shapes, masks and errors as in `attention`. ``is_causal`` hides the future and is aligned bottom-right: with L
    queries and S keys, query i sees keys 0 to S - L + i, so a few new queries continue a longer past.

    Args:
        dropout: probability of dropping a weight; the caller passes 0 outside training.
    """
    _check(query, key, value, mask)
    length, past = query.shape[-2], key.shape[-2]
    if is_causal and mask is None and length == past:  # the one case in which PyTorch's own alignment is the same
        return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
    if is_causal:
        mask = with_causal_mask(mask, length, past, query.device)
    if mask is None:
        return F.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
    bias, empty = _bias_and_empty_rows(mask, query.dtype)
    output = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=dropout)
    return output.masked_fill(empty, 0.0)


def causal_mask(length: int, past: int | None = None, device: torch.device | None = None) -> Tensor:
    """Boolean (length, past) mask, True = attend: query i sees keys 0 to past - length + i (past: length)."""
    past = length if past is None else past
    return torch.ones(length, past, dtype=torch.bool, device=device).tril(past - length)


def with_causal_mask(mask: Tensor | None, length: int, past: int, device: torch.device) -> Tensor:
    """A mask of either kind with the future hidden as well."""
    visible = causal_mask(length, past, device)
    if mask is None:
        return visible
    return mask & visible if mask.dtype == torch.bool else torch.where(visible, mask, -math.inf)


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> None:
    if query.shape[-1] != key.shape[-1]:
        raise ValueError(f"query and key must have the same width, got {query.shape[-1]} and {key.shape[-1]}")
    if key.shape[-2] != value.shape[-2]:
        raise ValueError(f"key and value must have the same length, got {key.shape[-2]} and {value.shape[-2]}")
    if mask is None:
        return
    if mask.dtype != torch.bool and not mask.is_floating_point():
        raise ValueError(f"mask must be boolean (True = attend) or floating (added), got {mask.dtype}")
    scores = (*torch.broadcast_shapes(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2])
    try:
        fits = torch.broadcast_shapes(mask.shape, scores) == torch.Size(scores)
    except RuntimeError:
        fits = False
    if not fits:
        raise ValueError(f"mask of shape {tuple(mask.shape)} does not broadcast to the scores' shape {scores}")


def _bias_and_empty_rows(mask: Tensor, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """A mask as what is added to the scores, and as (..., L, 1) which rows have every key masked (there: bias 0)."""
    if mask.dtype == torch.bool:
        hidden, bias = ~mask, torch.zeros_like(mask, dtype=dtype)
    else:
        # A finite -1e9 would become -inf in half precision, and mask what it was not meant to.
        least = max(torch.finfo(kind).min for kind in (dtype, mask.dtype)) / 2
        hidden, bias = mask == -math.inf, mask.clamp(min=least).to(dtype)
    empty = hidden.all(dim=-1, keepdim=True)
    return bias.masked_fill(hidden, -math.inf).masked_fill(empty, 0.0), empty


class KeyValueCache:
    """The keys and values one attention layer has already computed, (B, H, S, d) each; its owner is the decoder.

    With self-attention each call appends; with ``fixed=True`` (cross-attention) the first call's are kept for good.
    """

    def __init__(self, fixed: bool = False):
        self.fixed = fixed
        self.key: Tensor | None = None
        self.value: Tensor | None = None

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Adds new keys and values (B, H, L, d) at the end and returns all of them."""
        if self.key is not None:
            key, value = torch.cat([self.key, key], dim=-2), torch.cat([self.value, value], dim=-2)
        self.key, self.value = key, value
        return key, value


class MultiHeadAttention(nn.Module):
    """Multi-head attention (Vaswani et al. 2017, section 3.2.2): self-attention, or cross-attention with a context.

    One packed weight ``qkv`` (3D, D) holds the rows of query, key and value, head by head inside each, as in timm.
    Self-attention is one product with it; cross-attention uses its first third on x and the rest on the context.

    Args:
        dim: width D of the tokens.
        num_heads: number of heads H; D must be a multiple of it.
        qkv_bias: whether the three projections have a bias (``proj`` always has).
        attn_drop: dropout on the attention weights.
        proj_drop: dropout on the output.

    Raises:
        ValueError: ``dim`` is not a multiple of ``num_heads``.
    """

    def __init__(self, dim: int, num_heads: int, qkv_bias: bool = True, attn_drop: float = 0.0, proj_drop: float = 0.0):
        super().__init__()
        if num_heads < 1 or dim % num_heads:
            raise ValueError(f"dim must be a multiple of num_heads, got dim={dim} and num_heads={num_heads}")
        self.dim, self.num_heads, self.attn_drop = dim, num_heads, attn_drop
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)
        self.proj_drop = nn.Dropout(proj_drop)

    def forward(
        self,
        x: Tensor,
        context: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        is_causal: bool = False,
        cache: KeyValueCache | None = None,
        return_weights: bool = False,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attends from x to itself, or to ``context``.

        Args:
            x: (B, L, D).
            context: (B, S, D) that gives keys and values; x itself where it is None.
            mask: (L, S), or anything of four axes that broadcasts to (B, H, L, S); padding is (B, 1, 1, S).
            is_causal: hide the future, aligned bottom-right (see `fused_attention`).
            cache: keys and values of earlier calls, to which this call's are added.
            return_weights: also return the weights, (B, H, L, S), before dropout. The plain form computes them.

        Returns:
            The output (B, L, D), or ``(output, weights)``.

        Raises:
            ValueError: the last axis of x or context is not ``dim``, or the mask does not fit.
        """
        for name, tokens in (("x", x), ("context", context)):
            if tokens is not None and tokens.shape[-1] != self.dim:
                raise ValueError(f"{name} must have width {self.dim}, got {tokens.shape[-1]}")
        if mask is not None and mask.ndim not in (2, 4):
            raise ValueError(f"mask must have shape (L, S) or 4 axes (B, H, L, S), got {tuple(mask.shape)}")
        query, key, value = self._project(x, context, cache)  # (B, H, L or S, d)
        dropout = self.attn_drop if self.training else 0.0
        if return_weights:
            if is_causal:
                mask = with_causal_mask(mask, query.shape[-2], key.shape[-2], x.device)
            output, weights = attention(query, key, value, mask)
            if dropout:
                output = F.dropout(weights, dropout) @ value
        else:
            output = fused_attention(query, key, value, mask, is_causal, dropout)
        output = self.proj_drop(self.proj(output.transpose(1, 2).flatten(2)))  # heads side by side again: (B, L, D)
        return (output, weights) if return_weights else output

    def _project(self, x: Tensor, context: Tensor | None, cache: KeyValueCache | None) -> tuple[Tensor, Tensor, Tensor]:
        if context is None:
            query, key, value = self._split(self.qkv(x), 3)
            return query, *(cache.append(key, value) if cache is not None else (key, value))
        weight, bias = self.qkv.weight.split([self.dim, 2 * self.dim]), (None, None)
        if self.qkv.bias is not None:
            bias = self.qkv.bias.split([self.dim, 2 * self.dim])
        (query,) = self._split(F.linear(x, weight[0], bias[0]), 1)
        if cache is not None and cache.fixed and cache.key is not None:
            return query, cache.key, cache.value
        key, value = self._split(F.linear(context, weight[1], bias[1]), 2)
        return query, *(cache.append(key, value) if cache is not None else (key, value))

    def _split(self, packed: Tensor, parts: int) -> tuple[Tensor, ...]:
        # (B, L, parts * D) to parts of (B, H, L, d); einops would say the same, at a few microseconds a layer more
        return packed.unflatten(-1, (parts, self.num_heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)

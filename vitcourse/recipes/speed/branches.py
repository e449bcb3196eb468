"""Parallel branches in one product: the same function and parameters as `ParallelBlock`, computed all at once.

Shape legend: B batch, N tokens, D width, P branches, H heads, d = D / H.

The branches read the same x, so that their norms differ by scale and shift alone, and these go into the next linear
layer: W (n * g + b) + c = (W diag(g)) n + (W b + c). One product then makes the queries, keys and values of all
branches, one attention runs over P * H heads, and one product sums the branches, with the gammas in its rows.

`vitcourse record parallel_branches` measures both forms. The block of the course keeps the plain one: see the record.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.blocks import LayerScale, ParallelBlock


class Folded(NamedTuple):
    """Weights and biases of the first and the second product over all branches, and the epsilon of the norm."""

    weight_in: Tensor
    bias_in: Tensor
    weight_out: Tensor
    bias_out: Tensor
    eps: float


def fold(branches: nn.ModuleList) -> Folded:
    """Norms and scales folded into the linear layers around them; ``branches`` are a block's ``attns`` or ``ffns``."""
    weights_in, biases_in, weights_out, biases_out = [], [], [], []
    for branch in branches:
        first, last = (
            (branch.attn.qkv, branch.attn.proj) if hasattr(branch, "attn") else (branch.mlp.fc1, branch.mlp.fc2)
        )
        weights_in.append(first.weight * branch.norm.weight)
        shift = first.weight @ branch.norm.bias
        biases_in.append(shift if first.bias is None else shift + first.bias)
        gamma = branch.ls.gamma if isinstance(branch.ls, LayerScale) else torch.ones_like(last.bias)
        weights_out.append(gamma[:, None] * last.weight)
        biases_out.append(gamma * last.bias)
    # (P * out, D), (P * out,), (D, P * in), (D,)
    return Folded(
        torch.cat(weights_in),
        torch.cat(biases_in),
        torch.cat(weights_out, dim=1),
        sum(biases_out),
        branches[0].norm.eps,
    )


class FoldedBlock(nn.Module):
    """A `ParallelBlock` without dropout and drop path, all branches in one product.

    Args:
        block: the block whose parameters are used.
        once: fold now, for inference with fixed weights, and not in every call.
    """

    def __init__(self, block: ParallelBlock, once: bool = False):
        super().__init__()
        self.block = block
        self.heads = (len(block.attns), 3, block.attns[0].attn.num_heads)
        with torch.no_grad():
            self.folded = (fold(block.attns), fold(block.ffns)) if once else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) to (B, N, D)."""
        attns, ffns = self.folded or (fold(self.block.attns), fold(self.block.ffns))
        packed = F.linear(_norm(x, attns.eps), attns.weight_in, attns.bias_in)  # (B, N, P * 3 * D)
        heads = packed.unflatten(-1, (*self.heads, -1))
        query, key, value = heads.permute(3, 0, 2, 4, 1, 5).flatten(2, 3)  # (B, P * H, N, d) each
        output = F.scaled_dot_product_attention(query, key, value)
        x = x + F.linear(output.transpose(1, 2).flatten(2), attns.weight_out, attns.bias_out)
        hidden = F.gelu(F.linear(_norm(x, ffns.eps), ffns.weight_in, ffns.bias_in))
        return x + F.linear(hidden, ffns.weight_out, ffns.bias_out)


def _norm(x: Tensor, eps: float) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], eps=eps)

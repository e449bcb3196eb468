"""What the exercises of lesson 02 share.

Shape legend: B batch, H heads, N tokens (L queries, S keys), D = H d model width, d width of a head.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe

LESSON = "02_multi_head"
# Finished attention, under any name. What a card lists.
PROVIDED = ("vitcourse", "torch.nn.functional.scaled_dot_product_attention", "torch.nn.MultiheadAttention", "timm")


def right_split(x: Tensor, heads: int) -> Tensor:
    """(B, N, D) to (B, H, N, d)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def right_merge(x: Tensor) -> Tensor:
    """(B, H, N, d) to (B, N, D)."""
    return x.transpose(1, 2).flatten(2)


def numbered(*shape: int, start: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Every entry another whole number: where it ends up shows how it was moved."""
    return torch.arange(start, start + torch.Size(shape).numel(), dtype=dtype, device="cpu").reshape(shape)


def draw_sizes(probe: Probe) -> tuple[int, int, int, int]:
    """B, H, N and d: all different, none 1, and none a multiple of another, so that no two reshapes agree by chance."""
    batch, heads, tokens, width = 2, *((3, 5, 7), (5, 3, 7), (3, 7, 5), (5, 7, 3))[probe.integer(0, 3)]
    return batch, heads, tokens, width

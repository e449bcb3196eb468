"""What the exercises of lesson 02 share.

Shape legend: B batch, H heads, N tokens (L queries, S keys), D = H d model width, d width of a head.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe


def right_split(x: Tensor, heads: int) -> Tensor:
    """(B, N, D) to (B, H, N, d)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def right_merge(x: Tensor) -> Tensor:
    """(B, H, N, d) to (B, N, D)."""
    return x.transpose(1, 2).flatten(2)


def reshaped_split(x: Tensor, heads: int) -> Tensor:
    """One reshape, which mixes the tokens."""
    return x.reshape(len(x), heads, x.shape[1], -1)


def reshaped_merge(x: Tensor) -> Tensor:
    return x.reshape(len(x), x.shape[2], -1)


def dealt_split(x: Tensor, heads: int) -> Tensor:
    """Each head gets every H-th number of a token."""
    return x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)


def dealt_merge(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).flatten(2)


def draw_sizes(probe: Probe) -> tuple[int, int, int, int]:
    """B, H, N and d: all different, none 1, and none a multiple of another, so that no two reshapes agree by chance."""
    return 2, *((3, 5, 7), (5, 3, 7), (3, 7, 5), (5, 7, 3))[probe.integer(0, 3)]


def numbered(probe: Probe, *shape: int) -> Tensor:
    """Whole numbers from 1 on in any order, each once: where one ends up shows how it was moved."""
    order = torch.randperm(torch.Size(shape).numel(), generator=probe.generator, device="cpu")
    return (order + 1).float().reshape(shape)

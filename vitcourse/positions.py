"""Where tokens stand: position tables that are added to them.

Sources: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.5 (sines and cosines of falling frequency); in
two axes as in Chen et al. 2021, "An Empirical Study of Training Self-Supervised Vision Transformers",
https://arxiv.org/abs/2104.02057.
"""

import torch
from torch import Tensor


def sinusoidal(length: int, dim: int) -> Tensor:
    """Table (length, dim): for position p and pair i, sin and cos of p / 10000^(2 i / dim), sines first.

    The pairs stand as two halves (all sines, then all cosines), not interleaved; a linear layer does not see the
    difference.

    Raises:
        ValueError: ``dim`` is odd.
    """
    if dim % 2:
        raise ValueError(f"sinusoidal positions need an even dim, got {dim}")
    frequency = 10_000.0 ** (-torch.arange(dim // 2) / (dim // 2))
    angle = torch.arange(length)[:, None] * frequency  # (length, dim / 2)
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def sinusoidal_grid(side: int, dim: int) -> Tensor:
    """Table (side * side, dim) for a square grid in reading order: half of the channels for x, half for y.

    Raises:
        ValueError: ``dim`` is no multiple of 4.
    """
    if dim % 4:
        raise ValueError(f"sinusoidal positions of a grid need a dim that is a multiple of 4, got {dim}")
    line = sinusoidal(side, dim // 2)
    across = line[None].expand(side, -1, -1)
    down = line[:, None].expand(-1, side, -1)
    return torch.cat([across, down], dim=2).reshape(side * side, dim)

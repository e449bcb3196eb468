"""Where tokens stand: position tables that are added to them, and learned tables carried to another grid.

Sources: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, section 3.5 (sines and cosines of falling frequency); in
two axes as in Chen et al. 2021, "An Empirical Study of Training Self-Supervised Vision Transformers",
https://arxiv.org/abs/2104.02057; learned tables resampled as in Dosovitskiy et al. 2020,
https://arxiv.org/abs/2010.11929, section 3.2.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Bicubic in all of them. Antialiasing takes another kernel even when the grid grows, so the two differ everywhere.
ANTIALIAS = {"timm": True, "hf": False, "deit": False}


def sinusoidal(length: int, dim: int) -> Tensor:
    """Table (length, dim) of Vaswani et al. 2017, section 3.5.

    Position p has sin(p / 10000^(2 i / dim)) in channel 2 i, and the cosine of the same angle in channel 2 i + 1.

    Raises:
        ValueError: ``dim`` is odd.
    """
    if dim % 2:
        raise ValueError(f"sinusoidal positions need an even dim, got {dim}")
    frequency = 10_000.0 ** (-torch.arange(dim // 2, dtype=torch.float64) / (dim // 2))
    angle = torch.arange(length)[:, None] * frequency  # (length, dim / 2), in float64: it grows with the length
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1).float()


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


def resample(
    positions: Tensor,
    grid: tuple[int, int],
    num_prefix: int = 1,
    old_grid: tuple[int, int] | None = None,
    convention: str = "timm",
) -> Tensor:
    """Carries a learned table to another grid of patches, so that a model reads images of another size.

    Args:
        positions: (1, num_prefix + N, D), the patches in reading order.
        grid: rows and columns wanted.
        num_prefix: leading positions that belong to no patch (the class token's); they stay as they are.
        old_grid: rows and columns of the table; a square where it is None.
        convention: "timm" (bicubic with antialiasing, at least in float32; the default), "hf" or "deit" (the same
            without antialiasing).

    Returns:
        (1, num_prefix + rows * columns, D) in the dtype of the table; the table itself where the grid is the same.

    Raises:
        ValueError: an unknown convention, or a table whose length is not ``num_prefix`` plus a grid.
    """
    if convention not in ANTIALIAS:
        raise ValueError(f"convention must be one of {', '.join(ANTIALIAS)}, got {convention!r}")
    count = positions.shape[1] - num_prefix
    rows, columns = old_grid or (math.isqrt(max(count, 0)),) * 2
    if rows * columns != count:
        shape = f"a grid of {rows} x {columns}" if old_grid else "a square grid"
        raise ValueError(f"{positions.shape[1]} positions are not {num_prefix} and {shape}")
    if (rows, columns) == tuple(grid):
        return positions
    prefix, patches = positions[:, :num_prefix], positions[:, num_prefix:]
    image = patches.unflatten(1, (rows, columns)).permute(0, 3, 1, 2)  # (1, D, rows, columns)
    wide = image.to(torch.promote_types(image.dtype, torch.float32))
    wide = F.interpolate(wide, size=grid, mode="bicubic", antialias=ANTIALIAS[convention])
    return torch.cat([prefix, wide.to(image.dtype).flatten(2).transpose(1, 2)], dim=1)

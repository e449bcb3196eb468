"""What the exercises of lesson 05 share.

Shape legend: B batch, C channels, p patch size, N = rows * columns patches in reading order, D width.
"""

from einops import rearrange
from torch import Tensor

from vitcourse.checks.engine.probe import Probe


def pieces(images: Tensor, size: int) -> Tensor:
    """(B, C, h, w) to (B, rows, columns, C, p, p)."""
    return rearrange(images, "b c (r y) (k x) -> b r k c y x", y=size, x=size)


def channels_mixed(images: Tensor, size: int) -> Tensor:
    """(B, N, C p p) by windows that are reshaped with the channels still in front: right for one channel only."""
    windows = images.unfold(2, size, size).unfold(3, size, size)  # (B, C, rows, columns, p, p)
    return windows.reshape(len(images), windows.shape[2] * windows.shape[3], -1)


def draw_sizes(probe: Probe) -> tuple[int, int, int]:
    """Patch size, rows and columns: all different, none 1."""
    return ((2, 3, 5), (2, 5, 3), (3, 2, 4), (3, 4, 2), (4, 3, 2), (4, 2, 3))[probe.integer(0, 5)]

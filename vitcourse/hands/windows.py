"""Windows cut out of rendered signs, a batch at a time: from a close-up of the hand to the whole picture.

What the renderer knows moves with the picture: the box, the joints and the map of parts.

Shape legend: B pictures, S pixels along a side of the result, M along a side of its map of parts.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

LEAST = 1.05  # side of the closest window, by the longer side of the hand's box


def cut_windows(
    images: Tensor, boxes: Tensor, joints: Tensor, parts: Tensor, size: int, cells: int, whole: float
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A random window of each picture, half of them mirrored, drawn from torch's random numbers of the images' device.

    A window always holds the whole box. A share ``whole`` of the windows is about as large as the picture; the others
    are any size down to that of a close-up. What a window shows beyond the picture is black.

    Args:
        images: (B, 3, h, w) uint8. boxes: (B, 4) xyxy and joints: (B, J, 2), in fractions. parts: (B, m, m) uint8.
        size: S. cells: M. whole: 0 to 1.

    Returns:
        Images (B, 3, S, S) float, 0 to 1, boxes, joints and parts (B, M, M) int64.
    """
    count, low, high = len(images), boxes[:, :2], boxes[:, 2:]
    uniform, normal = (partial(draw, device=images.device) for draw in (torch.rand, torch.randn))
    least = LEAST * (high - low).amax(1)
    side = torch.lerp(least, torch.ones_like(least), uniform(count)).clamp(max=1)
    narrow = torch.exp(0.06 * normal(count))
    closer = torch.stack([side * narrow, side / narrow], 1)
    about = torch.exp(0.2 * uniform(count, 1) - 0.05 + 0.05 * normal(count, 2))
    extent = torch.where((uniform(count) < whole)[:, None], about, closer).maximum(high - low)
    # Where it may lie: within the picture, or around it; and around the box.
    room = (1 - extent).clamp(min=0)
    first = torch.maximum(high - extent, (1 - extent).clamp(max=0))
    last = torch.maximum(torch.minimum(low, room), first)
    corner = torch.lerp(first, last, uniform(count, 2))
    mirrored = uniform(count) < 0.5

    # From the result's coordinates to the picture's, both -1 to 1.
    window = torch.zeros(count, 2, 3, device=images.device)
    window[:, 0, 0] = torch.where(mirrored, -extent[:, 0], extent[:, 0])
    window[:, 1, 1] = extent[:, 1]
    window[:, :, 2] = 2 * corner + extent - 1
    grid = F.affine_grid(window, [count, 3, size, size], align_corners=False)
    seen = F.grid_sample(images.float() / 255, grid, align_corners=False)
    grid = F.affine_grid(window, [count, 1, cells, cells], align_corners=False)
    labels = F.grid_sample(parts[:, None].float(), grid, mode="nearest", align_corners=False)[:, 0].long()

    points = torch.cat([boxes.view(count, 2, 2), joints], 1)
    points = (points - corner[:, None]) / extent[:, None]
    points[..., 0] = torch.where(mirrored[:, None], 1 - points[..., 0], points[..., 0])
    corners, joints = points[:, :2], points[:, 2:]
    return seen, torch.cat([corners.amin(1), corners.amax(1)], 1).clamp(0, 1), joints, labels


def recolour(images: Tensor) -> Tensor:
    """Other brightness, tint, contrast, some grey and some softened: images (B, 3, S, S), 0 to 1."""
    count = len(images)
    uniform, normal = (partial(draw, device=images.device) for draw in (torch.rand, torch.randn))
    images = images * torch.exp(0.18 * normal(count, 1, 1, 1) + 0.07 * normal(count, 3, 1, 1))
    mean = images.mean((1, 2, 3), keepdim=True)
    images = (images - mean) * torch.exp(0.15 * normal(count, 1, 1, 1)) + mean
    grey = uniform(count, 1, 1, 1) < 0.1
    images = torch.where(grey, images.mean(1, keepdim=True), images)
    soft = uniform(count) < 0.3
    images[soft] = F.avg_pool2d(F.pad(images[soft], (1, 1, 1, 1), mode="replicate"), 3, 1)
    return images.clamp_(0, 1)

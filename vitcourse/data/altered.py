"""Copies of a picture as an exporter of training data alters them, with the boxes that it draws and the true ones.

The order and the ranges are those that the real set's own notes give (Roboflow, version 1): mirrored with a chance of
one half, cut by up to a fifth of the area, turned by up to 5 degrees, sheared by up to 5 degrees along either axis,
made lighter or darker by up to a quarter, and blurred. What a picture lost by the turn or the shear is black.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.v2 import functional as TF

MOST = 5.0  # degrees of a turn, and of a shear along either axis
LOST = 0.2  # largest share of the area that is cut away
LIGHT = 0.25
BLUR = 0.003  # largest deviation, as a share of a side: 1.25 pixels of 416


@dataclass(frozen=True)
class Alteration:
    """What happens to one copy: cut to ``side`` pixels from ``corner`` on, turned and sheared about the middle of that.

    Angles are in degrees. A turn is clockwise as seen; ``shear`` moves what is below to the right by its first angle,
    and what is right downwards by its second.
    """

    mirrored: bool
    corner: tuple[int, int]
    side: int
    turn: float
    shear: tuple[float, float]
    light: float
    blur: float

    @classmethod
    def drawn(cls, generator: np.random.Generator, size: int) -> "Alteration":
        side = round(size * math.sqrt(1 - generator.uniform(0, LOST)))
        return cls(
            mirrored=bool(generator.random() < 0.5),
            corner=tuple(int(place) for place in generator.integers(0, size - side + 1, 2)),
            side=side,
            turn=generator.uniform(-MOST, MOST),
            shear=tuple(generator.uniform(-MOST, MOST, 2).tolist()),
            light=1 + generator.uniform(-LIGHT, LIGHT),
            blur=size * generator.uniform(0, BLUR),
        )

    def steps(self) -> tuple[Tensor, Tensor]:
        """The turn and the shear, (2, 2) each, of points (x, y) with y downwards."""
        turn, along_x, along_y = (math.radians(angle) for angle in (self.turn, *self.shear))
        cos, sin = math.cos(turn), math.sin(turn)
        shear = torch.tensor([[1.0, math.tan(along_x)], [math.tan(along_y), 1.0]])
        return torch.tensor([[cos, -sin], [sin, cos]]), shear


def alter(image: Tensor, alteration: Alteration) -> Tensor:
    """An image (3, size, size) uint8 altered: (3, side, side) uint8."""
    if alteration.mirrored:
        image = image.flip(-1)
    (x, y), side = alteration.corner, alteration.side
    cut = image[None, :, y : y + side, x : x + side].float()
    turn, shear = alteration.steps()
    back = torch.cat([torch.linalg.inv(shear @ turn), torch.zeros(2, 1)], 1)
    grid = F.affine_grid(back[None], list(cut.shape), align_corners=False)
    seen = F.grid_sample(cut * alteration.light, grid, align_corners=False)
    if alteration.blur > 0.1:  # less is not to be seen
        seen = TF.gaussian_blur(seen, 2 * math.ceil(2 * alteration.blur) + 1, alteration.blur)
    return seen[0].clamp(0, 255).round().to(torch.uint8)


def hull(box: Tensor, alteration: Alteration, size: int) -> Tensor:
    """The box that an exporter draws, in fractions of the copy: around the turned box, and again around the sheared.

    Args:
        box: (4,) xyxy in fractions of the picture.
        size: pixels along a side of the picture.
    """
    corners, half = _placed(box.view(2, 2), alteration, size), alteration.side / 2
    low, high = torch.stack([corners.amin(0), corners.amax(0)]).clamp(-half, half)
    for step in alteration.steps():
        corners = torch.stack([low, torch.stack([high[0], low[1]]), high, torch.stack([low[0], high[1]])])
        moved = corners @ step.T
        low, high = moved.amin(0), moved.amax(0)
    return _clipped(low, high, alteration.side)


def tight(box: Tensor, parts: Tensor, alteration: Alteration, size: int) -> Tensor:
    """The box around the hand itself in the copy, in fractions of it, to a tenth of a pixel or two.

    Args:
        box: (4,) xyxy in fractions of the picture, around the hand and a piece of the arm.
        parts: (m, m) of the picture, 0 where neither is seen (see `vitcourse.hands.render_with_truth`).
    """
    cells = parts.nonzero().flip(1)[:, None] + torch.tensor([[0, 0], [1, 0], [1, 1], [0, 1]])
    cells = (cells / parts.shape[0]).clamp(box[:2], box[2:])
    cells = cells[(cells[:, 0] < cells[:, 2]).all(1)]  # of an arm that is longer only what lies in the box
    placed = _placed(cells.reshape(-1, 2), alteration, size)
    kept = (placed.abs() <= alteration.side / 2).all(1)  # the rest was cut away
    turn, shear = alteration.steps()
    moved = placed[kept] @ (shear @ turn).T
    return _clipped(moved.amin(0), moved.amax(0), alteration.side)


def _placed(points: Tensor, alteration: Alteration, size: int) -> Tensor:
    """Points (n, 2) in fractions of the picture after mirror and cut, in pixels from the middle of what is left."""
    if alteration.mirrored:
        points = points * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0])
    return points * size - torch.tensor(alteration.corner) - alteration.side / 2


def _clipped(low: Tensor, high: Tensor, side: int) -> Tensor:
    return (torch.cat([low, high]) / side + 0.5).clamp(0, 1)

"""Augmentation of whole batches at once, pictures and boxes together.

An epoch of a small model is short: changing pictures one after the other would take a good part of it. Here a batch is
mirrored, moved, scaled and recoloured by a handful of tensor operations, on whatever device it lies. Nothing random is
drawn here: the numbers come with the batch, so an item is changed alike whichever batch and process it is in.

Shape legend: B pictures of h x w pixels, J points in each.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

GREY = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601), as in torchvision


class BatchAugmentation:
    """A random change of a batch of signs, for the ``transform`` of `training.fit`.

    The hand stays whole: a picture is not enlarged so much, nor moved so far, that its box leaves the frame. There is
    no rotation, because the upright box around a turned box is larger than the hand in it.

    Args:
        flip: probability of mirroring (signers use either hand).
        shift: largest move, as a share of the picture.
        scale: largest change of size, as a share.
        colour: strength of the change of brightness, contrast and saturation.
        grey: probability of losing all colour.

    Raises:
        ValueError: a share or probability that is not in [0, 1).
    """

    numbers = 8  # random numbers that a picture takes

    def __init__(
        self, flip: float = 0.5, shift: float = 0.1, scale: float = 0.2, colour: float = 0.3, grey: float = 0.1
    ):
        self.flip, self.shift, self.scale, self.colour, self.grey = flip, shift, scale, colour, grey
        for name, value in vars(self).items():
            if not 0 <= value < 1:
                raise ValueError(f"{name} must be in [0, 1), got {value}")

    def __call__(self, batch: dict, draws: Tensor) -> dict:
        """The batch with other pictures, and boxes that fit them.

        Args:
            batch: ``image`` (B, 3, h, w) uint8, ``box`` (B, 4) xyxy in fractions, perhaps ``joints`` (B, J, 2) in
                fractions; all else is passed on.
            draws: (B, 8), uniform in [0, 1).
        """
        images, box = batch["image"], batch["box"]
        mirror = torch.where(draws[:, 0] < self.flip, -1.0, 1.0)
        corners = mirrored(box.view(-1, 2, 2), mirror)
        size, move = self._placed(corners, draws[:, 1:4])
        changed = {"image": self._recoloured(_moved(images, mirror, size, move), draws[:, 4:8])}
        changed["box"] = _moved_points(corners, size, move).clamp(0, 1).view_as(box)
        if "joints" in batch:
            changed["joints"] = _moved_points(mirrored(batch["joints"], mirror, box=False), size, move)
        return batch | changed

    def _placed(self, corners: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        """The size (B,) and the move (B, 2), in fractions, that leave the corners (B, 2, 2) in the frame."""
        near, far = corners.unbind(dim=1)
        size = 1 + self.scale * (2 * draws[:, 0] - 1)
        size = torch.minimum(size, 1 / (far - near).amax(dim=1).clamp(min=1e-6))
        move = self.shift * (2 * draws[:, 1:3] - 1)
        near, far = (_moved_points(side[:, None], size, torch.zeros_like(move))[:, 0] for side in (near, far))
        return size, torch.minimum(torch.maximum(move, -near), 1 - far)

    def _recoloured(self, images: Tensor, draws: Tensor) -> Tensor:
        """Float pictures (B, 3, h, w), 0 to 255, to uint8: brighter or darker, flatter or not, with less colour."""
        brightness, contrast, saturation = (1 + self.colour * (2 * draws[:, :3] - 1)).T[:, :, None, None, None]
        saturation = torch.where((draws[:, 3] < self.grey)[:, None, None, None], 0.0, saturation)
        grey = _grey(images)
        middle = grey.mean(dim=(2, 3), keepdim=True)
        # Contrast is the distance from the middle grey, saturation that from each pixel's own grey; both of the
        # picture whose brightness has changed. Put together, they are one weighted sum.
        images = brightness * (contrast * (saturation * images + (1 - saturation) * grey) + (1 - contrast) * middle)
        return images.round_().clamp_(0, 255).to(torch.uint8)


def mirrored(points: Tensor, mirror: Tensor, box: bool = True) -> Tensor:
    """Points (B, J, 2) of pictures that are mirrored where ``mirror`` (B,) is -1; a box's corners change places."""
    x, y = points.unbind(dim=-1)
    flipped = torch.stack([1 - x, y], dim=-1)
    if box:
        flipped = torch.stack([flipped[..., 0].flip(1), y], dim=-1)
    return torch.where(mirror[:, None, None] < 0, flipped, points)


def _moved_points(points: Tensor, size: Tensor, move: Tensor) -> Tensor:
    """Points (B, J, 2) of pictures that are scaled about their middle and then moved."""
    return 0.5 + size[:, None, None] * (points - 0.5) + move[:, None]


def _moved(images: Tensor, mirror: Tensor, size: Tensor, move: Tensor) -> Tensor:
    """Pictures mirrored, scaled about their middle and moved; black where they end. Float, 0 to 255."""
    # affine_grid asks where a pixel of the new picture comes from, in coordinates from -1 to 1.
    across, down = mirror / size, 1 / size
    zero = torch.zeros_like(size)
    origin = torch.stack([across, zero, -2 * move[:, 0] * across, zero, down, -2 * move[:, 1] * down], dim=1).view(
        -1, 2, 3
    )
    grid = F.affine_grid(origin, list(images.shape), align_corners=False)
    return F.grid_sample(images.float(), grid, align_corners=False)


def _grey(images: Tensor) -> Tensor:
    red, green, blue = (share * images[:, i : i + 1] for i, share in enumerate(GREY))
    return red + green + blue

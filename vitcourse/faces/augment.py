"""Random changes of whole batches of faces: a few pictures of a person are made into many, none of them twice alike.

Shape legend: B pictures of S x S pixels.

Sources: DeVries and Taylor 2017, https://arxiv.org/abs/1708.04552 (cutout); Zhang et al. 2017,
https://arxiv.org/abs/1710.09412 (mixup).
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

SIDES = (0.15, 0.4)  # of the erased part, as shares of the picture


class FaceAugmentation:
    """A random change of a batch of faces, for the ``transform`` of `training.fit`.

    A face is mirrored, moved, scaled and turned; where the picture ends its edge is repeated. Then its brightness and
    contrast change, a rectangle is erased, and it may be mixed with the next picture of the batch, whose label is
    ``other``; ``kept`` is the share of its own.

    Args:
        flip, erase: probabilities.
        shift, scale: the largest, as shares of the picture.
        turn: the largest, in degrees.
        light: the largest change of brightness and contrast, as a share.
        mix: the largest share of another picture; 0 mixes nothing.
        strength: what all of these are multiplied by, but for ``flip`` and ``mix``.

    Raises:
        ValueError: a share or probability that is not in [0, 1).
    """

    numbers = 14  # random numbers that a picture takes

    def __init__(
        self,
        flip: float = 0.5,
        shift: float = 0.1,
        scale: float = 0.15,
        turn: float = 10.0,
        light: float = 0.3,
        erase: float = 0.5,
        mix: float = 0.0,
        strength: float = 1.0,
    ):
        self.flip, self.mix = flip, mix
        self.shift, self.scale, self.light, self.erase = (strength * one for one in (shift, scale, light, erase))
        for name, value in vars(self).items():
            if not 0 <= value < 1:
                raise ValueError(f"{name} must be in [0, 1), got {value}")
        self.turn = strength * turn

    def __call__(self, batch: dict, draws: Tensor) -> dict:
        """The batch with other pictures, and with ``other`` and ``kept``, (B,), if they are mixed.

        Args:
            batch: ``image`` (B, 3, S, S) uint8 and ``label`` (B,); all else is passed on.
            draws: (B, 14), uniform in [0, 1).
        """
        images = self._erased(self._lit(self._placed(batch["image"], draws[:, :6]), draws[:, 6:8]), draws[:, 8:13])
        changed = {}
        if self.mix:
            kept = 1 - self.mix * draws[:, 13]
            weight = kept[:, None, None, None]
            images = weight * images + (1 - weight) * images.roll(1, 0)
            changed = {"other": batch["label"].roll(1, 0), "kept": kept}
        return batch | {"image": images.round().to(torch.uint8)} | changed

    def _placed(self, images: Tensor, draws: Tensor) -> Tensor:
        mirror = torch.where(draws[:, 0] < self.flip, -1.0, 1.0)
        either = 2 * draws[:, 1:] - 1
        size = 1 / (1 + self.scale * either[:, 0])
        angle = math.radians(self.turn) * either[:, 1]
        across, down = size * torch.cos(angle), size * torch.sin(angle)
        move = 2 * self.shift * either[:, 2:4]
        # affine_grid asks where a pixel of the new picture comes from, in coordinates from -1 to 1.
        rows = [mirror * across, -mirror * down, move[:, 0], down, across, move[:, 1]]
        grid = F.affine_grid(torch.stack(rows, dim=1).view(-1, 2, 3), list(images.shape), align_corners=False)
        return F.grid_sample(images.float(), grid, padding_mode="border", align_corners=False)

    def _lit(self, images: Tensor, draws: Tensor) -> Tensor:
        brightness, contrast = (1 + self.light * (2 * draws - 1)).T[:, :, None, None, None]
        middle = images.mean(dim=(1, 2, 3), keepdim=True)
        return (brightness * (middle + contrast * (images - middle))).clamp(0, 255)

    def _erased(self, images: Tensor, draws: Tensor) -> Tensor:
        """One grey rectangle in some of the pictures; its middle lies anywhere."""
        least, most = SIDES
        places = (torch.arange(images.shape[-1], device=images.device) + 0.5) / images.shape[-1]
        half = (least + (most - least) * draws[:, 1:3]) / 2
        inside = (places[None, None] - draws[:, 3:5, None]).abs() < half[:, :, None]  # (B, 2, S)
        gone = inside[:, 0, :, None] & inside[:, 1, None, :] & (draws[:, 0] < self.erase)[:, None, None]
        return torch.where(gone[:, None], 127.0, images)

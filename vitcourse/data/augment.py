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
    pixels = 0  # height and width of what comes out; 0 for those of what goes in

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
        size, move = self._placed(corners, draws)
        images = _moved(images, mirror, size, move, self.pixels or images.shape[-1])
        changed = {"image": self._recoloured(images, draws[:, 4:8])}
        changed["box"] = _moved_points(corners, size, move).clamp(0, 1).view_as(box)
        if "joints" in batch:
            changed["joints"] = _moved_points(mirrored(batch["joints"], mirror, box=False), size, move)
        return batch | changed

    def _placed(self, corners: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        """The size and the move, both (B, 2) in fractions, that leave the corners (B, 2, 2) in the frame."""
        side = (corners[:, 1] - corners[:, 0]).amax(dim=1).clamp(min=1e-6)
        size = torch.minimum(1 + self.scale * (2 * draws[:, 1] - 1), 1 / side)[:, None].expand(-1, 2)
        return size, _kept_whole(corners, size, self.shift * (2 * draws[:, 2:4] - 1))

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


class StrongAugmentation(BatchAugmentation):
    """More of everything, and a share of close-ups: pictures in which the hand takes up most of the frame.

    A picture is also stretched a little, blurred, or covered by a grey box in part. Close-ups make a model that can
    look a second time, at the window around its first box (`asl.looks`). What comes in may be larger than what goes
    out, so that a close-up is not made of too few pixels.

    Args:
        pixels: height and width of what comes out.
        zoom: share of close-ups, in which the longer side of the hand takes 50 to 85% of the frame.
        blur, cover: share of the pictures that are blurred over 3 x 3 pixels; that are covered in part, after Zhong et
            al. 2017, https://arxiv.org/abs/1708.04896 (random erasing).
    """

    numbers = 21
    LEAST, MOST = 0.8, 1.3  # sizes, drawn evenly in their logarithm
    STRETCH = 0.05  # in the logarithm, of either side
    HAND, OFF_CENTRE = (0.5, 0.35), 0.12  # of a close-up: how much the hand fills, and where its middle is
    COVER = (0.08, 0.17)  # sides of what covers it: at least, and drawn on top

    def __init__(self, pixels: int, zoom: float = 0.4, blur: float = 0.2, cover: float = 0.15):
        self.zoom, self.blur, self.cover = zoom, blur, cover
        super().__init__(shift=0.12, colour=0.4)
        self.pixels = pixels

    def __call__(self, batch: dict, draws: Tensor) -> dict:
        """As for `BatchAugmentation`, with draws (B, 21)."""
        changed = super().__call__(batch, draws)
        blurred, covered, *box, shade = draws[:, 14:].T[:, :, None, None, None]
        images = changed["image"].float()
        mean = F.avg_pool2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
        images = torch.where(blurred < self.blur, mean, images)
        hidden = _within(images, *box, *self.COVER) & (covered < self.cover)
        return changed | {"image": torch.where(hidden, 255 * shade, images).round_().to(torch.uint8)}

    def _placed(self, corners: Tensor, draws: Tensor) -> tuple[Tensor, Tensor]:
        side, middle = corners[:, 1] - corners[:, 0], corners.mean(dim=1)
        close = draws[:, 8] < self.zoom
        least, range_ = self.HAND
        size = self.LEAST * (self.MOST / self.LEAST) ** draws[:, 1]
        size = torch.where(close, (least + range_ * draws[:, 9]) / side.amax(dim=1).clamp(min=1e-6), size)
        size = size[:, None] * (self.STRETCH * (2 * draws[:, 10:12] - 1)).exp()
        size = torch.minimum(size, 1 / side.clamp(min=1e-6))
        move = self.shift * (2 * draws[:, 2:4] - 1)
        centred = self.OFF_CENTRE * (2 * draws[:, 12:14] - 1) - size * (middle - 0.5)
        return size, _kept_whole(corners, size, torch.where(close[:, None], centred, move))


def mirrored(points: Tensor, mirror: Tensor, box: bool = True) -> Tensor:
    """Points (B, J, 2) of pictures that are mirrored where ``mirror`` (B,) is -1; a box's corners change places."""
    x, y = points.unbind(dim=-1)
    flipped = torch.stack([1 - x, y], dim=-1)
    if box:
        flipped = torch.stack([flipped[..., 0].flip(1), y], dim=-1)
    return torch.where(mirror[:, None, None] < 0, flipped, points)


def _moved_points(points: Tensor, size: Tensor, move: Tensor) -> Tensor:
    """Points (B, J, 2) of pictures that are scaled about their middle and then moved."""
    return 0.5 + size[:, None] * (points - 0.5) + move[:, None]


def _kept_whole(corners: Tensor, size: Tensor, move: Tensor) -> Tensor:
    """The move (B, 2), or the nearest that leaves the corners (B, 2, 2) of pictures of this size in the frame."""
    near, far = _moved_points(corners, size, torch.zeros_like(move)).unbind(dim=1)
    return torch.minimum(torch.maximum(move, -near), 1 - far)


def _moved(images: Tensor, mirror: Tensor, size: Tensor, move: Tensor, pixels: int) -> Tensor:
    """Pictures mirrored, scaled about their middle and moved; black where they end. Float, 0 to 255."""
    # affine_grid asks where a pixel of the new picture comes from, in coordinates from -1 to 1.
    across, down = mirror / size[:, 0], 1 / size[:, 1]
    zero = torch.zeros_like(down)
    origin = torch.stack([across, zero, -2 * move[:, 0] * across, zero, down, -2 * move[:, 1] * down], dim=1).view(
        -1, 2, 3
    )
    grid = F.affine_grid(origin, [*images.shape[:2], pixels, pixels], align_corners=False)
    return F.grid_sample(images.float(), grid, align_corners=False)


def _within(images: Tensor, wide: Tensor, high: Tensor, x: Tensor, y: Tensor, least: float, more: float) -> Tensor:
    """Which pixels lie in boxes, (B, 1, h, w); the boxes are drawn by four numbers (B, 1, 1, 1) in [0, 1)."""
    places = (torch.arange(images.shape[-1], device=images.device) + 0.5) / images.shape[-1]
    wide, high = least + more * wide, least + more * high
    across, down = places - x * (1 - wide), places[:, None] - y * (1 - high)
    return (across >= 0) & (across < wide) & (down >= 0) & (down < high)


def _grey(images: Tensor) -> Tensor:
    red, green, blue = (share * images[:, i : i + 1] for i, share in enumerate(GREY))
    return red + green + blue

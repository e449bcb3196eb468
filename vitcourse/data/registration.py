"""How one altered copy of a photo lies in another: found by comparing their pixels.

A pixel x of the first copy, counted from the middle of its image, lies in the second at y = A x + t, where the second
may be mirrored. The six numbers are found by the method of Lucas and Kanade ("An Iterative Image Registration Technique
with an Application to Stereo Vision", 1981), from coarse images to fine ones, begun at the best shift (a correlation).

Shape legend: N images, P pairs, S pixels along a side of a canvas, X = S * S pixels of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.data.images import decode

CANVAS = 208  # pixels along a side of what is compared; larger images are reduced to it
WINDOW = 25  # pixels around one that say what is bright and what is dark there: copies differ in light
FAINT = 6.0  # grey values that count as no contrast
RIM = 3  # grey values up to this are the black that fills what an image lost when it was turned
STEPS = (15, 10, 8)  # of Gauss and Newton on canvases reduced to a quarter, to a half, and whole
# Linear maps to begin with: none, and turns by 7 degrees either way.
BEGINNINGS = ([[1.0, 0.0], [0.0, 1.0]], [[1.0, -0.12], [0.12, 1.0]], [[1.0, 0.12], [-0.12, 1.0]])
FARTHEST = 0.32  # of the canvas: the largest shift that is tried
CHUNK = 48  # pairs at once


@dataclass(frozen=True)
class Registration:
    """How the second image of each pair lies to the first: y = ``linear`` x + ``shift``, in pixels from the middle.

    ``mirrored`` (P,) says that y is counted in the second image's mirror image; ``similarity`` (P,) is the correlation
    of what both show, 1 where they are equal. ``linear`` is (P, 2, 2), ``shift`` (P, 2).
    """

    linear: Tensor
    shift: Tensor
    mirrored: Tensor
    similarity: Tensor


@dataclass(frozen=True)
class Canvases:
    """Images without their light and shade, each in the upper left corner of a canvas.

    ``values`` (N, 1, S, S); ``seen`` (N, 1, S, S) is 1 where there is picture; ``sizes`` (N, 2) are width and height in
    the images' own pixels, of which one of the canvas spans ``scale``.
    """

    values: Tensor
    seen: Tensor
    sizes: Tensor
    scale: float

    def points(self) -> Tensor:
        """The middles of the canvas' pixels (N, X, 2), in the images' pixels from the image's middle."""
        middle = (torch.arange(self.values.shape[-1]) + 0.5) * self.scale
        grid = torch.stack(torch.meshgrid(middle, middle, indexing="xy"), -1)
        return grid.view(1, -1, 2) - self.sizes[:, None] / 2

    def pick(self, places: Tensor) -> "Canvases":
        return Canvases(self.values[places], self.seen[places], self.sizes[places], self.scale)

    def halved(self) -> "Canvases":
        return Canvases(F.avg_pool2d(self.values, 2), F.avg_pool2d(self.seen, 2), self.sizes, 2 * self.scale)

    def mirrored(self, which: Tensor) -> "Canvases":
        """With left and right exchanged where ``which`` is True; the image stays in its corner."""
        side = self.values.shape[-1]
        width = (self.sizes[:, :1] / self.scale).round().long()
        column = torch.arange(side)
        back = torch.where(which[:, None] & (column < width), width - 1 - column, column)
        back = back[:, None, None].expand_as(self.values)
        return Canvases(self.values.gather(3, back), self.seen.gather(3, back), self.sizes, self.scale)


def register(
    files: Sequence[str | Path], pairs: Sequence[tuple[int, int]], progress: Callable[[int, int], None] | None = None
) -> Registration:
    """Registers the second image of each pair to the first, both as places in ``files``.

    A thousand pairs of 400 x 400 pixels take two minutes of one core. Nothing is random.

    Args:
        progress: called with (pairs done, pairs in all).

    Raises:
        DataError: an image cannot be decoded.
    """
    canvases, made = _canvases(files), []
    for begin in range(0, len(pairs), CHUNK):
        first, second = torch.tensor(pairs[begin : begin + CHUNK]).T
        made.append(_registered(canvases.pick(first), canvases.pick(second)))
        if progress is not None:
            progress(begin + len(first), len(pairs))
    names = [field.name for field in fields(Registration)]
    return Registration(*(torch.cat([getattr(part, name) for part in made]) for name in names))


def _canvases(files: Sequence[str | Path]) -> Canvases:
    images = [decode(file).float().mean(0, keepdim=True) for file in files]
    longest = max(max(image.shape) for image in images)
    scale = max(1.0, longest / CANVAS)
    side = 4 * -int(-longest / scale // 4)  # a multiple of four: it is halved twice
    grey, seen = torch.zeros(2, len(images), 1, side, side)
    for i, image in enumerate(images):
        height, width = (round(extent / scale) for extent in image.shape[1:])
        small = F.interpolate(image[None], (height, width), mode="bilinear", antialias=True, align_corners=False)
        grey[i, :, :height, :width] = small[0]
        seen[i, :, :height, :width] = (small[0] > RIM).float()
    sizes = torch.tensor([image.shape[:0:-1] for image in images], dtype=torch.float32)
    values = torch.cat([_flat(*part) for part in zip(grey.split(CHUNK), seen.split(CHUNK), strict=True)])
    return Canvases(values, seen, sizes, scale)


def _flat(grey: Tensor, seen: Tensor) -> Tensor:
    """Grey values less the mean around them, over the deviation there; 0 where nothing is seen."""

    def around(values: Tensor) -> Tensor:
        return F.avg_pool2d(values, WINDOW, stride=1, padding=WINDOW // 2)

    weight = around(seen).clamp_min(1e-3)
    mean = around(grey * seen) / weight
    deviation = (around(grey**2 * seen) / weight - mean**2).clamp_min(0).sqrt()
    return (grey - mean) / (deviation + FAINT) * seen


def _registered(first: Canvases, second: Canvases) -> Registration:
    """The best of several beginnings on coarse images, then that one on finer ones."""
    count, tries = len(first.sizes), []
    coarse = first.halved().halved()
    for mirrored in (False, True):
        moving = second.mirrored(torch.full((count,), mirrored)).halved().halved()
        for linear in torch.tensor(BEGINNINGS):
            tries.append(_lucas_kanade(coarse, moving, _best_shift(coarse, moving, linear), STEPS[0]))
    similarity, best = torch.stack([alike for _, alike in tries]).max(0)
    affine = torch.stack([made for made, _ in tries])[best, torch.arange(count)]
    mirrored = best >= len(BEGINNINGS)
    second = second.mirrored(mirrored)
    affine, _ = _lucas_kanade(first.halved(), second.halved(), affine, STEPS[1])
    affine, similarity = _lucas_kanade(first, second, affine, STEPS[2])
    return Registration(affine[:, :, :2], affine[:, :, 2], mirrored, similarity)


def _best_shift(fixed: Canvases, moving: Canvases, linear: Tensor) -> Tensor:
    """The map (P, 2, 3) with this linear part under which both are most alike, each compared where both are seen."""
    side = fixed.values.shape[-1]

    def spectrum(values: Tensor) -> Tensor:
        return torch.fft.rfft2(values, s=(2 * side, 2 * side))

    def correlation(one: Tensor, other: Tensor) -> Tensor:
        return torch.fft.irfft2(spectrum(one).conj() * spectrum(other), s=(2 * side, 2 * side))

    layers = torch.cat([moving.values, moving.seen], 1)
    values, seen = _look(layers, moving, moving.points() @ linear.T).unflatten(2, (side, side)).unbind(1)
    fixed_values, fixed_seen = fixed.values[:, 0], fixed.seen[:, 0]
    energy = correlation(fixed_seen, values**2).clamp_min(1) * correlation(fixed_values**2, seen).clamp_min(1)
    alike = correlation(fixed_values, values) / energy.sqrt()
    shift = torch.arange(2 * side)
    shift = torch.where(shift > side, shift - 2 * side, shift)
    near = shift.abs() <= FARTHEST * side
    best = alike.masked_fill(~(near[:, None] & near), -torch.inf).flatten(1).argmax(1)
    moved = fixed.scale * torch.stack([shift[best % (2 * side)], shift[best // (2 * side)]], 1)
    moved = moved + (fixed.sizes - moving.sizes) / 2  # from the corner's coordinates to those of the middle
    return torch.cat([linear.expand(len(moved), 2, 2), (moved @ linear.T)[:, :, None]], 2)


def _look(layers: Tensor, canvases: Canvases, points: Tensor) -> Tensor:
    """What layers (P, C, S, S) over canvases show at points (P, X, 2), counted from the middle: (P, C, X)."""
    extent = canvases.scale * layers.shape[-1]
    place = (2 * points + canvases.sizes[:, None]) / extent - 1
    return F.grid_sample(layers, place[:, :, None], align_corners=False)[..., 0]


def _lucas_kanade(fixed: Canvases, moving: Canvases, affine: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Improves maps (P, 2, 3) by Gauss-Newton steps, and gives the correlation (P,) under the last of them.

    Pixels that fit badly count little (Tukey's weights): a hand may have another shine in the other copy.
    """
    points, wanted, seen = fixed.points(), fixed.values.flatten(1), fixed.seen.flatten(1)
    slope_y, slope_x = torch.gradient(moving.values, spacing=fixed.scale, dim=(2, 3))
    layers = torch.cat([moving.values, slope_x, slope_y, moving.seen], 1)

    def look(affine: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The moving image's values and slopes at the points, and 1 where both images are seen."""
        *found, whole = _look(layers, moving, points @ affine[:, :, :2].mT + affine[:, None, :, 2]).unbind(1)
        return *found, seen * (whole > 0.99)

    for _ in range(steps):
        value, slope_x, slope_y, weight = look(affine)
        residual = (value - wanted) * weight
        typical = 2.5 * (residual.abs().sum(1) / weight.sum(1).clamp_min(1)).clamp_min(0.05)
        weight = weight * (1 - (residual / typical[:, None]).clamp(-1, 1) ** 2) ** 2
        x, y = points.unbind(2)
        slopes = torch.stack(
            [slope_x * x / 100, slope_x * y / 100, slope_x, slope_y * x / 100, slope_y * y / 100, slope_y], 2
        )
        weighted = slopes * weight[:, :, None]
        square = weighted.mT @ slopes
        damping = 1e-3 * square.diagonal(dim1=1, dim2=2).mean(1) + 1e-6
        step = torch.linalg.solve(
            square + damping[:, None, None] * torch.eye(6), (weighted * residual[:, :, None]).sum(1)
        )
        affine = affine - step.view(-1, 2, 3) * torch.tensor([0.01, 0.01, 1.0])
    value, *_, weight = look(affine)
    energy = (wanted**2 * weight).sum(1) * (value**2 * weight).sum(1)
    return affine, (wanted * value * weight).sum(1) / energy.sqrt().clamp_min(1e-6)

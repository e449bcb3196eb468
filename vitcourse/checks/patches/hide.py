"""``patches.hide(images, hidden, patch_size)``: images (B, C, h, w) with their hidden patches (B, N) painted grey, 0.5.

Source: Touvron et al., "Three things everyone should know about Vision Transformers" (2022), table 7: a stem that mixes
patches gains nothing where patches are hidden.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.patches.common import draw_sizes

Case = tuple[Tensor, Tensor, int]
GREY = 0.5


def right(images: Tensor, hidden: Tensor, patch_size: int) -> Tensor:
    return images.masked_fill(_pixels(images, hidden, patch_size), GREY)


def _grid(images: Tensor, hidden: Tensor, size: int) -> Tensor:
    """(B, N) to (B, 1, rows, columns)."""
    return hidden.unflatten(1, (images.shape[2] // size, -1))[:, None]


def _pixels(images: Tensor, hidden: Tensor, size: int) -> Tensor:
    """(B, N) to (B, 1, h, w)."""
    return _grid(images, hidden, size).repeat_interleave(size, dim=2).repeat_interleave(size, dim=3)


def wrong(images: Tensor, hidden: Tensor, patch_size: int) -> dict[str, Tensor]:
    pixels, rows = _pixels(images, hidden, patch_size), images.shape[2] // patch_size
    by_column = hidden.unflatten(1, (-1, rows)).mT.flatten(1)
    first_channel = torch.zeros_like(images, dtype=torch.bool)
    first_channel[:, :1] = pixels
    corners = torch.zeros_like(pixels)
    corners[..., ::patch_size, ::patch_size] = _grid(images, hidden, patch_size)
    return {
        "nothing-hidden": images,
        "inverted": images.masked_fill(~pixels, GREY),
        "tiled": images.masked_fill(_grid(images, hidden, patch_size).repeat(1, 1, patch_size, patch_size), GREY),
        "columns-first": images.masked_fill(_pixels(images, by_column, patch_size), GREY),
        "one-row-for-all": images.masked_fill(_pixels(images, hidden[:1], patch_size), GREY),
        "one-row-for-all/any": images.masked_fill(pixels.any(0, keepdim=True), GREY),
        "one-channel": images.masked_fill(first_channel, GREY),
        "corners-only": images.masked_fill(corners, GREY),
        "black": images * ~pixels,
        "not-grey/white": images.masked_fill(pixels, 1.0),
        "not-grey/added": images + GREY * pixels,
        "not-grey/halved": torch.where(pixels, GREY * images, images),
    }


hide = Solved("patches.hide", right=right, wrong=wrong, parts=("the images",))


@hide.on("every pixel of a hidden patch is 0.5, in all channels, and all others are as they were")
def draw(probe: Probe) -> Case:
    size, rows, columns = draw_sizes(probe)
    hidden = torch.rand(4, rows * columns, generator=probe.generator) < 0.5  # not as many as channels
    return probe.normal(4, 3, rows * size, columns * size), hidden, size


def fine(probe: Probe) -> Case:
    images, hidden, size = draw(probe)
    return images.double() / 3, hidden, size


@hide.on("an image of which nothing is hidden stays as it was, and one may be hidden whole", only=["inverted"])
def none_and_all(probe: Probe) -> Case:
    images, hidden, size = draw(probe)
    hidden[0], hidden[1] = False, True
    return images, hidden, size


hide.exact(fine)
hide.differentiable(draw, to="the images")

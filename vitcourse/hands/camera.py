"""The camera that takes the picture: exposure, colour cast, blur, noise.

Shape legend: B pictures of S x S pixels; images are (B, 3, S, S) in 0 to 1, a little more where light is strong.
"""

import torch
from torch import Tensor

from vitcourse.hands.draws import Draws, wide
from vitcourse.hands.shading import box_blur

SHAKE = 0.02  # of the picture: the most that a blurred movement reaches to either side, in each of two passes


def photograph(draws: Draws, image: Tensor, margins: Tensor, moving: Tensor) -> Tensor:
    """Exposure, colour cast, contrast, loss of colour, blur, black strips, noise; returns uint8 (B, 3, S, S).

    Args:
        margins: (B, 4) what is free of the hand at the left, top, right and bottom, in fractions of the picture; a
            strip never covers the hand.
        moving: (B,) boolean: whether the hand moves; every second of these is blurred, and few of the others.
    """
    size = image.shape[-1]
    moved = (draws.uniform(0, SHAKE, 2) * size).round().long()
    shaken = draws.uniform(0, 1) < torch.where(moving, 0.5, 0.04)
    image = blur_inside(image, moved * shaken[:, None])
    warmth = draws.uniform(0, 1, 1) * torch.tensor([0.05, -0.03, -0.16], device=image.device)
    cast = draws.normal(0.06, 3) * torch.tensor([1.0, 0.5, 1.3], device=image.device) + warmth
    dark = draws.uniform(0, 0.9, 1) * draws.chance(0.07)[:, None]  # taken against the light, or in the evening
    gain = (draws.normal(0.19, 1) - 0.07 - dark + cast).exp()
    image = (image * gain[:, :, None, None]).clamp_(1e-6, 1)
    image = (image.log_() * wide(draws.normal(0.15).exp())[:, None]).exp_()
    grey = (image[:, :1] * 0.30 + image[:, 1:2] * 0.59 + image[:, 2:] * 0.11).expand_as(image)
    image = torch.where(wide(draws.chance(0.15))[:, None], grey, image)
    image = _soften(image, draws.uniform(0.05, 0.3) * draws.chance(0.6))

    edge = draws.choose(torch.ones(4))
    strip = draws.uniform(0.02, 0.14) * draws.chance(0.12)
    strip = torch.minimum(strip, margins.gather(1, edge[:, None])[:, 0]) * size
    place = torch.arange(size, device=image.device) + 0.5
    from_edge = torch.stack([place, place, size - place, size - place])[edge]  # (B, S)
    kept = from_edge >= strip[:, None]
    upright = (edge % 2 == 0)[:, None, None]
    kept = torch.where(upright, kept[:, None, :], kept[:, :, None])
    image = image * kept[:, None]
    image = image + draws.uniform(0, 0.03)[:, None, None, None] * draws.normal(1.0, 3, size, size)
    return (image.clamp_(0, 1) * 255 + 0.5).to(torch.uint8)


def _soften(image: Tensor, share: Tensor) -> Tensor:
    """Gives each pixel's four neighbours a ``share`` (B,) of it along each axis, half to either side."""
    share = share[:, None, None, None]
    for axis in (2, 3):
        size = image.shape[axis]
        given = image * (share / 2)
        image = image * (1 - share)
        image.narrow(axis, 1, size - 1).add_(given.narrow(axis, 0, size - 1))
        image.narrow(axis, 0, size - 1).add_(given.narrow(axis, 1, size - 1))
        for end in (0, size - 1):  # what would leave the image stays
            image.narrow(axis, end, 1).add_(given.narrow(axis, end, 1))
    return image


def blur_inside(image: Tensor, radius: Tensor) -> Tensor:
    """Two box blurs of images (B, 3, S, S), divided by what they make of the frame itself, so no edge darkens.

    Args:
        radius: pixels, (B, 2): across and down.
    """
    chosen = (radius > 0).any(1).nonzero()[:, 0]
    padded = torch.cat([image[chosen], torch.ones_like(image[chosen, :1])], 1)
    for _ in range(2):
        padded = box_blur(padded, *radius[chosen].unbind(1))
    image[chosen] = padded[:, :3] / padded[:, 3:]
    return image

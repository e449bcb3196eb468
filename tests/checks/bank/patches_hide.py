"""Answers to ``patches.hide``."""

import torch
import torch.nn.functional as F
from einops import rearrange, repeat

from tests.checks.bank.entries import Bank

BANK = Bank("patches.hide")


def grid(images, hidden, size):
    return rearrange(hidden, "b (h w) -> b 1 h w", h=images.shape[2] // size)


def pixels(images, hidden, size):
    return repeat(grid(images, hidden, size), "b 1 h w -> b 1 (h p1) (w p2)", p1=size, p2=size)


@BANK.right
def by_repeat(images, hidden, patch_size):
    return images.masked_fill(pixels(images, hidden, patch_size), 0.5)


@BANK.right
def by_interpolation(images, hidden, patch_size):
    mask = F.interpolate(grid(images, hidden, patch_size).to(images), scale_factor=patch_size)
    return images * (1 - mask) + 0.5 * mask


@BANK.right
def patch_by_patch(images, hidden, patch_size):
    result, columns = images.clone(), images.shape[3] // patch_size
    for which, place in hidden.nonzero().tolist():
        top, left = place // columns * patch_size, place % columns * patch_size
        result[which, :, top : top + patch_size, left : left + patch_size] = 0.5
    return result


@BANK.right
def in_patches(images, hidden, patch_size):
    rows = images.shape[2] // patch_size
    cut = {"p1": patch_size, "p2": patch_size}
    patches = rearrange(images, "b c (h p1) (w p2) -> b (h w) (c p1 p2)", **cut)
    patches = torch.where(hidden[..., None], torch.full_like(patches, 0.5), patches)
    return rearrange(patches, "b (h w) (c p1 p2) -> b c (h p1) (w p2)", h=rows, **cut)


BANK.wrong("nothing-hidden")(lambda images, hidden, size: images)
BANK.wrong("inverted")(lambda images, hidden, size: by_repeat(images, ~hidden, size))
BANK.wrong("tiled")(
    lambda images, hidden, size: images.masked_fill(grid(images, hidden, size).repeat(1, 1, size, size), 0.5)
)
BANK.wrong("tiled")(
    lambda images, hidden, size: images.masked_fill(
        repeat(grid(images, hidden, size), "b 1 h w -> b 1 (p1 h) (p2 w)", p1=size, p2=size), 0.5
    )
)
BANK.wrong("columns-first")(
    lambda images, hidden, size: by_repeat(
        images, rearrange(hidden, "b (w h) -> b (h w)", h=images.shape[2] // size), size
    )
)
BANK.wrong("one-row-for-all")(lambda images, hidden, size: by_repeat(images, hidden[:1].expand_as(hidden), size))
BANK.wrong("one-row-for-all")(
    lambda images, hidden, size: by_repeat(images, hidden.any(dim=0, keepdim=True).expand_as(hidden), size)
)
BANK.wrong("corners-only")(
    lambda images, hidden, size: torch.where(
        (torch.arange(images.shape[2])[:, None] % size == 0) & (torch.arange(images.shape[3]) % size == 0),
        by_repeat(images, hidden, size),
        images,
    )
)
BANK.wrong("black")(lambda images, hidden, size: images * ~pixels(images, hidden, size))
BANK.wrong("black")(lambda images, hidden, size: images.masked_fill(pixels(images, hidden, size), 0.0))
BANK.wrong("not-grey")(lambda images, hidden, size: images.masked_fill(pixels(images, hidden, size), 1.0))
BANK.wrong("not-grey")(lambda images, hidden, size: images + 0.5 * pixels(images, hidden, size))
BANK.wrong("not-grey")(lambda images, hidden, size: images * (1 - 0.5 * pixels(images, hidden, size).to(images)))
BANK.wrong("wrong-shape")(lambda images, hidden, size: by_repeat(images, hidden, size)[:, 0])
BANK.wrong("wrong-values")(lambda images, hidden, size: 2 * by_repeat(images, hidden, size))
BANK.wrong("wrong-type")(lambda images, hidden, size: None)
BANK.wrong("raises")(lambda images, hidden, size: images.masked_fill(hidden, 0.5))
BANK.wrong("wrong-dtype")(lambda images, hidden, size: by_repeat(images, hidden, size).half())
BANK.wrong("lost-precision")(lambda images, hidden, size: by_repeat(images.float(), hidden, size).to(images))
BANK.wrong("cuts-gradient")(lambda images, hidden, size: by_repeat(images.detach(), hidden, size))


@BANK.wrong("one-channel")
def the_first_channel(images, hidden, patch_size):
    result = images.clone()
    result[:, :1] = by_repeat(images[:, :1], hidden, patch_size)
    return result


@BANK.wrong("changes-inputs")
def in_place(images, hidden, patch_size):
    return images.masked_fill_(pixels(images, hidden, patch_size), 0.5)

"""Answers to ``patches.cut``."""

import torch
import torch.nn.functional as F
from einops import rearrange

from tests.checks.bank.entries import Bank

BANK = Bank("patches.cut")


@BANK.right
def by_einops(images, patch_size):
    return rearrange(images, "b c (h p1) (w p2) -> b (h w) (p1 p2 c)", p1=patch_size, p2=patch_size)


@BANK.right
def by_permute(images, patch_size):
    batch, channels, height, width = images.shape
    rows, columns = height // patch_size, width // patch_size
    cut = images.reshape(batch, channels, rows, patch_size, columns, patch_size)
    return cut.permute(0, 2, 4, 3, 5, 1).reshape(batch, rows * columns, -1)


@BANK.right
def slice_by_slice(images, patch_size):
    _, _, height, width = images.shape
    patches = []
    for top in range(0, height, patch_size):
        for left in range(0, width, patch_size):
            window = images[:, :, top : top + patch_size, left : left + patch_size]
            patches.append(window.permute(0, 2, 3, 1).flatten(1))
    return torch.stack(patches, dim=1)


@BANK.right
def by_unfold(images, patch_size):
    columns = F.unfold(images, patch_size, stride=patch_size).mT
    return columns.unflatten(-1, (images.shape[1], -1)).mT.flatten(2)


def einops(pattern):
    return lambda images, p: rearrange(images, pattern, p1=p, p2=p)


BANK.wrong("channels-first")(einops("b c (h p1) (w p2) -> b (h w) (c p1 p2)"))
BANK.wrong("channels-first")(lambda images, p: F.unfold(images, p, stride=p).mT)
BANK.wrong("channels-first")(einops("b c (h p1) (w p2) -> b (h w) (c p2 p1)"))
BANK.wrong("turned")(einops("b c (h p1) (w p2) -> b (h w) (p2 p1 c)"))
BANK.wrong("columns-first")(einops("b c (h p1) (w p2) -> b (w h) (p1 p2 c)"))
BANK.wrong("reshaped")(lambda images, p: images.reshape(len(images), -1, p * p * images.shape[1]))
BANK.wrong("reshaped")(lambda images, p: images.permute(0, 2, 3, 1).reshape(len(images), -1, p * p * images.shape[1]))
BANK.wrong("reshaped")(
    lambda images, p: images.unfold(2, p, p).unfold(3, p, p).reshape(len(images), -1, p * p * images.shape[1])
)
BANK.wrong("spread")(einops("b c (p1 h) (p2 w) -> b (h w) (p1 p2 c)"))
BANK.wrong("spread")(einops("b c (p1 h) (p2 w) -> b (h w) (c p1 p2)"))
BANK.wrong("counts-patches")(lambda images, p: rearrange(images, "b c (h y) (w x) -> b (h w) (y x c)", h=p, w=p))
BANK.wrong("patches-last")(lambda images, p: by_einops(images, p).mT)
BANK.wrong("patches-last")(lambda images, p: F.unfold(images, p, stride=p))
BANK.wrong("not-flat")(einops("b c (h p1) (w p2) -> b (h w) p1 p2 c"))
BANK.wrong("not-flat")(einops("b c (h p1) (w p2) -> b (h w) c p1 p2"))
BANK.wrong("not-flat")(einops("b c (h p1) (w p2) -> b h w (p1 p2 c)"))
BANK.wrong("channels-as-patches")(einops("b c (h p1) (w p2) -> b (h w c) (p1 p2)"))
BANK.wrong("channels-as-patches")(einops("b c (h p1) (w p2) -> b (c h w) (p1 p2)"))
BANK.wrong("fixed-channels")(
    lambda images, p: rearrange(images, "b c (h p1) (w p2) -> b (h w) (p1 p2 c)", p1=p, p2=p, c=3)
)
BANK.wrong("fixed-channels")(lambda images, p: by_einops(images[:, [0, 1, 2]], p))
BANK.wrong("wrong-shape")(lambda images, p: by_einops(images, p)[:, :-1])
BANK.wrong("wrong-shape")(lambda images, p: by_einops(images, p).flatten(0, 1))
BANK.wrong("wrong-type")(lambda images, p: list(by_einops(images, p)))
BANK.wrong("wrong-values")(lambda images, p: by_einops(images, p).flip(1))
BANK.wrong("wrong-dtype")(lambda images, p: by_einops(images, p).half())
BANK.wrong("lost-precision")(lambda images, p: by_einops(images.float(), p).to(images))
BANK.wrong("cuts-gradient")(lambda images, p: by_einops(images.detach(), p))
BANK.wrong("raises")(lambda images, p: images.view(len(images), p))

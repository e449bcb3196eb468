"""Answers to ``patches.repair``; the first is what the notebook hands out."""

import torch
import torch.nn.functional as F
from einops import rearrange

from tests.checks.bank.entries import Bank

BANK = Bank("patches.repair")


@BANK.wrong("channels-mixed")
def handed_out(images, weight, bias, cls_token, pos_embed):
    size = weight.shape[-1]
    windows = images.unfold(2, size, size).unfold(3, size, size)
    patches = windows.reshape(len(images), -1, weight[0].numel())
    tokens = patches @ weight.flatten(1).T + bias
    tokens = tokens + pos_embed[:, :-1]
    cls_token = cls_token.expand(len(images), -1, -1)
    return torch.cat([cls_token, tokens], dim=1)


@BANK.right
def channels_moved(images, weight, bias, cls_token, pos_embed):
    size = weight.shape[-1]
    windows = images.unfold(2, size, size).unfold(3, size, size).permute(0, 2, 3, 1, 4, 5)
    patches = windows.reshape(len(images), -1, weight[0].numel())
    tokens = patches @ weight.flatten(1).T + bias + pos_embed[:, 1:]
    return torch.cat([cls_token.expand(len(images), -1, -1) + pos_embed[:, :1], tokens], dim=1)


@BANK.right
def by_convolution(images, weight, bias, cls_token, pos_embed):
    tokens = F.conv2d(images, weight, bias, stride=weight.shape[-1]).flatten(2).transpose(1, 2)
    return torch.cat([cls_token.repeat(len(tokens), 1, 1), tokens], dim=1) + pos_embed


@BANK.right
def by_unfold(images, weight, bias, cls_token, pos_embed):
    patches = F.unfold(images, weight.shape[-1], stride=weight.shape[-1]).mT
    tokens = F.linear(patches, weight.flatten(1), bias)
    return torch.cat([cls_token.expand(len(tokens), -1, -1), tokens], dim=1) + pos_embed


def variant(
    cut=lambda images, size: rearrange(images, "b c (h y) (w x) -> b (h w) (c y x)", y=size, x=size),
    add=lambda cls_token, tokens, pos_embed: torch.cat([cls_token, tokens], dim=1) + pos_embed,
    linear=F.linear,
):
    """An embedding of which one step can be replaced; as it stands, it is right."""

    def embed(images, weight, bias, cls_token, pos_embed):
        tokens = linear(cut(images, weight.shape[-1]), weight.flatten(1), bias)
        return add(cls_token.expand(len(images), -1, -1), tokens, pos_embed)

    return embed


def einops(pattern):
    return variant(cut=lambda images, size: rearrange(images, pattern, y=size, x=size))


def windows(images, size):
    return images.unfold(2, size, size).unfold(3, size, size).reshape(len(images), -1, images.shape[1] * size**2)


BANK.wrong("channels-mixed")(variant(cut=windows))
BANK.wrong("channels-mixed")(
    variant(cut=windows, add=lambda cls, tokens, pos: torch.cat([cls, tokens + pos[:, 1:]], dim=1))
)
BANK.wrong("positions-shifted")(variant(add=lambda cls, tokens, pos: torch.cat([cls, tokens + pos[:, :-1]], dim=1)))
BANK.wrong("class-token-bare")(variant(add=lambda cls, tokens, pos: torch.cat([cls, tokens + pos[:, 1:]], dim=1)))
BANK.wrong("class-token-last")(variant(add=lambda cls, tokens, pos: torch.cat([tokens, cls], dim=1) + pos))
BANK.wrong("no-positions")(variant(add=lambda cls, tokens, pos: torch.cat([cls, tokens], dim=1)))
BANK.wrong("channels-last")(einops("b c (h y) (w x) -> b (h w) (y x c)"))
BANK.wrong("turned")(einops("b c (h y) (w x) -> b (h w) (c x y)"))
BANK.wrong("columns-first")(einops("b c (h y) (w x) -> b (w h) (c y x)"))
BANK.wrong("no-bias")(variant(linear=lambda patches, weight, bias: patches @ weight.T))
BANK.wrong("breaks-what-worked")(variant(linear=lambda patches, weight, bias: F.linear(patches, weight, 2 * bias)))
BANK.wrong("breaks-what-worked")(einops("b c (y h) (x w) -> b (h w) (c y x)"))
BANK.wrong("wrong-shape")(variant(add=lambda cls, tokens, pos: tokens + pos[:, 1:]))
BANK.wrong("wrong-values")(
    variant(add=lambda cls, tokens, pos: torch.cat([cls + pos[:, :1], tokens + 2 * pos[:, 1:]], dim=1))
)
BANK.wrong("raises")(variant(cut=lambda images, size: images.unfold(1, size, size)))
BANK.wrong("wrong-type")(variant(add=lambda cls, tokens, pos: [cls, tokens]))
BANK.wrong("wrong-dtype")(lambda *inputs: by_convolution(*inputs).half())
BANK.wrong("lost-precision")(lambda *inputs: by_convolution(*(one.float() for one in inputs)).to(inputs[0]))
BANK.wrong("cuts-gradient")(lambda x, weight, *others: by_convolution(x, weight.detach(), *others))


@BANK.wrong("changes-inputs")
def in_place(images, weight, bias, cls_token, pos_embed):
    images -= images.mean()
    return by_convolution(images, weight, bias, cls_token, pos_embed)

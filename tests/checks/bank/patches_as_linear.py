"""Answers to ``patches.as_linear``."""

import torch
from einops import rearrange

from tests.checks.bank.entries import Bank

BANK = Bank("patches.as_linear")


@BANK.right
def by_einops(weight):
    return rearrange(weight, "d c p1 p2 -> d (p1 p2 c)")


@BANK.right
def by_permute(weight):
    return weight.permute(0, 2, 3, 1).reshape(len(weight), -1)


@BANK.right
def channels_stacked_last(weight):
    return torch.stack([channel.flatten(1) for channel in weight.unbind(1)], dim=2).flatten(1)


BANK.wrong("channels-first")(lambda weight: weight.flatten(1))
BANK.wrong("channels-first")(lambda weight: rearrange(weight, "d c p1 p2 -> d (c p1 p2)"))
BANK.wrong("turned")(lambda weight: weight.permute(0, 3, 2, 1).flatten(1))
BANK.wrong("turned")(lambda weight: rearrange(weight, "d c p1 p2 -> d (c p2 p1)"))
BANK.wrong("outputs-mixed")(lambda weight: weight.permute(2, 3, 1, 0).reshape(len(weight), -1))
BANK.wrong("outputs-mixed")(lambda weight: weight.permute(1, 2, 3, 0).reshape(len(weight), -1))
BANK.wrong("outputs-mixed")(lambda weight: weight.transpose(0, 1).reshape(len(weight), -1))
BANK.wrong("transposed")(lambda weight: by_einops(weight).T)
BANK.wrong("transposed")(lambda weight: weight.flatten(1).T)
BANK.wrong("flipped")(lambda weight: by_einops(weight.flip(-1, -2)))
BANK.wrong("not-flat")(lambda weight: weight.permute(0, 2, 3, 1))
BANK.wrong("not-flat")(lambda weight: weight.permute(0, 2, 3, 1).flatten(1, 2))
BANK.wrong("channels-summed")(lambda weight: weight.sum(dim=1).flatten(1))
BANK.wrong("channels-averaged")(lambda weight: weight.mean(dim=1).flatten(1))
BANK.wrong("wrong-shape")(lambda weight: weight.flatten())
BANK.wrong("wrong-values")(lambda weight: 2 * by_einops(weight))
BANK.wrong("wrong-type")(lambda weight: torch.nn.Linear(weight[0].numel(), len(weight)))
BANK.wrong("wrong-dtype")(lambda weight: by_einops(weight).half())
BANK.wrong("lost-precision")(lambda weight: by_einops(weight.float()).to(weight))
BANK.wrong("cuts-gradient")(lambda weight: by_einops(weight.detach()))
BANK.wrong("raises")(lambda weight: weight.permute(0, 2, 3, 1).view(len(weight), -1, 0))


@BANK.wrong("changes-inputs")
def in_place(weight):
    weight.mul_(2)
    return by_einops(weight)

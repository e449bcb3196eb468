"""Answers to ``vit.rollout``: the patches' shares in the class token, through all layers."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("vit.rollout")


@BANK.right
def step_by_step(weights):
    total = None
    for layer in weights:
        mixed = (layer.mean(dim=1) + torch.eye(layer.shape[-1], dtype=layer.dtype)) / 2
        total = mixed if total is None else mixed @ total
    shares = total[:, 0, 1:]
    return shares / shares.sum(dim=-1, keepdim=True)


@BANK.right
def row_from_the_top(weights):
    """The class token's row alone, from the last layer down."""
    row = torch.zeros(weights.shape[1], 1, weights.shape[-1], dtype=weights.dtype)
    row[..., 0] = 1
    for layer in weights.flip(0):
        row = 0.5 * row + 0.5 * row @ layer.mean(dim=1)
    return torch.nn.functional.normalize(row[:, 0, 1:], p=1, dim=-1)


def mixed(weights, mean=lambda w: w.mean(dim=2), share=0.5):
    means = mean(weights)
    return share * torch.eye(weights.shape[-1]).to(weights) + (1 - share) * means


def multiplied(layers, order=1):
    total = torch.eye(layers.shape[-1]).to(layers)
    for layer in layers[::1] if order == 1 else layers.flip(0):
        total = layer @ total
    return total


def read(total, row=0):
    shares = total[:, row, 1:]
    return shares / shares.sum(dim=-1, keepdim=True)


BANK.wrong("no-residual")(lambda w: read(multiplied(w.mean(dim=2))))
BANK.wrong("layers-reversed")(lambda w: read(multiplied(mixed(w), order=-1)))
BANK.wrong("layers-averaged")(lambda w: read(w.mean(dim=(0, 2))))
BANK.wrong("layers-averaged")(lambda w: read(mixed(w).mean(dim=0)))
BANK.wrong("layers-multiplied-by-number")(lambda w: read(mixed(w).prod(dim=0)))
BANK.wrong("last-layer-only")(lambda w: read(w[-1].mean(dim=1)))
BANK.wrong("first-layer-only")(lambda w: read(w[0].mean(dim=1)))
BANK.wrong("heads-summed")(lambda w: read(multiplied(mixed(w, lambda w: w.sum(dim=2)))))
BANK.wrong("heads-maximum")(lambda w: read(multiplied(mixed(w, lambda w: w.amax(dim=2)))))
BANK.wrong("one-head")(lambda w: read(multiplied(mixed(w, lambda w: w[:, :, 0]))))
BANK.wrong("heads-apart")(
    lambda w: read(torch.stack([multiplied(mixed(w[:, :, h : h + 1])) for h in range(w.shape[2])]).mean(dim=0))
)
BANK.wrong("column-not-row")(lambda w: read(multiplied(mixed(w)).mT))
BANK.wrong("transposed-layers")(lambda w: read(multiplied(mixed(w).mT)))
BANK.wrong("another-token")(lambda w: read(multiplied(mixed(w)), row=-1))
BANK.wrong("another-token")(lambda w: read(multiplied(mixed(w)), row=1))
BANK.wrong("all-tokens-averaged")(lambda w: read(multiplied(mixed(w)).mean(dim=1, keepdim=True)))
BANK.wrong("not-normalised")(lambda w: multiplied(mixed(w))[:, 0, 1:])
BANK.wrong("with-class-token")(lambda w: multiplied(mixed(w))[:, 0])
BANK.wrong("whole-table")(lambda w: multiplied(mixed(w)))
BANK.wrong("softmax-at-the-end")(lambda w: multiplied(mixed(w))[:, 0, 1:].softmax(dim=-1))
BANK.wrong("wrong-values")(lambda w: read(multiplied(mixed(w, share=0.9))))
BANK.wrong("wrong-dtype")(lambda w: step_by_step(w).half())
BANK.wrong("lost-precision")(lambda w: step_by_step(w.float()).to(w.dtype))


@BANK.wrong("divided-by-largest")
def brightest_is_one(weights):
    shares = multiplied(mixed(weights))[:, 0, 1:]
    return shares / shares.max(dim=-1, keepdim=True).values


@BANK.wrong("whole-batch")
def one_sum_for_all(weights):
    shares = multiplied(mixed(weights))[:, 0, 1:]
    return shares / shares.sum()


@BANK.wrong("changes-inputs")
def in_place(weights):
    weights *= 0.5
    weights += 0.5 * torch.eye(weights.shape[-1]).to(weights)
    return read(multiplied(weights.mean(dim=2)))

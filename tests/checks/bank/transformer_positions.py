"""Answers to ``transformer.positions``."""

import math

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("transformer.positions")


@BANK.right
def every_second_column(length, dim):
    place = torch.arange(length)[:, None]
    frequency = 10_000 ** (-torch.arange(0, dim, 2) / dim)
    table = torch.zeros(length, dim)
    table[:, 0::2] = torch.sin(place * frequency)
    table[:, 1::2] = torch.cos(place * frequency)
    return table


@BANK.right
def one_number_at_a_time(length, dim):
    def entry(position, channel):
        angle = position / 10_000 ** ((channel - channel % 2) / dim)
        return math.cos(angle) if channel % 2 else math.sin(angle)

    return torch.tensor([[entry(position, channel) for channel in range(dim)] for position in range(length)])


@BANK.right
def stacked_and_flattened(length, dim):
    pairs = torch.arange(dim // 2)
    frequency = torch.exp(-2 * pairs / dim * math.log(10_000))
    angle = torch.outer(torch.arange(length).float(), frequency)
    return torch.stack([angle.sin(), angle.cos()], dim=2).reshape(length, dim)


def variant(exponent=lambda pair, dim: 2 * pair / dim, base=10_000.0, first=0, sign=-1, pair_up=None):
    """A table of which one step can be replaced; as it stands, it is right."""

    def table(length, dim):
        place = torch.arange(first, first + length)[:, None]
        angle = place * base ** (sign * exponent(torch.arange(dim // 2), dim))
        if pair_up is not None:
            return pair_up(angle)
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

    return table


def own_exponent(length, dim):
    """Every channel has an exponent of its own."""
    channel = torch.arange(dim)
    angle = torch.arange(length)[:, None] / 10_000 ** (channel / dim)
    return torch.where(channel % 2 == 0, angle.sin(), angle.cos())


BANK.right(variant())
BANK.wrong("transposed")(lambda length, dim: variant()(length, dim).T)
BANK.wrong("halves")(variant(pair_up=lambda angle: torch.cat([angle.sin(), angle.cos()], dim=1)))
BANK.wrong("sine-and-cosine-swapped")(variant(pair_up=lambda a: torch.stack([a.cos(), a.sin()], dim=-1).flatten(1)))
BANK.wrong("sine-and-cosine-swapped")(variant(pair_up=lambda angle: torch.cat([angle.cos(), angle.sin()], dim=1)))
BANK.wrong("only-one-of-them")(variant(pair_up=lambda angle: angle.sin().repeat_interleave(2, dim=1)))
BANK.wrong("only-one-of-them")(
    lambda length, dim: torch.sin(torch.arange(length)[:, None] / 10_000 ** (torch.arange(dim) / dim))
)
BANK.wrong("counts-from-one")(variant(first=1))
BANK.wrong("one-frequency")(variant(exponent=lambda pair, dim: 0.0 * pair))
BANK.wrong("upside-down")(variant(sign=1))
BANK.wrong("wrong-exponent")(variant(exponent=lambda pair, dim: pair / dim))
BANK.wrong("wrong-exponent")(variant(exponent=lambda pair, dim: 4 * pair / dim))
BANK.wrong("wrong-exponent")(variant(exponent=lambda pair, dim: pair / max(dim // 2 - 1, 1)))
BANK.wrong("wrong-exponent")(own_exponent)
BANK.wrong("wrong-base")(variant(base=1000.0))
BANK.wrong("wrong-base")(variant(base=math.e))
BANK.wrong("fixed-width")(variant(exponent=lambda pair, dim: 2 * pair / 512))
BANK.wrong("fixed-width")(variant(exponent=lambda pair, dim: 2 * pair / 4))
BANK.wrong("wrong-dtype")(lambda length, dim: variant()(length, dim).double())
BANK.wrong("wrong-type")(lambda length, dim: variant()(length, dim).tolist())
BANK.wrong("wrong-values")(lambda length, dim: 2 * variant()(length, dim))
BANK.wrong("wrong-shape")(lambda length, dim: variant()(length, dim)[None])


def beside_the_power(divisor):
    """The angle is the position over ``divisor(i, dim)``, where the exponent is not what it should be."""

    def table(length, dim):
        angle = torch.arange(length)[:, None] / divisor(torch.arange(dim // 2), dim)
        return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)

    return table


BANK.wrong("exponent-cut-off")(beside_the_power(lambda pair, dim: 10_000**2 * pair / dim))
BANK.wrong("exponent-cut-off")(beside_the_power(lambda pair, dim: 10_000 * 2 * pair / dim))
BANK.wrong("exponent-cut-off")(beside_the_power(lambda pair, dim: 10_000.0 ** (2 * pair) / dim))

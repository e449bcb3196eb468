"""Answers to ``asl_experiments.tight_sides``."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_experiments.tight_sides")


@BANK.right
def by_a_linear_system(sides, turn, shear):
    t, a, b = torch.deg2rad(turn).abs(), torch.deg2rad(shear[:, 0]).abs(), torch.deg2rad(shear[:, 1]).abs()
    c, s, x, y = t.cos(), t.sin(), a.tan(), b.tan()
    rows = torch.stack([c + x * s, s + x * c, s + y * c, c + y * s], 1).reshape(-1, 2, 2)
    return torch.linalg.solve(rows, sides.unsqueeze(2)).squeeze(2)


def two_steps(sides, turn, shear, cosine=torch.cos, slope=torch.tan, size=torch.abs, unit=torch.deg2rad):
    """The right answer, or one with a part replaced: first the shear is undone, then the turn."""
    turn, shear = unit(turn), size(unit(shear))
    x, y = slope(shear[:, 0]), slope(shear[:, 1])
    wide, high = sides[:, 0], sides[:, 1]
    wide, high = (wide - x * high) / (1 - x * y), (high - y * wide) / (1 - x * y)
    c, s = cosine(turn), size(turn.sin())
    return torch.stack([(c * wide - s * high) / (c**2 - s**2), (c * high - s * wide) / (c**2 - s**2)], 1)


BANK.right(lambda sides, turn, shear: two_steps(sides, turn, shear))
BANK.wrong("degrees")(lambda sides, turn, shear: two_steps(sides, turn, shear, unit=lambda angle: angle))
BANK.wrong("signs")(lambda sides, turn, shear: two_steps(sides, turn, shear, size=lambda angle: angle))
BANK.wrong("shear-forgotten")(lambda sides, turn, shear: two_steps(sides, turn, 0 * shear))
BANK.wrong("turn-forgotten")(lambda sides, turn, shear: two_steps(sides, 0 * turn, shear))
BANK.wrong("cosine-forgotten")(lambda sides, turn, shear: two_steps(sides, turn, shear, cosine=torch.ones_like))
BANK.wrong("sine-for-tangent")(lambda sides, turn, shear: two_steps(sides, turn, shear, slope=torch.sin))
BANK.wrong("shears-exchanged")(lambda sides, turn, shear: two_steps(sides, turn, shear.flip(1)))
BANK.wrong("sides-exchanged")(lambda sides, turn, shear: two_steps(sides, turn, shear).flip(1))


@BANK.wrong("order-exchanged")
def first_hull_first(sides, turn, shear):
    flat, straight = torch.zeros_like(shear), torch.zeros_like(turn)
    return two_steps(two_steps(sides, turn, flat), straight, shear)


@BANK.wrong("first-order")
def shear_of_the_grown_sides(sides, turn, shear):
    along = torch.deg2rad(shear).tan().abs()
    return two_steps(sides - along * sides.flip(1), turn, 0 * shear)


BANK.wrong("wrong-values")(lambda sides, turn, shear: 0.9 * two_steps(sides, turn, shear))


def grown(sides, turn, shear):
    t, (x, y) = torch.deg2rad(turn).abs(), torch.deg2rad(shear).abs().tan().unbind(1)
    wide = sides[:, 0] * t.cos() + sides[:, 1] * t.sin()
    high = sides[:, 1] * t.cos() + sides[:, 0] * t.sin()
    return torch.stack([wide + x * high, high + y * wide], 1)


BANK.wrong("grows-again")(grown)
BANK.wrong("first-order")(lambda sides, turn, shear: sides - (grown(sides, turn, shear) - sides))

"""``transformer.positions(length, dim)``: the table of sines and cosines, (length, dim).

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.5.
"""

import math

import torch
from torch import Tensor

from vitcourse.checks.engine.solved import Solved


def _pairs(length: int, exponents: Tensor, base: float = 10_000.0, first: int = 0) -> tuple[Tensor, Tensor]:
    """The sine and the cosine (length, exponents) of every place over ``base**exponents``."""
    angle = torch.arange(first, first + length, dtype=torch.float64)[:, None] * base**-exponents
    return angle.sin().float(), angle.cos().float()


def _turns(sine: Tensor, cosine: Tensor) -> Tensor:
    return torch.stack([sine, cosine], dim=-1).flatten(1)


def _exponents(dim: int) -> Tensor:
    return torch.arange(0, dim, 2, dtype=torch.float64) / dim


def right(length: int, dim: int) -> Tensor:
    return _turns(*_pairs(length, _exponents(dim)))


def wrong(length: int, dim: int) -> dict[str, Tensor]:
    exponents, channel = _exponents(dim), torch.arange(dim, dtype=torch.float64)
    sine, cosine = _pairs(length, exponents)
    own = {power: _pairs(length, power * channel / dim) for power in (1, 2)}  # an exponent for each channel
    pair = torch.arange(dim // 2)
    cut = {"2": 1e8 * pair / dim, "base": 2e4 * pair / dim, "i": 1e4 ** (2.0 * pair), "half": 1e4 ** pair.double()}
    cut |= {"i, times": cut["i"] * dim, "i, over": cut["i"] / dim}
    places = torch.arange(length, dtype=torch.float64)[:, None]
    of = {
        "counts-from-one": _pairs(length, exponents, first=1),
        "one-frequency": _pairs(length, 0 * exponents),
        "upside-down": _pairs(length, -exponents),
        "wrong-exponent/i": _pairs(length, exponents / 2),
        "wrong-exponent/4i": _pairs(length, 2 * exponents),
        "wrong-exponent/last": _pairs(length, torch.linspace(0, 1, dim // 2, dtype=torch.float64)),
        "wrong-exponent/from one": _pairs(length, exponents + 2 / dim),
        **{f"wrong-base/{base:g}": _pairs(length, exponents, base) for base in (10, 100, 1000, 1e5, math.e)},
        **{f"fixed-width/{n}": _pairs(length, exponents * dim / n) for n in (4, 32, 64, 128, 256, 512, 768, 1024)},
        **{f"exponent-cut-off/{how}": ((places / by).sin(), (places / by).cos()) for how, by in cut.items()},
    }
    return {
        "transposed": right(length, dim).T,
        "halves": torch.cat([sine, cosine], dim=1),
        "sine-and-cosine-swapped": _turns(cosine, sine),
        "sine-and-cosine-swapped/halves": torch.cat([cosine, sine], dim=1),
        "only-one-of-them/sine": _turns(sine, sine),
        "only-one-of-them/cosine": _turns(cosine, cosine),
        **{f"only-one-of-them/own {power}": sines for power, (sines, _) in own.items()},
        **{f"wrong-exponent/own {power}": torch.where(channel % 2 == 0, *both) for power, both in own.items()},
        **{name: _turns(*both).float() for name, both in of.items()},
    }


positions = Solved("transformer.positions", right=right, wrong=wrong, parts=("the table",), typed=True)


DRAWS = {  # widths that are none of the usual ones
    "position 0 is 0, 1, 0, 1, …: sine and cosine of 0, in turns": lambda probe: (1, 2 * probe.integer(9, 15)),
    # So few that no mistake has a large angle: rounding would decide about its sine.
    "the first pair turns as the position itself, the second more slowly": lambda probe: (probe.integer(2, 3), 4),
    "every further pair turns more slowly, by the same factor": lambda probe: (
        probe.integer(9, 13),
        2 * probe.integer(9, 15),
    ),
    "it works for one pair alone": lambda probe: (probe.integer(9, 13), 2),
    "it works for a long sequence": lambda probe: (probe.integer(90, 110), 6),
}
for text, draw in DRAWS.items():
    positions.on(text, slack=10)(draw)

"""``transformer.positions(length, dim)``: the table of sines and cosines, (length, dim).

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.5.
"""

import math

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, close

positions = Check("transformer.positions")


def _table(length: int, exponents: Tensor, base: float = 10_000.0, first: int = 0) -> Tensor:
    """Interleaved sines and cosines (length, 2 * pairs) in float64; ``exponents`` has one for each pair."""
    angle = torch.arange(first, first + length, dtype=torch.float64)[:, None] * base**-exponents
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)


def _exponents(dim: int) -> Tensor:
    return torch.arange(0, dim, 2, dtype=torch.float64) / dim


def _right(length: int, dim: int) -> Tensor:
    return _table(length, _exponents(dim))


def _mistakes(length: int, dim: int) -> dict[str, Tensor]:
    right, exponents = _right(length, dim), _exponents(dim)
    sine, cosine = right[:, 0::2], right[:, 1::2]
    column = torch.arange(dim, dtype=torch.float64)
    place = torch.arange(length, dtype=torch.float64)[:, None]
    own = {f"own/{power}": place * 10_000.0 ** (-power * column / dim) for power in (1, 2)}
    tables = {
        "halves": torch.cat([sine, cosine], dim=1),
        "sine-and-cosine-swapped": torch.stack([cosine, sine], dim=-1).flatten(1),
        "sine-and-cosine-swapped/halves": torch.cat([cosine, sine], dim=1),
        "only-one-of-them/sine": sine.repeat_interleave(2, dim=1),
        "only-one-of-them/cosine": cosine.repeat_interleave(2, dim=1),
        "counts-from-one": _table(length, exponents, first=1),
        "one-frequency": _table(length, 0 * exponents),
        "wrong-exponent/i": _table(length, exponents / 2),
        "wrong-exponent/4i": _table(length, 2 * exponents),
        "wrong-exponent/last": _table(length, torch.linspace(0, 1, dim // 2, dtype=torch.float64)),
        "wrong-exponent/from one": _table(length, exponents + 2 / dim),
    }
    for name, angle in own.items():  # every channel with an exponent of its own
        tables[f"only-one-of-them/{name}"] = angle.sin()
        mixed = torch.where(column % 2 == 0, angle.sin(), angle.cos())
        tables[f"wrong-exponent/{name}"] = mixed
    tables |= {f"wrong-base/{base:g}": _table(length, exponents, base) for base in (10, 100, 1000, 1e5, math.e)}
    tables |= {f"fixed-width/{n}": _table(length, exponents * dim / n) for n in (4, 32, 64, 128, 256, 512, 1024)}
    return tables


def _call(probe: Probe, length: int, dim: int) -> Tensor:
    value = probe.call(length, dim)
    return probe.tensor(
        value, (length, dim), torch.float32, "The table", shapes={"transposed": (dim, length)}, exact=True
    )


def _judge(probe: Probe, value: Tensor, part: tuple) -> None:
    """Compares a part of the table; where it differs, the whole table tells which mistake it is."""
    right = _right(*value.shape)
    if close(value[part], right[part].float(), slack=5):
        return
    # Here the angles grow so large that rounding decides about all but the first pairs.
    probe.require(
        not close(value[:, :4], _table(len(right), -_exponents(right.shape[1]))[:, :4].float()), "upside-down"
    )
    for name, table in _mistakes(*value.shape).items():
        if close(value, table.float(), slack=5):
            raise Wrong(name.partition("/")[0])
    probe.equal(value[part], right[part], name="this part of the table")


def _sizes(probe: Probe) -> tuple[int, int]:
    """A length and an even width that is none of the usual ones."""
    return probe.integer(9, 13), 2 * probe.integer(8, 15)


@positions.property("one row for each position, one column for each channel")
def _shape(probe: Probe) -> None:
    _call(probe, *_sizes(probe))


@positions.property("position 0 is 0, 1, 0, 1, …: sine and cosine of 0, in turns")
def _first_row(probe: Probe) -> None:
    _judge(probe, _call(probe, *_sizes(probe)), (0,))


@positions.property("the first pair of channels holds the sine and the cosine of the position itself")
def _first_pair(probe: Probe) -> None:
    _judge(probe, _call(probe, *_sizes(probe)), (slice(None), slice(2)))


@positions.property("every further pair turns more slowly, by the same factor from pair to pair")
def _all_pairs(probe: Probe) -> None:
    _judge(probe, _call(probe, *_sizes(probe)), ())


@positions.property("it works for one position, for one pair, and for a long sequence")
def _extremes(probe: Probe) -> None:
    for length, dim in ((1, 2 * probe.integer(8, 15)), (probe.integer(9, 13), 2), (probe.integer(90, 110), 6)):
        value = _call(probe, length, dim)
        probe.equal(value, _right(length, dim), name="the table", slack=10)

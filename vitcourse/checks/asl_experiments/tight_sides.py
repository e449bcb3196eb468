"""``asl_experiments.tight_sides(sides, turn, shear)``: width and height before a box became the hull of a hull.

A box turned by t becomes W = w cos t + h |sin t|, H = h cos t + w |sin t|; sheared by a along x and b along y it
becomes W + |tan a| H and H + |tan b| W.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved


def _grown(turn: Tensor, shear: Tensor, absolute=Tensor.abs, cosine=Tensor.cos, slope=Tensor.tan) -> Tensor:
    """The matrices (N, 2, 2) from w and h to the sides that are found."""
    sine, along = absolute(turn.sin()), absolute(slope(shear))
    one, c = torch.ones_like(turn), cosine(turn)
    turned = torch.stack([c, sine, sine, c], 1).view(-1, 2, 2)
    return torch.stack([one, along[:, 0], along[:, 1], one], 1).view(-1, 2, 2) @ turned


def _solve(matrix: Tensor, sides: Tensor) -> Tensor:
    return torch.linalg.solve(matrix, sides[..., None])[..., 0]


def right(sides: Tensor, turn: Tensor, shear: Tensor) -> Tensor:
    turn, shear = turn.deg2rad(), shear.deg2rad()
    return _solve(_grown(turn, shear), sides)


def wrong(sides: Tensor, turn: Tensor, shear: Tensor) -> dict[str, Tensor]:
    t, s = turn.deg2rad(), shear.deg2rad()
    matrix, none = _grown(t, s), torch.zeros_like
    turned, sheared = _grown(t, none(s)), _grown(none(t), s)
    return {
        "degrees": _solve(_grown(turn, shear), sides),
        "signs": _solve(_grown(t, s, absolute=lambda value: value), sides),
        "shear-forgotten": _solve(turned, sides),
        "turn-forgotten": _solve(sheared, sides),
        "cosine-forgotten": _solve(_grown(t, s, cosine=torch.ones_like), sides),
        "sine-for-tangent": _solve(_grown(t, s, slope=Tensor.sin), sides),
        "grows-again": (matrix @ sides[..., None])[..., 0],
        "first-order": 2 * sides - (matrix @ sides[..., None])[..., 0],
        "first-order/shear": _solve(turned, 2 * sides - (sheared @ sides[..., None])[..., 0]),
        "order-exchanged": _solve(turned @ sheared, sides),
        "shears-exchanged": _solve(_grown(t, s.flip(1)), sides),
        "sides-exchanged": _solve(matrix, sides).flip(1),
    }


tight_sides = Solved("asl_experiments.tight_sides", right=right, wrong=wrong, parts=("the sides",), first="box")


@tight_sides.on("turned and sheared again, the box has the sides that were found")
def draw(probe: Probe) -> tuple[Tensor, Tensor, Tensor]:
    """Angles of both signs, larger than an exporter's, so that every term shows."""
    count = probe.integer(4, 7)
    # Read as radians these angles still give equations that can be solved, so that this mistake has clear numbers.
    turn, shear = 9 + 0.8 * probe.uniform(count), torch.tensor([9.6, 6.3]) + 0.6 * probe.uniform(count, 2)
    turn[::2], shear[1::2] = -turn[::2], -shear[1::2]
    sides = torch.tensor([200.0, 120.0]) + 60 * probe.uniform(count, 2)
    return sides.double() * 0.987654321, turn.double(), shear.double()

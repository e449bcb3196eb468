"""The head as a cloud of points that lie so close that no pixel falls between them: where each is, and its colour.

A head is an ellipsoid with bumps; hair is a second shell over it; ears, neck, shoulders and glasses are added.

Shape legend: N points; a sheet has R x C of them.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vitcourse.heads.paint import inside, near, painted
from vitcourse.heads.people import Face, Look

CLOTH = (0.22, 0.25, 0.33)
POLE = 1.568  # just under a quarter turn: at the pole itself the points of a row are one, and no way is up


@dataclass(frozen=True)
class Points:
    """Places (N, 3) in cm, unit normals (N, 3), colours (N, 3) in 0 to 1, gloss (N,)."""

    place: Tensor
    normal: Tensor
    colour: Tensor
    gloss: Tensor


def head(face: Face, look: Look, step: float) -> Points:
    """All of a head. ``step``: cm between neighbouring points, at most."""
    sheets = [_skin(face, look, step), _neck(face, step), _shoulders(face, step)]
    sheets += [_ear(face, side, step) for side in (-1, 1)]
    if not face.bald:
        sheets.append(_hair(face, step))
    if face.glasses and look.glasses:
        sheets += _glasses(face, step)
    return Points(*(torch.cat(parts) for parts in zip(*sheets, strict=True)))


def _grid(rows: tuple[float, float], columns: tuple[float, float], height: float, width: float, step: float) -> tuple:
    """Two coordinates over a sheet of about ``height`` by ``width`` cm, (R, C) each."""
    y = torch.linspace(*rows, max(int(height / step), 4))
    x = torch.linspace(*columns, max(int(width / step), 4))
    return torch.meshgrid(y, x, indexing="ij")


def _sheet(place: Tensor, colour: Tensor, gloss: Tensor | float, keep: Tensor | None = None) -> tuple[Tensor, ...]:
    """Points of a sheet (R, C, 3): its normals are square to its rows and columns, and point outwards."""
    normal = torch.linalg.cross(torch.gradient(place, dim=1)[0], torch.gradient(place, dim=0)[0])
    normal = normal / normal.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    gloss = torch.full(place.shape[:2], gloss) if isinstance(gloss, float) else gloss
    parts = place, normal, colour.expand_as(place), gloss
    return tuple(part.flatten(0, 1) if keep is None else part[keep] for part in parts)


def _ellipsoid(face: Face, up: Tensor, around: Tensor, more: Tensor | float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """x, y and z of the bare skull, ``more`` cm further out; ``around`` is 0 in front."""
    s = face.shape
    square = s["square"]
    sin, cos, flat = around.sin(), around.cos(), up.cos().clamp(min=0) ** square
    x = (s["width"] + more) * flat * sin
    y = (s["height"] + more) * up.sin()
    z = (s["depth"] + more) * flat * cos.sign() * cos.abs() ** square
    low = ((-1.5 - y) / 10).clamp(0, 1)
    return x * (1 - s["jaw"] * low - 0.12 * low**2), y, z


def _skin(face: Face, look: Look, step: float) -> tuple[Tensor, ...]:
    s = face.shape
    up, around = _grid((POLE, -POLE), (-2.3, 2.3), 34, 34, 0.8 * step)
    x, y, z = _ellipsoid(face, up, around)
    front = around.cos().clamp(0, 1) ** 0.5
    side, mouth = x.abs(), -s["mouth"]
    bump = s["ridge"] * near(side, 2.6, 2.2) * near(y, 1.7, 0.9)
    bump -= s["socket"] * near(side, s["eye"], 1.7) * near(y, 0.1, 1.15)
    bump += 0.5 * near(side, s["eye"], 1.1) * near(y, 0.0, 0.75)
    along = ((1.4 - y) / (1.4 + s["nose"])).clamp(0, 1)  # from the root of the nose to its tip
    under = near((-s["nose"] - y).clamp(min=0), 0.0, 0.55)
    bridge = (s["bridge"] + (s["nose_out"] - s["bridge"]) * along**1.3) * inside(1.4 - y, 0.5)
    bump += bridge * under * (-((side / (s["nose_width"] * (0.7 + 0.45 * along))) ** 2)).exp()
    bump += 0.75 * near(side, s["wings"], 0.55) * near(y, 0.45 - s["nose"], 0.6)
    bump += s["cheek"] * near(side, 4.5, 2.0) * near(y, -2.4 + 0.4 * look.smile, 1.8) * (1 + 0.6 * max(look.smile, 0))
    bump += 0.45 * near(side, 0.0, 3.0) * near(y, mouth, 1.6)
    broad = s["mouth_width"] * (1 + 0.14 * look.smile)
    line = y - mouth - 0.55 * look.smile * (side / broad).clamp(max=1.2) ** 2 + 0.25 * look.smile
    within = (1 - (side / broad) ** 2).clamp(min=0)
    bump += 0.5 * within * (near(line, 0.4 + look.gap / 2, 0.38) + 1.1 * near(line, -0.45 - look.gap, 0.42))
    bump += s["chin"] * near(side, 0.0, s["chin_width"]) * near(y, 0.82 * -s["height"], 1.5)
    bump -= 0.4 * near(side, 0.0, 2.0) * near(y, mouth - 1.75, 0.6)
    place = torch.stack([x, y, z + front * bump], -1)
    colour, gloss = painted(face, look, x, y, line, within)
    plain = face.skin.expand_as(colour)
    return _sheet(place, torch.where((around.cos() > 0.05)[..., None], colour, plain), gloss)


def _hair(face: Face, step: float) -> tuple[Tensor, ...]:
    s = face.shape
    up, around = _grid((POLE, -1.4), (-math.pi, math.pi), 40, 62, step)
    turn, level = around.abs() / math.pi, s["height"] * up.sin()  # turn: 0 in front, 1 behind
    falls, curl = face.long + 1.0, math.sin(7 * face.grain) ** 4
    line = s["hairline"] - s["temple"] * (turn / 0.33).clamp(max=1) ** 3 + s["parting"] * (2 * around).sin()
    edge = torch.where(turn < 0.33, line, line - (line + falls) * ((turn - 0.33) / 0.09).clamp(0, 1))
    edge = edge + 0.12 * (37 * around + face.grain).sin() + 0.1 * (83 * around + 3 * up).sin()
    curls = (29 * around + 6 * (11 * up).sin()).sin() * (31 * up + 5 * (13 * around).sin()).sin()
    thick = s["volume"] * ((level - edge) / 2.5).clamp(0, 1) ** 0.5 + 0.35 * curl * curls + 0.05
    x, y, z = _ellipsoid(face, up, around, thick)
    if face.long:  # it falls straight from where the head is broadest
        x = torch.where(y < 0, (s["width"] + thick) * around.sin(), x)
        z = torch.where(y < 0, (s["depth"] + thick) * around.cos(), z)
    strands = (97 * around + 5 * (3 * up + face.grain).sin()).sin() + (171 * around + 9 * up).sin()
    shine = 1 + 0.09 * strands * (1 - curl) + 0.25 * curl * curls
    place = torch.stack([x, y + 0.2, z - 0.2], -1)
    return _sheet(place, (face.hair * shine[..., None]).clamp(0, 1), 0.12, level > edge)


def _ear(face: Face, side: int, step: float) -> tuple[Tensor, ...]:
    s = face.shape
    up, around = _grid((POLE, -POLE), (-math.pi, math.pi), 8, 14, step)
    x = side * (s["width"] - 0.1 + 0.5 * s["ear_out"]) + 0.55 * up.cos() * around.sin()
    y = -1.0 + s["ear"] * up.sin()
    z = -0.6 + 1.7 * up.cos() * around.cos()
    x = x + side * s["ear_out"] * 0.35 * (-(z + 0.6) / 1.7)
    inner = 1 - 0.28 * near(y, -0.8, 1.5) * near(z, -0.3, 0.8)
    return _sheet(torch.stack([x, y, z], -1), face.skin * torch.tensor([1.0, 0.93, 0.92]) * inner[..., None], 0.05)


def _neck(face: Face, step: float) -> tuple[Tensor, ...]:
    down, around = _grid((-6.0, -22.0), (-math.pi, math.pi), 16, 34, step)
    flare = 1 + 0.02 * (-12 - down).clamp(min=0) ** 1.5
    radius = 0.64 * face.shape["width"] * flare
    place = torch.stack([radius * around.sin(), down, 0.95 * radius * around.cos() - 1.2], -1)
    return _sheet(place, 0.94 * face.skin, 0.03)


def _shoulders(face: Face, step: float) -> tuple[Tensor, ...]:
    up, around = _grid((POLE, -0.2), (-math.pi, math.pi), 22, 70, 1.4 * step)
    place = torch.stack([21 * up.cos() * around.sin(), -21.5 + 7.5 * up.sin(), 8.5 * up.cos() * around.cos() - 2], -1)
    tint = torch.tensor([math.sin(face.grain), math.sin(2 * face.grain), math.sin(3 * face.grain)])
    return _sheet(place, (torch.tensor(CLOTH) * (1.2 + 0.7 * tint)).clamp(0.03, 0.9), 0.0)


def _glasses(face: Face, step: float) -> list[tuple[Tensor, ...]]:
    """Two rims and a bridge before the eyes, and the arms to the ears."""
    s, made = face.shape, []
    dark = torch.tensor([0.06, 0.06, 0.07]) + 0.12 * math.sin(face.grain) ** 2
    forward = s["depth"] + 0.4

    def tube(*path: Tensor) -> None:
        ring = torch.linspace(-math.pi, math.pi, 9)
        rim = torch.stack([ring.cos(), ring.sin(), ring.sin()], -1) * 0.13
        made.append(_sheet(torch.stack(torch.broadcast_tensors(*path), -1)[:, None] + rim, dark, 0.3))

    angle, back = torch.linspace(-math.pi, math.pi, int(16 / step)), torch.linspace(0, 1, int(10 / step))
    across, high = (part.sign() * part.abs() ** 0.7 for part in (angle.cos(), angle.sin()))
    for side in (-1, 1):
        x = side * (s["eye"] + 0.1) + 2.25 * across
        tube(x, face.lens * high - 0.15, forward - 0.045 * x**2 + 0.3)
        tube(side * (5.5 + (s["width"] - 5.2) * back**0.5), torch.tensor(0.4), forward - 1.2 - 8.5 * back)
    middle = torch.linspace(-1, 1, int(3 / step) + 2)
    tube(middle * (s["eye"] - 2.1), 0.55 - 0.2 * middle**2, torch.tensor(forward + 0.3))
    return made

"""The head as a cloud of points that lie so close that no pixel falls between them: where each is, and its colour.

A head is an ellipsoid with bumps; hair is a second shell over it; ears, neck, shoulders and glasses are added. Colours
are painted on: eyes, brows, lips and beard are regions of the face, with soft borders.

Shape legend: N points; a sheet has R x C of them.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vitcourse.heads.people import Face, Look

CLOTH = (0.22, 0.25, 0.33)
SCLERA, LIPS, DARK, TEETH = (0.86, 0.84, 0.82), (0.62, 0.25, 0.24), (0.10, 0.05, 0.05), (0.85, 0.82, 0.76)


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
    normal = normal / normal.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    gloss = torch.full(place.shape[:2], gloss) if isinstance(gloss, float) else gloss
    parts = place, normal, colour.expand_as(place), gloss
    return tuple(part.flatten(0, 1) if keep is None else part[keep] for part in parts)


def _near(x: Tensor, centre: float, spread: float) -> Tensor:
    """A bell, 1 at the centre."""
    return (-(((x - centre) / spread) ** 2)).exp()


def _inside(distance: Tensor, soft: float = 0.06) -> Tensor:
    """1 where a signed distance in cm is above 0, 0 where it is below, and a soft border between."""
    return (distance / soft).sigmoid()


def _mix(colour: Tensor, other: Tensor | tuple, share: Tensor) -> Tensor:
    other = torch.as_tensor(other)
    return colour + share[..., None] * (other - colour)


def _ellipsoid(face: Face, up: Tensor, around: Tensor, more: Tensor | float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """x, y and z of the bare skull, ``more`` cm further out; ``around`` is 0 in front."""
    s = face.shape
    square = s["square"]
    sin, cos = around.sin(), around.cos()
    x = (s["width"] + more) * up.cos() ** square * sin
    y = (s["height"] + more) * up.sin()
    z = (s["depth"] + more) * up.cos() ** square * cos.sign() * cos.abs() ** square
    low = ((-1.5 - y) / 10).clamp(0, 1)
    return x * (1 - s["jaw"] * low - 0.12 * low**2), y, z


def _skin(face: Face, look: Look, step: float) -> tuple[Tensor, ...]:
    s = face.shape
    half_pi = math.pi / 2
    up, around = _grid((half_pi, -half_pi), (-2.3, 2.3), 34, 34, 0.8 * step)
    x, y, z = _ellipsoid(face, up, around)
    front = around.cos().clamp(0, 1) ** 0.5
    side, mouth = x.abs(), -s["mouth"]
    bump = s["ridge"] * _near(side, 2.6, 2.2) * _near(y, 1.7, 0.9)
    bump -= s["socket"] * _near(side, s["eye"], 1.7) * _near(y, 0.1, 1.15)
    bump += 0.5 * _near(side, s["eye"], 1.1) * _near(y, 0.0, 0.75)
    along = ((1.4 - y) / (1.4 + s["nose"])).clamp(0, 1)  # from the root of the nose to its tip
    under = _near((-s["nose"] - y).clamp(min=0), 0.0, 0.55)
    bridge = (s["bridge"] + (s["nose_out"] - s["bridge"]) * along**1.3) * _inside(1.4 - y, 0.5)
    bump += bridge * under * (-((side / (s["nose_width"] * (0.7 + 0.45 * along))) ** 2)).exp()
    bump += 0.75 * _near(side, s["wings"], 0.55) * _near(y, 0.45 - s["nose"], 0.6)
    bump += s["cheek"] * _near(side, 4.5, 2.0) * _near(y, -2.4 + 0.4 * look.smile, 1.8) * (1 + 0.6 * max(look.smile, 0))
    bump += 0.45 * _near(side, 0.0, 3.0) * _near(y, mouth, 1.6)
    broad = s["mouth_width"] * (1 + 0.14 * look.smile)
    line = y - mouth - 0.55 * look.smile * (side / broad).clamp(max=1.2) ** 2 + 0.25 * look.smile
    within = (1 - (side / broad) ** 2).clamp(min=0)
    bump += 0.5 * within * (_near(line, 0.4 + look.gap / 2, 0.38) + 1.1 * _near(line, -0.45 - look.gap, 0.42))
    bump += s["chin"] * _near(side, 0.0, s["chin_width"]) * _near(y, 0.82 * -s["height"], 1.5)
    bump -= 0.4 * _near(side, 0.0, 2.0) * _near(y, mouth - 1.75, 0.6)
    place = torch.stack([x, y, z + front * bump], -1)
    colour, gloss = _painted(face, look, x, y, line, within)
    plain = face.skin.expand_as(colour)
    return _sheet(place, torch.where((around.cos() > 0.05)[..., None], colour, plain), gloss)


def _painted(face: Face, look: Look, x: Tensor, y: Tensor, line: Tensor, within: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (R, C, 3) and gloss (R, C) of the face; ``line`` is the height above the mouth's line."""
    s, side, nose = face.shape, x.abs(), face.shape["nose"]
    spots = torch.zeros_like(x)
    for turn in range(5):  # waves in five directions, so that no pattern shows
        one, other = math.cos(face.grain + 1.3 * turn), math.sin(face.grain + 1.3 * turn)
        spots += 0.5 * ((1.7 + turn) * (one * x + other * y) + 2 * (0.9 * (one * y - other * x)).sin()).sin()
    colour = face.skin * (1 + s["mottled"] * spots)[..., None]
    flush = s["flush"] * (
        _near(side, 4.0, 1.7) * _near(y, -3.2, 1.6) + 0.8 * _near(side, 0, 1.0) * _near(y, -nose, 0.8)
    )
    colour = colour * (1 - flush[..., None] * torch.tensor([-0.2, 1.0, 0.9]))
    low = _inside(0.42 * side - y - 4.6 - 2.25 * (side - 6.2).clamp(min=0), 0.5)
    cheek = _inside(side - 2.6, 0.5)
    stubble = face.beard * low * torch.maximum(_inside(-(line + 1.5), 0.25), cheek * _inside(-(y + 3.2), 0.8))
    stubble = torch.maximum(
        stubble, face.moustache * _near(line, 1.15, 0.42) * _inside(1.1 * s["mouth_width"] - side, 0.25)
    )
    strands = 1 + 0.25 * (23 * x + 3 * (5 * y).sin()).sin()
    colour = _mix(colour, 0.8 * face.hair, stubble * strands.clamp(max=1.0))

    colour = _mix(
        colour, 0.72 * face.skin, 0.5 * _near(side, s["wings"] + 0.75, 0.3) * _near(y, -nose - 0.4, 0.8)
    )  # folds
    nostril = _inside(1 - ((side - 0.62) / 0.4) ** 2 - ((y + nose + 0.42) / 0.24) ** 2, 0.25)
    colour = _mix(colour, 0.3 * face.skin, 0.85 * nostril)

    upper = _inside(s["upper"] * within**0.7 * (1 - 0.25 * _near(side, 0, 0.35)) + look.gap / 2 - (line - 0.02), 0.05)
    lower = _inside(s["lower"] * within**0.6 + look.gap + (line + 0.02), 0.05)
    lips = upper * lower * _inside(within - 0.14, 0.03)
    colour = _mix(colour, 0.45 * face.skin + 0.55 * torch.tensor(LIPS), (0.35 + s["red"]) * lips)
    height = within**0.5
    gap = (
        _inside(look.gap / 2 * height - line, 0.04)
        * _inside(line + look.gap * height, 0.04)
        * _inside(within - 0.08, 0.03)
    )
    teeth = _inside(line - look.gap * (0.5 * height - 0.75), 0.05)
    colour = _mix(colour, DARK, gap * (look.gap > 0.05))
    colour = _mix(colour, TEETH, gap * teeth * (look.gap > 0.1))
    colour = _mix(
        colour, 0.3 * face.skin, (1 - min(look.gap * 4, 1)) * 0.9 * _near(line, 0, 0.07) * _inside(within - 0.12, 0.02)
    )

    own = side - s["eye"]
    across = (own / s["eye_width"]).clamp(-1.3, 1.3)
    high = y - s["eye_tilt"] * own
    arch = (1 - across**2).clamp(min=0)
    lid_up, lid_low = s["eye_open"] * look.open * arch, -0.62 * s["eye_open"] * look.open * arch
    seen = _inside(lid_up - high, 0.04) * _inside(high - lid_low, 0.04) * _inside(arch - 0.02, 0.02)
    colour = _mix(colour, 0.62 * face.skin, 0.5 * _near(high, s["eye_open"] + 0.42, 0.1) * _inside(arch - 0.1, 0.1))
    colour = _mix(colour, SCLERA, seen)
    seen_x, seen_y = x - x.sign() * s["eye"] - look.gaze[0], high - look.gaze[1] - 0.06
    ball = (seen_x**2 + seen_y**2).sqrt()
    colour = _mix(colour, face.iris * (0.7 + 0.5 * ball[..., None]), seen * _inside(0.62 - ball, 0.05))
    colour = _mix(colour, (0.02, 0.02, 0.02), seen * _inside(0.27 - ball, 0.05))
    colour = _mix(
        colour, (1.0, 1.0, 1.0), seen * _inside(0.11 - ((seen_x - 0.2) ** 2 + (seen_y - 0.22) ** 2).sqrt(), 0.04)
    )
    lash = torch.maximum(_near(high - lid_up, 0.03, 0.09), 0.45 * _near(high - lid_low, 0.0, 0.05))
    colour = _mix(colour, (0.06, 0.04, 0.04), 0.85 * lash * _inside(arch - 0.12, 0.03))

    brow = y - s["brow"] - look.raised - s["brow_tilt"] * own + s["brow_arch"] * own**2
    length = (1 - ((own - 0.1) / 2.1) ** 2).clamp(min=0)
    colour = _mix(
        colour, 0.75 * face.hair, 0.85 * _inside(s["brow_thick"] * length**0.5 - brow.abs(), 0.07) * (length > 0)
    )
    return colour.clamp(0, 1), 0.35 * seen + 0.12 * lips + 0.05


def _hair(face: Face, step: float) -> tuple[Tensor, ...]:
    s = face.shape
    up, around = _grid((math.pi / 2, -1.4), (-math.pi, math.pi), 40, 62, step)
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
    return _sheet(place, face.hair * shine[..., None], 0.12, level > edge)


def _ear(face: Face, side: int, step: float) -> tuple[Tensor, ...]:
    s = face.shape
    up, around = _grid((math.pi / 2, -math.pi / 2), (-math.pi, math.pi), 8, 14, step)
    x = side * (s["width"] - 0.1 + 0.5 * s["ear_out"]) + 0.55 * up.cos() * around.sin()
    y = -1.0 + s["ear"] * up.sin()
    z = -0.6 + 1.7 * up.cos() * around.cos()
    x = x + side * s["ear_out"] * 0.35 * (-(z + 0.6) / 1.7)
    inner = 1 - 0.28 * _near(y, -0.8, 1.5) * _near(z, -0.3, 0.8)
    return _sheet(torch.stack([x, y, z], -1), face.skin * torch.tensor([1.0, 0.93, 0.92]) * inner[..., None], 0.05)


def _neck(face: Face, step: float) -> tuple[Tensor, ...]:
    down, around = _grid((-6.0, -22.0), (-math.pi, math.pi), 16, 34, step)
    flare = 1 + 0.02 * (-12 - down).clamp(min=0) ** 1.5
    radius = 0.64 * face.shape["width"] * flare
    place = torch.stack([radius * around.sin(), down, 0.95 * radius * around.cos() - 1.2], -1)
    return _sheet(place, 0.94 * face.skin, 0.03)


def _shoulders(face: Face, step: float) -> tuple[Tensor, ...]:
    up, around = _grid((math.pi / 2, -0.2), (-math.pi, math.pi), 22, 70, 1.4 * step)
    place = torch.stack([21 * up.cos() * around.sin(), -21.5 + 7.5 * up.sin(), 8.5 * up.cos() * around.cos() - 2], -1)
    tint = torch.tensor([math.sin(face.grain), math.sin(2 * face.grain), math.sin(3 * face.grain)])
    return _sheet(place, (torch.tensor(CLOTH) * (1.2 + 0.7 * tint)).clamp(0.03, 0.9), 0.0)


def _glasses(face: Face, step: float) -> list[tuple[Tensor, ...]]:
    """Two rims and a bridge before the eyes, and the arms to the ears."""
    s, made = face.shape, []
    dark = torch.tensor([0.06, 0.06, 0.07]) + 0.12 * math.sin(face.grain) ** 2
    forward = s["depth"] + 0.4

    def tube(path: Tensor) -> None:
        ring = torch.linspace(-math.pi, math.pi, 9)
        rim = torch.stack([ring.cos(), ring.sin(), ring.sin()], -1) * 0.13
        made.append(_sheet(path[:, None] + rim, dark, 0.3))

    angle = torch.linspace(-math.pi, math.pi, int(16 / step))
    across, high = (
        torch.sign(angle.cos()) * angle.cos().abs() ** 0.7,
        torch.sign(angle.sin()) * angle.sin().abs() ** 0.7,
    )
    for side in (-1, 1):
        x = side * (s["eye"] + 0.1) + 2.25 * across
        tube(torch.stack([x, face.lens * high - 0.15, forward - 0.045 * x**2 + 0.3], -1))
        back = torch.linspace(0, 1, int(10 / step))
        tube(
            torch.stack(
                [side * (5.5 + (s["width"] - 5.2) * back**0.5), torch.full_like(back, 0.4), forward - 1.2 - 8.5 * back],
                -1,
            )
        )
    bridge = torch.linspace(-1, 1, int(3 / step) + 2)
    tube(
        torch.stack(
            [bridge * (s["eye"] - 2.1), 0.35 + 0.2 * (1 - bridge**2), torch.full_like(bridge, forward + 0.3)], -1
        )
    )
    return made

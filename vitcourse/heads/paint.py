"""The colours of a face: eyes, brows, lips and beard are regions of it, with soft borders.

Shape legend: a sheet of points has R rows and C columns.
"""

import math

import torch
from torch import Tensor

from vitcourse.heads.people import Face, Look

SCLERA, LIPS, DARK, TEETH = (0.86, 0.84, 0.82), (0.62, 0.25, 0.24), (0.10, 0.05, 0.05), (0.85, 0.82, 0.76)


def near(x: Tensor, centre: float, spread: float) -> Tensor:
    """A bell, 1 at the centre."""
    return (-(((x - centre) / spread) ** 2)).exp()


def inside(distance: Tensor, soft: float = 0.06) -> Tensor:
    """1 where a signed distance in cm is above 0, 0 where it is below, and a soft border between."""
    return (distance / soft).sigmoid()


def _mix(colour: Tensor, other: Tensor | tuple, share: Tensor) -> Tensor:
    other = torch.as_tensor(other)
    return colour + share[..., None] * (other - colour)


def painted(face: Face, look: Look, x: Tensor, y: Tensor, line: Tensor, within: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (R, C, 3) and gloss (R, C) of the face.

    Args:
        x, y: of each point, cm.
        line: its height above the mouth's line, which a smile bends.
        within: 1 in the middle of the mouth, 0 at its corners.
    """
    colour = _skin(face, x, y)
    colour = _beard(face, colour, x, y, line)
    colour, lips = _mouth(face, look, colour, line, within)
    colour, eyes = _eyes(face, look, colour, x, y)
    return colour.clamp(0, 1), 0.35 * eyes + 0.12 * lips + 0.05


def _skin(face: Face, x: Tensor, y: Tensor) -> Tensor:
    """Mottled, redder on cheeks and nose, darker in the nostrils and in the folds beside the nose."""
    s, side, nose = face.shape, x.abs(), face.shape["nose"]
    spots = torch.zeros_like(x)
    for turn in range(5):  # waves in five directions, so that no pattern shows
        one, other = math.cos(face.grain + 1.3 * turn), math.sin(face.grain + 1.3 * turn)
        spots += 0.5 * ((1.7 + turn) * (one * x + other * y) + 2 * (0.9 * (one * y - other * x)).sin()).sin()
    colour = face.skin * (1 + s["mottled"] * spots)[..., None]
    flush = near(side, 4.0, 1.7) * near(y, -3.2, 1.6) + 0.8 * near(side, 0, 1.0) * near(y, -nose, 0.8)
    colour = colour * (1 - s["flush"] * flush[..., None] * torch.tensor([-0.2, 1.0, 0.9]))
    folds = near(side, s["wings"] + 0.75, 0.3) * near(y, -nose - 0.4, 0.8)
    colour = _mix(colour, 0.72 * face.skin, 0.5 * folds)
    nostrils = inside(1 - ((side - 0.62) / 0.4) ** 2 - ((y + nose + 0.42) / 0.24) ** 2, 0.25)
    return _mix(colour, 0.3 * face.skin, 0.85 * nostrils)


def _beard(face: Face, colour: Tensor, x: Tensor, y: Tensor, line: Tensor) -> Tensor:
    side = x.abs()
    low = inside(0.42 * side - y - 4.6 - 2.25 * (side - 6.2).clamp(min=0), 0.5)  # below a line from ear to mouth
    grown = torch.maximum(inside(-line - 1.5, 0.25), inside(side - 2.6, 0.5) * inside(-y - 3.2, 0.8))
    lip = near(line, 1.15, 0.42) * inside(1.1 * face.shape["mouth_width"] - side, 0.25)
    strands = (1 + 0.25 * (23 * x + 3 * (5 * y).sin()).sin()).clamp(max=1)
    return _mix(colour, 0.8 * face.hair, strands * torch.maximum(face.beard * low * grown, face.moustache * lip))


def _mouth(face: Face, look: Look, colour: Tensor, line: Tensor, within: Tensor) -> tuple[Tensor, Tensor]:
    """Lips, and between them a dark line, or a gap with teeth."""
    s, gap, height = face.shape, look.gap, within**0.5
    upper = inside(s["upper"] * within**0.7 + gap / 2 - line, 0.05)
    lower = inside(s["lower"] * within**0.6 + gap + line, 0.05)
    lips = upper * lower * inside(within - 0.14, 0.03)
    colour = _mix(colour, 0.45 * face.skin + 0.55 * torch.tensor(LIPS), (0.35 + s["red"]) * lips)
    if gap > 0.05:
        between = (
            inside(gap / 2 * height - line, 0.04) * inside(line + gap * height, 0.04) * inside(within - 0.08, 0.03)
        )
        colour = _mix(colour, DARK, between)
        return _mix(colour, TEETH, between * inside(line - gap * (0.5 * height - 0.75), 0.05)), lips
    return _mix(colour, 0.3 * face.skin, 0.9 * near(line, 0, 0.07) * inside(within - 0.12, 0.02)), lips


def _eyes(face: Face, look: Look, colour: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """White, iris, pupil and a glint between the lids, a fold above them, and brows."""
    s = face.shape
    own = x.abs() - s["eye"]  # from the eye's middle outwards
    high = y - s["eye_tilt"] * own
    arch = (1 - (own / s["eye_width"]) ** 2).clamp(min=0)
    lid_up, lid_low = s["eye_open"] * look.open * arch, -0.62 * s["eye_open"] * look.open * arch
    seen = inside(lid_up - high, 0.04) * inside(high - lid_low, 0.04) * inside(arch - 0.02, 0.02)
    fold = near(high, s["eye_open"] + 0.42, 0.1) * inside(arch - 0.1, 0.1)
    colour = _mix(colour, 0.62 * face.skin, 0.5 * fold)
    colour = _mix(colour, SCLERA, seen)
    across, up = x - x.sign() * s["eye"] - look.gaze[0], high - look.gaze[1] - 0.06
    ball, glint = torch.hypot(across, up), torch.hypot(across - 0.2, up - 0.22)
    colour = _mix(colour, face.iris * (0.7 + 0.5 * ball[..., None]), seen * inside(0.62 - ball, 0.05))
    colour = _mix(colour, (0.02, 0.02, 0.02), seen * inside(0.27 - ball, 0.05))
    colour = _mix(colour, (1.0, 1.0, 1.0), seen * inside(0.11 - glint, 0.04))
    lash = torch.maximum(near(high - lid_up, 0.03, 0.09), 0.45 * near(high - lid_low, 0.0, 0.05))
    colour = _mix(colour, (0.06, 0.04, 0.04), 0.85 * lash * inside(arch - 0.12, 0.03))
    brow = y - s["brow"] - look.raised - s["brow_tilt"] * own + s["brow_arch"] * own**2
    length = (1 - ((own - 0.1) / 2.1) ** 2).clamp(min=0)
    hairs = inside(s["brow_thick"] * length**0.5 - brow.abs(), 0.07) * (length > 0)
    return _mix(colour, 0.75 * face.hair, 0.85 * hairs), seen

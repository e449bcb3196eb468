"""Who somebody is, and how they look in one picture: the numbers that a head is made from, each drawn at random.

Lengths are centimetres, angles degrees. The head faces the viewer: x to the right, y up, z to the viewer, the origin
between the ears at half its height. A face is symmetric, so that a place on it is given by its distance from x = 0.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitcourse.hands import Draws, draw_skin

HAIRS = ((0.05, 0.04, 0.04), (0.12, 0.08, 0.06), (0.22, 0.13, 0.08), (0.42, 0.28, 0.16), (0.70, 0.55, 0.34),
    (0.45, 0.18, 0.08), (0.55, 0.54, 0.53), (0.85, 0.84, 0.82))  # fmt: skip
EYES = ((0.20, 0.11, 0.06), (0.30, 0.19, 0.09), (0.33, 0.36, 0.20), (0.30, 0.42, 0.55), (0.40, 0.45, 0.48))
# How often each of them is seen with light skin, and with dark.
HAIR_SHARES = ((3.0, 3.0, 2.0, 1.0, 0.8, 0.5, 0.8, 0.4), (6.0, 3.0, 0.5, 0.0, 0.0, 0.0, 1.0, 0.3))
EYE_SHARES = ((3.0, 2.0, 1.0, 1.5, 1.0), (4.0, 1.0, 0.2, 0.05, 0.05))
# Of each number of a face: its middle, and the deviation between people.
SHAPES = {
    "width": (7.5, 0.45), "height": (11.5, 0.5), "depth": (9.3, 0.4), "square": (0.88, 0.05), "jaw": (0.12, 0.09),
    "chin": (1.0, 0.45), "chin_width": (2.2, 0.5), "cheek": (0.5, 0.35), "ridge": (0.35, 0.25), "eye": (3.15, 0.22),
    "eye_width": (1.5, 0.14), "eye_open": (0.64, 0.1), "eye_tilt": (0.08, 0.09), "socket": (0.8, 0.3),
    "brow": (1.85, 0.22), "brow_thick": (0.26, 0.09), "brow_tilt": (0.1, 0.14), "brow_arch": (0.09, 0.05),
    "nose": (3.7, 0.4), "nose_out": (2.3, 0.4), "nose_width": (0.8, 0.13), "wings": (1.3, 0.2), "bridge": (0.5, 0.25),
    "mouth": (6.4, 0.35), "mouth_width": (2.45, 0.28), "upper": (0.42, 0.13), "lower": (0.55, 0.13), "red": (0.5, 0.2),
    "ear": (3.0, 0.3), "ear_out": (0.9, 0.25), "hairline": (8.2, 0.8),
    "temple": (2.2, 0.9), "volume": (1.0, 0.4), "parting": (0.0, 0.5),
    "mottled": (0.018, 0.006), "flush": (0.12, 0.06),
}  # fmt: skip


@dataclass(frozen=True)
class Face:
    """One person.

    Attributes:
        shape: the numbers of `SHAPES`.
        skin, hair, iris: red, green and blue, (3,), 0 to 1.
        bald: no hair on the head; ``long``: how far it falls below the ears, cm.
        beard, moustache: how dense, 0 to 1.
        glasses: wears them, in most pictures; ``lens``: half their height, cm.
        grain: a number that tells one person's skin and hair from another's.
    """

    shape: dict[str, float]
    skin: Tensor
    hair: Tensor
    iris: Tensor
    bald: bool
    long: float
    beard: float
    moustache: float
    glasses: bool
    lens: float
    grain: float


@dataclass(frozen=True)
class Look:
    """One picture of a person: how the head is held, and what the face does.

    Attributes:
        turn: yaw, pitch and roll.
        open: how far the eyes are open, 1 as usual; ``gaze``: where they look, (2,).
        smile: -0.3 to 1; ``gap``: between the lips, cm.
        raised: brows, cm. ``glasses``: worn now, by those who have them.
        place: of the head's middle in the picture, (2,); ``fill``: its height, as a share of the picture's.
        focus: distance of the camera.
    """

    turn: tuple[float, float, float]
    open: float
    gaze: tuple[float, float]
    smile: float
    gap: float
    raised: float
    glasses: bool
    place: tuple[float, float]
    fill: float
    focus: float


def draw_face(draws: Draws) -> Face:
    """One person, from ``draws`` for one picture."""
    own = draws.normal(1.0, len(SHAPES))[0].clamp(-2.2, 2.2).tolist()
    shape = {name: middle + own[i] * spread for i, (name, (middle, spread)) in enumerate(SHAPES.items())}
    skin = draw_skin(draws)[0]
    tone = int(skin.mean() < 0.5)
    hair = torch.tensor(HAIRS)[draws.choose(torch.tensor(HAIR_SHARES[tone]))[0]] * draws.uniform(0.85, 1.15)
    iris = torch.tensor(EYES)[draws.choose(torch.tensor(EYE_SHARES[tone]))[0]]
    bearded = bool(draws.chance(0.3))
    return Face(
        shape,
        skin,
        hair,
        iris,
        bald=bool(draws.chance(0.08)),
        long=float(draws.uniform(0, 13) * draws.chance(0.4)) if not bearded else 0.0,
        beard=float(draws.uniform(0.25, 0.95)) * bearded,
        moustache=float(draws.uniform(0.3, 0.95) * draws.chance(0.6)) * bearded + 0.6 * bool(draws.chance(0.05)),
        glasses=bool(draws.chance(0.25)),
        lens=float(draws.uniform(1.5, 2.3)),
        grain=float(draws.uniform(0, 100)),
    )


def draw_look(draws: Draws) -> Look:
    """One picture, from ``draws`` for one picture."""
    smiles = float(draws.normal(0.35)) + 0.55 * bool(draws.chance(0.4))
    talks = bool(draws.chance(0.25))
    return Look(
        (float(draws.normal(17.0).clamp(-42, 42)), float(draws.normal(7.0).clamp(-18, 18)), float(draws.normal(5.0))),
        open=float(draws.uniform(0.75, 1.15)) if not bool(draws.chance(0.05)) else 0.08,
        gaze=(float(draws.normal(0.25).clamp(-0.5, 0.5)), float(draws.normal(0.1))),
        smile=min(max(smiles, -0.3), 1.0),
        gap=float(draws.uniform(0.15, 0.9)) * talks + 0.25 * (smiles > 0.6),
        raised=float(draws.normal(0.18)),
        glasses=not bool(draws.chance(0.25)),
        place=(float(draws.normal(0.02)), float(draws.normal(0.02))),
        fill=float(draws.uniform(0.92, 1.12)),
        focus=float(draws.uniform(60, 150)),
    )


PLAIN = Look((0.0, 0.0, 0.0), 1.0, (0.0, 0.0), 0.0, 0.0, 0.0, True, (0.0, 0.0), 0.95, 100.0)

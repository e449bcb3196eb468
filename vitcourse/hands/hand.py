"""An articulated hand that forms the 26 letters of American Sign Language's alphabet: poses, joints, round cones.

Lengths are centimetres. The palm frame is that of a right hand whose palm faces the viewer: x to the right (the thumb's
side), y up along the fingers, z towards the viewer, the wrist at the origin. The 21 joints stand in MediaPipe's order:
0 wrist; 1 to 4 thumb (CMC, MCP, IP, tip); 5 to 8 index (MCP, PIP, DIP, tip); then middle, ring and little finger.

The poses are typed by hand from looking at people signing. J and Z are moving signs and are shown as one still.

Shape legend: B hands, C = 30 cones. The tables are float64, and so is what is computed from them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitcourse.hands.draws import Draws

MOVING = "JZ"  # signs that are movements

KNUCKLES = ((3.0, 8.2, 0.15), (0.85, 8.5, 0.0), (-1.25, 8.1, 0.05), (-3.15, 7.2, 0.3))  # index to little: MCP joints
FINGER_BONES = ((4.2, 2.5, 2.0), (4.7, 2.9, 2.1), (4.3, 2.7, 2.1), (3.4, 2.0, 1.8))
FINGER_RADII = ((1.15, 1.04, 0.92, 0.76), (1.17, 1.06, 0.94, 0.78), (1.1, 1.0, 0.9, 0.75), (0.98, 0.88, 0.78, 0.66))
THUMB_BASE, THUMB_BONES, THUMB_RADII = (2.3, 1.9, 0.9), (4.3, 3.3, 2.5), (1.6, 1.22, 1.12, 0.86)
FULL_BEND = (90.0, 105.0, 70.0)  # degrees of MCP, PIP and DIP that count as 1 in the poses
REST_FAN = (-4.0, 0.0, 4.0, 9.0)  # degrees that each finger leans towards the little finger's side
FIST_FAN = (-3.0, 0.0, 3.0, 8.0)  # degrees by which bent fingers converge

ARM = (9.0, 45.0)  # cm from the wrist to the ends of the arm's cones: so far that the arm leaves the picture
PALM, FOREARM = 15, 16  # parts; a finger's bone is part 3 * finger + bone, thumb first, from the root
PARTS = (*range(15), *[PALM] * 11, *[FOREARM] * 4)  # the part of each of the C cones


@dataclass(frozen=True)
class Letter:
    """How one letter is formed and seen.

    Attributes:
        fingers: bend of MCP, PIP and DIP for index, middle, ring and little finger, 1 being `FULL_BEND`.
        thumb: the points (cm) at which its three bones aim, from the root; each bone keeps its own length.
        views: (weight, yaw, sd, pitch, sd, roll, sd) in degrees: how the hand is held before the viewer. Yaw -90 shows
            the thumb's side, pitch above 0 brings the finger tips nearer, roll 90 points the fingers to the left.
        spread: degrees by which each finger leans towards the thumb's side.
        wrist: range in degrees of the bend of the wrist towards the palm.
        other_thumb: a second way to hold the thumb, used in 2 of 5 pictures.
    """

    fingers: tuple[tuple[float, float, float], ...]
    thumb: tuple[tuple[float, float, float], ...]
    views: tuple[tuple[float, ...], ...]
    spread: tuple[float, float, float, float] = (0, 0, 0, 0)
    wrist: tuple[float, float] = (-10, 20)
    other_thumb: tuple[tuple[float, float, float], ...] | None = None


UP, FIST = (0.04, 0.05, 0.05), (0.92, 1.0, 0.9)
ACROSS = ((3.2, 4.7, 3.7), (1.9, 6.1, 5.9), (-0.6, 6.3, 6.4))  # in front of the fist
LOW = ((3.1, 4.4, 3.0), (1.4, 5.3, 4.1), (-1.2, 5.5, 4.2))  # across the palm, under the finger tips
BESIDE = ((4.1, 4.2, 4.0), (4.8, 6.6, 4.9), (4.5, 9.2, 4.9))  # upright along the index finger
HUGS = ((4.6, 4.4, 2.4), (5.2, 7.0, 3.0), (4.9, 9.3, 3.4))  # upright at the side of the fist
HOLDS = ((3.1, 5.0, 3.6), (1.6, 6.5, 5.3), (-0.8, 7.0, 5.6))  # over the tips of ring and little finger
FRONT, FRONT_FIST = ((1, 0, 28, 0, 13, 0, 13),), ((1, 0, 26, 2, 14, 0, 13),)
FRONT_OR_BACK = ((0.9, 0, 28, 0, 13, 0, 13), (0.1, 180, 25, 0, 12, 0, 12))

POSES = {
    "A": Letter(((0.9, 1, 0.9),) * 4, HUGS, ((0.8, 0, 26, 0, 14, 0, 15), (0.2, -55, 30, 0, 15, 20, 20))),
    "B": Letter((UP,) * 4, ((2.9, 5.4, 2.4), (1, 7, 2.9), (-1, 7.6, 2.6)), FRONT, (-5, -1, 2, 5)),
    "C": Letter(((0.35, 0.45, 0.4),) * 4, ((3.3, 3.2, 5), (2.8, 4.2, 8), (2.2, 5.8, 9.6)),
        ((1, -68, 28, 0, 15, 0, 15),), (-4, 0, 2, 4)),
    "D": Letter((UP, (0.72, 0.85, 0.6), (0.78, 0.9, 0.7), (0.82, 0.95, 0.7)),
        ((3.3, 4.6, 3.8), (2.3, 5.8, 5.7), (0.9, 6.3, 6.4)), ((0.8, -4, 28, 0, 12, 0, 12),
        (0.2, -60, 22, 0, 12, 0, 14)), other_thumb=ACROSS),
    "E": Letter(((0.64, 1.08, 0.95),) * 4, LOW, ((1, 0, 28, 2, 14, 0, 12),)),
    "F": Letter(((0.5, 0.66, 0.5), UP, UP, UP), ((4.4, 3.8, 3.7), (5.5, 5.5, 5.6), (4.2, 7.8, 6.9)),
        ((0.6, -28, 28, 0, 12, 0, 12), (0.4, -65, 22, 0, 12, 0, 12)), (45, 4, -2, -9)),
    "G": Letter(((0.15, 0.06, 0.05), FIST, FIST, FIST), BESIDE, ((1, -5, 28, 0, 12, 90, 14),),
        other_thumb=((3.4, 5, 3.3), (2.6, 7.2, 5.4), (1.2, 8.2, 6.2))),
    "H": Letter(((0.12, 0.05, 0.05), (0.12, 0.05, 0.05), FIST, FIST),
        ((3.1, 5, 3.6), (1.6, 6.5, 5.3), (-0.6, 7, 5.6)), ((0.8, -5, 28, 0, 12, 90, 13),
        (0.2, 180, 30, 0, 12, -90, 13)), (-4, 2, 0, 0)),
    "I": Letter((FIST, FIST, FIST, UP), ACROSS, FRONT, (0, 0, 0, -6)),
    "J": Letter((FIST, FIST, FIST, (0.1, 0.1, 0.1)), ACROSS,
        ((0.4, 0, 40, 0, 20, 90, 35), (0.25, 180, 40, 0, 20, 90, 35), (0.35, -60, 45, 0, 22, 165, 40)), (0, 0, 0, -6),
        (0, 60)),
    "K": Letter(((0.08, 0.05, 0.05), (0.3, 0.06, 0.05), FIST, FIST),
        ((3.6, 5, 2.8), (2.7, 7.8, 4.2), (1.5, 10.2, 4.6)), ((1, -12, 32, 0, 14, 0, 18),), (10, -6, 0, 0)),
    "L": Letter((UP, FIST, FIST, FIST), ((5.6, 4.6, 1.4), (8.4, 6, 1.6), (11, 7, 1.6)),
        ((0.85, 0, 25, 0, 13, 0, 18), (0.15, 180, 25, 0, 12, 0, 15)), (4, 0, 0, 0)),
    "M": Letter(((0.76, 0.97, 0.35), (0.76, 0.97, 0.35), (0.78, 0.97, 0.38), (0.85, 1, 0.7)),
        ((2.6, 5, 2.4), (0.6, 6.5, 2.7), (-1.6, 7.2, 3)), FRONT_FIST),
    "N": Letter(((0.74, 0.97, 0.35), (0.74, 0.97, 0.35), (0.98, 1.06, 0.9), (1, 1.06, 0.9)),
        ((2.8, 5, 2.6), (1.2, 7, 3.2), (-0.4, 8.2, 4.3)), FRONT_FIST),
    "O": Letter(((0.45, 0.55, 0.5),) * 4, ((2.9, 3.9, 4.6), (2.7, 6, 7), (2.4, 8.6, 7.6)),
        ((0.75, -76, 18, 0, 15, 0, 20), (0.25, -45, 30, 0, 15, 0, 15)), (-4, 0, 2, 4)),
    "P": Letter(((0.1, 0.06, 0.05), (0.5, 0.12, 0.05), (0.95, 0.9, 0.7), (0.95, 0.9, 0.7)),
        ((3.6, 5, 3), (2.6, 7.5, 4.6), (1.4, 9.2, 6)), ((0.72, -70, 32, 0, 15, 90, 14),
        (0.28, -45, 30, 0, 15, 25, 22)), (5, -2, 0, 0), (0, 40)),
    "Q": Letter(((0.08, 0.1, 0.1), FIST, FIST, FIST), ((3.6, 3.6, 4), (3.7, 5.2, 6.6), (3.6, 7.6, 7.6)),
        ((1, -80, 28, 0, 18, 170, 28),), wrist=(40, 95)),
    "R": Letter((UP, (0.14, 0.05, 0.05), FIST, FIST), HOLDS, FRONT_OR_BACK, (-16, 12, 0, 0)),
    "S": Letter(((0.95, 1.03, 0.95),) * 4, ACROSS, FRONT_FIST),
    "T": Letter(((0.72, 1, 0.35), FIST, FIST, FIST), ((3, 5.2, 2.6), (2.3, 7.3, 3.5), (1.95, 9.8, 4.7)), FRONT_FIST,
        (5, 0, 0, 0)),
    "U": Letter((UP, UP, FIST, FIST), HOLDS, FRONT_OR_BACK, (-4, 2, 0, 0)),
    "V": Letter((UP, UP, FIST, FIST), HOLDS, FRONT_OR_BACK, (11, -10, 0, 0)),
    "W": Letter((UP, UP, UP, (0.88, 0.9, 0.7)), ((2.9, 5, 3.4), (0.8, 6.2, 4.9), (-1.5, 6.4, 5.2)), FRONT,
        (12, 0, -12, 0)),
    "X": Letter(((0.06, 0.72, 0.5), FIST, FIST, FIST), ACROSS,
        ((0.8, -48, 30, 0, 14, 0, 15), (0.2, 10, 25, 0, 12, 0, 12))),
    "Y": Letter((FIST, FIST, FIST, UP), ((5.4, 4.6, 1.4), (8, 6.4, 1.7), (10, 8.4, 1.8)), FRONT, (0, 0, 0, -16)),
    "Z": Letter(((0.15, 0.1, 0.1), FIST, FIST, FIST), ((3.4, 5, 3.3), (2.6, 7.2, 5.4), (1, 7.8, 6.2)),
        ((0.5, -35, 25, 25, 18, 55, 28), (0.3, -15, 30, 45, 16, 30, 28), (0.2, -60, 28, 15, 15, 80, 25)),
        wrist=(-10, 30)),
}  # fmt: skip


def _table(rows: list) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


_POSES = list(POSES.values())
_BEND, _SPREAD = _table([pose.fingers for pose in _POSES]), _table([pose.spread for pose in _POSES])
_THUMBS = _table([(pose.thumb, pose.other_thumb or pose.thumb) for pose in _POSES])
_WRIST = _table([pose.wrist for pose in _POSES])
_VIEWS = _table([(*pose.views, *[(0.0,) * 7] * (3 - len(pose.views))) for pose in _POSES])  # weight 0: never chosen


def joints(letters: Tensor, draws: Draws) -> Tensor:
    """The joints (B, 21, 3) in cm of hands that form ``letters`` (B,), 0 to 25, each a little differently."""
    device, count = letters.device, len(letters)
    found = torch.zeros(count, 21, 3, dtype=torch.float64, device=device)

    other = draws.chance(0.4).long()
    aims = _THUMBS.to(device)[letters, other] + draws.normal(0.32, 1, 3) + draws.normal(0.32, 3, 3)
    point = found[:, 1] = _table(THUMB_BASE).to(device).expand(count, 3)
    for bone, length in enumerate(THUMB_BONES):
        point = found[:, 2 + bone] = point + length * _unit(aims[:, bone] - point)

    # A stiff hand bends all its fingers a little more or less, and each joint a little by itself.
    bend = _BEND.to(device)[letters] * _table(FULL_BEND).to(device)
    bend = bend + draws.normal(4.0, 1, 1) * _table((0.6, 1.0, 0.0)).to(device) + draws.normal(6.0, 4, 3)
    bend[..., 1:].clamp_(min=0)  # the outer joints do not bend backwards
    tilt = bend.deg2rad().cumsum(-1)  # (B, 4, 3), of each bone against the palm's plane
    closed = _BEND.to(device)[letters, :, 0].clamp(max=1)
    lean = _table(REST_FAN).to(device) - _SPREAD.to(device)[letters] * (1 + draws.normal(0.15, 1))
    lean = (lean + draws.normal(1.5, 4)) * (1 - 0.75 * closed) - closed * _table(FIST_FAN).to(device)
    lean = lean.deg2rad()  # (B, 4)
    scale = 1 + draws.normal(0.05)
    for finger in range(4):
        point = found[:, 5 + 4 * finger] = _table(KNUCKLES[finger]).to(device).expand(count, 3)
        for bone in range(3):
            up, out = tilt[:, finger, bone].cos(), tilt[:, finger, bone].sin()
            side = lean[:, finger]
            direction = torch.stack([-side.sin() * up, side.cos() * up, out], -1)
            point = point + (FINGER_BONES[finger][bone] * scale)[:, None] * direction
            found[:, 6 + 4 * finger + bone] = point
    return found


def cones(joints: Tensor, letters: Tensor, draws: Draws) -> tuple[Tensor, Tensor, Tensor]:
    """The skin over the joints (B, 21, 3): C round cones, the hulls of two balls each; `PARTS` says what each one is.

    Returns:
        Centres of the first and of the second balls, (B, C, 3) each, and their radii (B, C, 2), all in cm.
    """
    device = joints.device
    thick = (1 + draws.normal(0.06)).double()
    start, end, radii = [], [], []

    def add(a: Tensor | tuple, b: Tensor | tuple, radius_a: float | Tensor, radius_b: float | Tensor) -> None:
        for ball, balls in ((a, start), (b, end)):
            balls.append(ball if isinstance(ball, Tensor) else _table(ball).to(device).expand(len(joints), 3))
        radii.append(torch.stack([radius_a * torch.ones_like(thick), radius_b * torch.ones_like(thick)], -1))

    for bone in range(3):
        add(joints[:, 1 + bone], joints[:, 2 + bone], THUMB_RADII[bone] * thick, THUMB_RADII[bone + 1] * thick)
    for finger in range(4):
        for bone in range(3):
            root, radius = 5 + 4 * finger + bone, FINGER_RADII[finger]
            add(joints[:, root], joints[:, root + 1], radius[bone] * thick, radius[bone + 1] * thick)

    for finger, wrist in enumerate(((1.6, 1.5, 0.1), (0.6, 1.3, 0.0), (-0.6, 1.3, 0.0), (-1.55, 1.5, 0.1))):
        add(wrist, joints[:, 5 + 4 * finger], 1.45, 1.15 * thick)
    for finger in range(3):
        add(joints[:, 5 + 4 * finger] * 0.97, joints[:, 9 + 4 * finger] * 0.97, 1.1 * thick, 1.1 * thick)
    add((-1.9, 1.9, 0.7), (-2.9, 5.6, 0.6), 1.5, 1.35)  # the ball of the little finger
    add((0.0, 3.5, -0.1), (-0.3, 6.8, 0.0), 1.4, 1.2)  # the middle of the palm
    add(joints[:, 1] * 0.6 + joints[:, 2] * 0.4, joints[:, 5] * 0.62, 1.1, 0.75)  # the web of the thumb
    add((1.6, 1.8, 0.8), joints[:, 1] * 0.4 + joints[:, 2] * 0.6, 1.55, 1.65 * thick)  # the ball of the thumb

    low, high = _WRIST.to(device)[letters].unbind(-1)
    bent = (low + (high - low) * draws.uniform(0, 1)).deg2rad()
    aside = draws.normal(9.0).deg2rad()
    away = torch.stack([aside.sin() * torch.ones_like(bent), -bent.cos() * aside.cos(), bent.sin() * aside.cos()], -1)
    across = _unit(torch.linalg.cross(away, _table((0.0, 0.0, 1.0)).to(device).expand_as(away)))
    for side in (-0.95, 0.95):
        add(across * side - 0.4 * away, across * side + ARM[0] * away, 1.95, 2.5)
        add(across * side + ARM[0] * away, across * side * 1.5 + ARM[1] * away, 2.5, 3.5)
    return torch.stack(start, 1), torch.stack(end, 1), torch.stack(radii, 1)


def nail_normals(joints: Tensor) -> Tensor:
    """The directions (B, 5, 3), in the palm frame, to which the nails of thumb, index, … little finger face."""
    last = _unit(joints[:, 4::4] - joints[:, 3::4])
    across = _table((1.0, 0.0, 0.0)).to(joints.device).expand_as(last)
    # A finger bends about the palm's x axis, so its back is square to it; the thumb's back looks up, out and forward.
    outward = _table((0.8, 0.5, 0.6)).to(joints.device)
    thumb = outward - (last[:, :1] * outward).sum(-1, keepdim=True) * last[:, :1]
    return _unit(torch.cat([thumb, torch.linalg.cross(last[:, 1:], across[:, 1:])], 1))


def views(letters: Tensor, draws: Draws) -> Tensor:
    """Rotations (B, 3, 3) from the palm frame to the viewer's, as people hold these letters before a camera."""
    options = _VIEWS.to(letters.device)[letters]  # (B, 3, 7)
    chosen = options[torch.arange(len(letters), device=letters.device), draws.choose(options[..., 0])]
    yaw, pitch, roll = (chosen[:, 1::2] + chosen[:, 2::2] * draws.normal(1.0, 3)).deg2rad().unbind(-1)
    one, zero = torch.ones_like(yaw), torch.zeros_like(yaw)

    def matrix(*rows: Tensor) -> Tensor:
        return torch.stack(rows, -1).view(-1, 3, 3)

    about_y = matrix(yaw.cos(), zero, yaw.sin(), zero, one, zero, -yaw.sin(), zero, yaw.cos())
    about_x = matrix(one, zero, zero, zero, pitch.cos(), -pitch.sin(), zero, pitch.sin(), pitch.cos())
    about_z = matrix(roll.cos(), -roll.sin(), zero, roll.sin(), roll.cos(), zero, zero, zero, one)
    return about_z @ about_x @ about_y


def _unit(vectors: Tensor) -> Tensor:
    return vectors / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-9)

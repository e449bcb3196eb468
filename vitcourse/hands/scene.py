"""What stands behind the hand. All of it is invented: no photo is used.

Positions are fractions of the picture, so a scene is the same at every size. Shape legend: B pictures of S x S pixels;
images are (B, 3, S, S) in 0 to 1, a little more where light is strong.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.hands.camera import blur_inside
from vitcourse.hands.draws import Draws, wide
from vitcourse.hands.shading import box_blur

GREYS = (0.82, 0.9, 0.62, 0.38, 0.12)  # of walls
WOOD = (0.64, 0.46, 0.27)
SHAPES = 8  # boxes and ellipses that can lie about
FURNITURE = 20  # upright things that can stand in a room
DYES = (
    (0.05, 0.05, 0.06), (0.13, 0.08, 0.06), (0.3, 0.18, 0.1), (0.55, 0.38, 0.22), (0.45, 0.45, 0.46), (0.75, 0.73, 0.7),
    (0.93, 0.92, 0.9), (0.12, 0.2, 0.42), (1.2, 1.2, 1.15),
)  # fmt: skip


def noise(draws: Draws, size: int, rough: float) -> Tensor:
    """Smooth noise (B, size, size) of about standard deviation 1: three grids of random values, the finer the fainter.

    Args:
        rough: how much each grid weighs against the next coarser one, 0 to 1.
    """
    total, power = 0.0, 0.0
    for octave, grid in enumerate((5, 13, 34)):
        values = draws.normal(1.0, 1, grid, grid)
        smooth = F.interpolate(values, size=(size, size), mode="bilinear", align_corners=True)[:, 0]
        total, power = total + rough**octave * smooth, power + rough ** (2 * octave)
    return total / (0.65 * power**0.5)  # interpolation leaves about 0.65 of the deviation


def background(draws: Draws, size: int, skin: Tensor) -> Tensor:
    """Walls, floors of planks, one above the other, things lying about, sharp or out of focus.

    Args:
        skin: (B, 3); some things have nearly its colour, so that colour alone does not give the hand away.
    """
    device = draws.device
    place = (torch.arange(size, device=device) + 0.5) / size
    x, y = place.expand(len(draws), size, size), place[:, None].expand(len(draws), size, size)
    grain = noise(draws, size, 0.7)
    kind = draws.choose(torch.tensor([0.45, 0.17, 0.25, 0.13]))  # wall, planks, wall over planks, wall over wall
    wall, other = _wall(draws, x, y, grain), _wall(draws, x, y, grain)
    planks = _planks(draws, x, y, grain)
    edge, slope = draws.uniform(0.05, 0.9), draws.normal(0.35)
    below = (y - wide(edge)) + wide(slope) * (x - 0.5) > 0
    floor = torch.where(wide(kind == 3)[:, None], other, planks)
    use_floor = wide(kind == 1) | wide(kind >= 2) & below
    image = torch.where(use_floor[:, None], floor, wall)
    image = _furniture(draws, image, x, y)
    image = _person(draws, image, x, y, skin)
    image = _clutter(draws, image, x, y, skin)
    speckle = draws.uniform(0, 0.07) * draws.chance(0.3)
    image = image * (1 + wide(speckle)[:, None] * noise(draws, size, 1.0)[:, None])
    radius = (draws.uniform(0, 0.022) * size * draws.chance(0.5)).round().long()
    blurred = blur_inside(image, radius[:, None].expand(-1, 2))
    return blurred.clamp_(0, 1.2)


def _wall(draws: Draws, x: Tensor, y: Tensor, grain: Tensor) -> Tensor:
    grey = torch.tensor(GREYS, device=draws.device)[draws.choose(torch.tensor([0.3, 0.2, 0.2, 0.15, 0.15]))]
    warm = torch.tensor([0.025, 0.0, -0.01], device=draws.device)
    colour = (grey + draws.normal(0.07))[:, None] + draws.normal(0.035, 3) + warm
    across, down = (wide(draws.normal(0.25)) for _ in range(2))
    light = (1 + across * (x - 0.5) + down * (y - 0.5)) * (1 + 0.02 * grain)
    return colour.clamp_(0.02, 1)[:, :, None, None] * light[:, None]


def _planks(draws: Draws, x: Tensor, y: Tensor, grain: Tensor) -> Tensor:
    wood = torch.tensor(WOOD, device=draws.device) * draws.uniform(0.4, 1.4, 1) + draws.normal(0.05, 3)
    turn, count, phase = draws.uniform(0, 3.1416), draws.uniform(3, 12), draws.uniform(0, 9)
    u = wide(count * turn.cos()) * x + wide(count * turn.sin()) * y
    v = wide(turn.cos()) * y - wide(turn.sin()) * x
    plank = u.floor()
    shade = 0.1 * (plank * 12.9 + wide(phase)).sin()
    veins = 0.05 * (25 * u + 3 * (5 * v + plank).sin()).sin()
    gaps = -0.25 * ((u - plank - 0.5).abs() > 0.47)
    return wood.clamp_(0.02, 1)[:, :, None, None] * ((1 + shade + veins + gaps) * (1 + 0.06 * grain))[:, None]


def _furniture(draws: Draws, image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """A room in about 2 of 3 pictures: upright boxes of any shape, many of them dark, some with shelves or slats."""
    count = (draws.uniform(3, FURNITURE + 1) * draws.chance(0.65)).long()
    centre = draws.uniform(0, 1, FURNITURE, 2) * torch.tensor([1.0, 0.85], device=draws.device)
    half = torch.stack([draws.uniform(-4.6, -1.4, FURNITURE), draws.uniform(-3.4, -0.9, FURNITURE)], -1).exp()
    half = torch.where(draws.chance(0.3, FURNITURE)[..., None], half.flip(-1), half)  # some lie
    lean = draws.normal(0.05, 1) + draws.normal(0.03, FURNITURE)
    dye = (len(DYES) * draws.uniform(0, 1, FURNITURE) ** 1.3).long()
    colour = torch.tensor(DYES, device=draws.device)[dye] + draws.normal(0.05, FURNITURE, 3)
    slats = draws.uniform(0, 0.7, FURNITURE) * draws.chance(0.4, FURNITURE)
    often = draws.uniform(8, 45, FURNITURE)

    def covers(has: Tensor, thing: int) -> Tensor:
        u, v = _turned(*_from(centre[has, thing], x, y), 1, wide(lean[has, thing]))
        return (u.abs_() < wide(half[has, thing, 0])).logical_and_(v.abs_() < wide(half[has, thing, 1]))

    at, seen = _topmost(image, count, covers)
    u, v = _turned(x[0, 0, at[2]] - centre[seen][:, 0], y[0, at[1], 0] - centre[seen][:, 1], 1, lean[seen])
    along = torch.where(seen[1] % 2 == 1, u, v)
    dark = 1 - slats[seen] * ((along * often[seen]).sin() > 0.3)
    image.permute(0, 2, 3, 1)[at] = colour.clamp(0.02, 1)[seen] * (dark * (1 + 0.4 * (u - v)))[:, None]
    return image


def _person(draws: Draws, image: Tensor, x: Tensor, y: Tensor, skin: Tensor) -> Tensor:
    """In every eighth picture somebody who signs: a body in clothes, with a head or without, cut off by the frame."""
    has = draws.chance(0.125).nonzero()[:, 0]
    middle, broad = draws.uniform(-0.1, 1.1), draws.uniform(0.1, 0.4)
    shoulders, neck = draws.uniform(0.3, 0.95), draws.uniform(0.5, 1.0)
    cloth = torch.tensor(DYES, device=draws.device)[(len(DYES) * draws.uniform(0, 1)).long()] + draws.normal(0.06, 3)
    face = skin * draws.uniform(0.6, 1.15, 1)
    u = (x[has] - wide(middle[has])) / wide(broad[has])
    down = (y[has] - wide(shoulders[has])) / wide(broad[has])
    body = (u.abs() ** 3 + (1 - down).clamp(min=0) ** 3 < 1) & (down > 0)
    head = (u / 0.42) ** 2 + ((down + 0.45 * wide(neck[has])) / 0.6) ** 2 < 1
    light = 1 - 0.25 * u.clamp(-1.5, 1.5)
    for covered, colour in ((head, face), (body, cloth)):
        shaded = colour[has].clamp(0.02, 1)[:, :, None, None] * light[:, None]
        image[has] = torch.where(covered[:, None], shaded, image[has])
    return image


def _clutter(draws: Draws, image: Tensor, x: Tensor, y: Tensor, skin: Tensor) -> Tensor:
    """Up to SHAPES turned boxes and ellipses in each of about half of the pictures."""
    count = (draws.uniform(1, SHAPES + 1) * draws.chance(0.55)).long()
    centre, turn = draws.uniform(0, 1, SHAPES, 2), draws.normal(0.4, SHAPES)
    half = draws.uniform(-4.4, -1.1, SHAPES, 2).exp()  # 1% to 33% of the picture
    grey = torch.tensor([0.05, 0.1, 0.3, 0.6, 0.9], device=draws.device)[(5 * draws.uniform(0, 1, SHAPES)).long()]
    colour = (grey[..., None] + draws.normal(0.12, SHAPES, 3)).clamp_(0, 1)
    like_skin = draws.chance(0.15, SHAPES)[..., None]
    colour = torch.where(like_skin, skin[:, None] * draws.uniform(0.4, 1.2, SHAPES, 1), colour)
    boxy = draws.chance(0.65, SHAPES)
    cos, sin = turn.cos(), turn.sin()

    def covers(has: Tensor, shape: int) -> Tensor:
        u, v = _turned(*_from(centre[has, shape], x, y), wide(cos[has, shape]), wide(sin[has, shape]))
        a, b = (u / wide(half[has, shape, 0])).abs_(), (v / wide(half[has, shape, 1])).abs_()
        return torch.where(wide(boxy[has, shape]), torch.maximum(a, b), a * a + b * b) < 1

    at, seen = _topmost(image, count, covers)
    u, v = _turned(x[0, 0, at[2]] - centre[seen][:, 0], y[0, at[1], 0] - centre[seen][:, 1], cos[seen], sin[seen])
    image.permute(0, 2, 3, 1)[at] = colour[seen] * (1 + 0.3 * (u + v))[:, None]
    return image


def _topmost(
    image: Tensor, count: Tensor, covers: Callable[[Tensor, int], Tensor]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """What is seen of things that lie over one another, the later over the earlier, so that only that is coloured.

    Args:
        image: only its size is read.
        count: (B,) how many things each picture has.
        covers: called with the pictures that have the thing (b,) and its number; gives the pixels it takes (b, S, S).

    Returns:
        The M pixels that show a thing, as indices of picture, row and column; and picture and thing of each, (M,).
    """
    top = torch.zeros_like(image[:, 0], dtype=torch.uint8)  # 1 + the number of the thing
    for thing in range(int(count.max()) if len(count) else 0):
        has = (count > thing).nonzero()[:, 0]
        top[has] = top[has].masked_fill_(covers(has, thing), thing + 1)
    at = top.nonzero(as_tuple=True)
    return at, (at[0], top[at].long() - 1)


def _from(centre: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The way from centres (b, 2) to each column, (b, 1, S), and to each row, (b, S, 1)."""
    return x[:1, :1] - wide(centre[:, 0]), y[:1, :, :1] - wide(centre[:, 1])


def _turned(from_x: Tensor, from_y: Tensor, cos: Tensor | int, sin: Tensor) -> tuple[Tensor, Tensor]:
    """Across and down as a turned thing sees it."""
    return from_x * cos + from_y * sin, from_y * cos - from_x * sin


def cast_shadow(draws: Draws, image: Tensor, coverage: Tensor) -> Tensor:
    """Darkens some backgrounds where the hand (coverage (B, S, S)) keeps the light off the wall."""
    size = image.shape[-1]
    shift_x, shift_y = ((draws.normal(0.12) * size).round().long() for _ in range(2))
    radius = (draws.uniform(0.004, 0.035) * size).round().long()
    strength = draws.uniform(0.1, 0.55) * draws.chance(0.4)
    place = torch.arange(size, device=image.device)
    column, row = (place - shift[:, None] for shift in (shift_x, shift_y))
    inside = ((column >= 0) & (column < size))[:, None] & ((row >= 0) & (row < size))[:, :, None]
    flat = row.clamp(0, size - 1)[:, :, None] * size + column.clamp(0, size - 1)[:, None]
    moved = coverage.flatten(1).gather(1, flat.flatten(1)).view_as(coverage) * inside
    soft = box_blur(box_blur(moved[:, None], radius, radius), radius, radius)
    return image * (1 - wide(strength)[:, None] * soft)

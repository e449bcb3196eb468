"""Pictures of heads, in any number and with no download: from points to pixels, and what a camera makes of it.

Who somebody is comes from (seed, person) alone, everything else from (seed, number of the picture) alone. So one
person looks the same in all pictures, and no two pictures are the same.

Shape legend: B pictures of S x S pixels, N points of a head, T = SUPERSAMPLE * S.
"""

import math

import torch
from torch import Tensor

from vitcourse.errors import InputError
from vitcourse.hands import Draws, background, box_blur, draw_light, photograph
from vitcourse.heads.people import PLAIN, Look, draw_face, draw_look
from vitcourse.heads.surface import Points, head

MIN_SIZE, MAX_SIZE = 32, 1024
SUPERSAMPLE = 2
FIRST_PICTURE = 10**9  # people are drawn from the numbers below it, pictures from those above
HEIGHT = 25.0  # cm, of a head with its hair
WALL = 0.62  # brightness behind a plain head


def render(people: Tensor, seed: int, size: int = 64, first: int = 0, plain: bool = False) -> Tensor:
    """Pictures of the faces of people who do not exist.

    Picture k depends on (seed, people[k], first + k) and the size alone.

    Args:
        people: (B,) int64, the number of each picture's person, 0 or more.
        seed: of the whole series, 0 or more; another one gives other people.
        size: pixels along a side.
        first: the number of the first picture, 0 or more.
        plain: seen from the front before an empty wall, with nothing left to chance but who it is.

    Returns:
        (B, 3, size, size) uint8.

    Raises:
        InputError: a number is out of range.
    """
    if people.ndim != 1 or people.dtype != torch.int64 or ((people < 0) | (people >= FIRST_PICTURE)).any():
        found = f"{people.dtype} {tuple(people.shape)}"
        raise InputError(f"people must be numbers from 0 in an int64 tensor of one axis, got {found}")
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise InputError(f"size must be {MIN_SIZE} to {MAX_SIZE} pixels, got {size}")
    if seed < 0 or first < 0:
        raise InputError(f"seed and first must be 0 or more, got {seed} and {first}")
    made = [_picture(person, seed, FIRST_PICTURE + first + k, size, plain) for k, person in enumerate(people.tolist())]
    return torch.cat(made) if made else torch.empty(0, 3, size, size, dtype=torch.uint8)


def _picture(person: int, seed: int, number: int, size: int, plain: bool) -> Tensor:
    face, draws = draw_face(Draws(seed, [person])), Draws(seed, [number])
    look = PLAIN if plain else draw_look(draws)
    direction, ambient = torch.tensor([0.25, 0.45, 0.86]), 0.5
    if not plain:
        light = draw_light(draws)
        direction, ambient = light.direction[0], float(light.ambient[0])
    pixels = SUPERSAMPLE * size
    scale = look.fill * pixels / HEIGHT  # pixels a cm
    image, covered = _shaded(_seen(head(face, look, 0.9 / scale), look, scale, pixels), direction, ambient, pixels)
    image, covered = (torch.nn.functional.avg_pool2d(part[None], SUPERSAMPLE) for part in (image, covered))
    if plain:
        image = image + (1 - covered) * WALL
        return (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8)
    image = image + (1 - covered) * background(draws, size, face.skin[None])
    return photograph(draws, image, torch.zeros(1, 4), torch.zeros(1, dtype=torch.bool))


def _turned(look: Look) -> Tensor:
    """The rotation (3, 3) of the head: about y, then x, then z."""
    yaw, pitch, roll = (math.radians(angle) for angle in look.turn)
    about_y = torch.tensor([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    about_x = torch.tensor([[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]])
    about_z = torch.tensor([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1.0]])
    return about_z @ about_x @ about_y


def _seen(points: Points, look: Look, scale: float, pixels: int) -> Tensor:
    """What each pixel sees of the points: (11, T, T): depth, normal, colour, gloss; a depth of -inf where nothing is.

    The nearest point wins. Its depth and its number are packed into one integer, so that one scatter finds it.
    """
    rotation = _turned(look)
    place, normal = points.place @ rotation.T, points.normal @ rotation.T
    near = look.focus / (look.focus - place[:, 2])
    x = (place[:, 0] * near * scale + (0.5 + look.place[0]) * pixels).floor().long()
    y = ((0.5 + look.place[1]) * pixels - (place[:, 1] - 0.3) * near * scale).floor().long()
    shown = (x >= 0) & (x < pixels) & (y >= 0) & (y < pixels)
    depth = ((place[:, 2] + 100) * 1000).long()
    packed = (depth << 32) + torch.arange(len(depth))
    best = torch.full((pixels * pixels,), -1, dtype=torch.int64)
    best.scatter_reduce_(0, (y * pixels + x)[shown], packed[shown], "amax")
    winner = (best & 0xFFFFFFFF).masked_fill(best < 0, 0)
    features = torch.cat([place[:, 2:], normal, points.colour, points.gloss[:, None]], 1)
    seen = features[winner].T.reshape(8, pixels, pixels).clone()
    seen[0].masked_fill_((best < 0).view(pixels, pixels), -math.inf)
    return seen


def _shaded(seen: Tensor, direction: Tensor, ambient: float, pixels: int) -> tuple[Tensor, Tensor]:
    """Colour (3, T, T), 0 where nothing is, and coverage (1, T, T)."""
    depth, normal, colour, gloss = seen[0], seen[1:4], seen[4:7], seen[7]
    covered = depth > -math.inf
    normal = torch.where(normal[2:] < 0, -normal, normal)  # the inside of a sheet
    facing = (normal * direction[:, None, None]).sum(0)
    lit = 1 - 0.75 * _shadow(depth, direction, pixels)
    hollow = _hollow(depth, covered, pixels)
    light = torch.empty_like(colour)
    for channel, wrap in enumerate((0.28, 0.16, 0.12)):  # light bleeds through skin, red the farthest
        light[channel] = 1.15 * (1 - ambient) * ((facing + wrap) / (1 + wrap)).clamp(min=0) * lit
    sky = ambient * (0.82 + 0.13 * normal[1] + 0.08 * normal[2]) * (1 - 0.75 * hollow)
    half = torch.nn.functional.normalize(direction + torch.tensor([0.0, 0.0, 1.0]), dim=0)
    shine = gloss * ((normal * half[:, None, None]).sum(0).clamp(min=0) ** 18) * lit
    return torch.where(covered, 1.12 * colour * (light + sky) + shine, 0.0), covered[None].float()


def _shadow(depth: Tensor, direction: Tensor, pixels: int) -> Tensor:
    """How far the way to the lamp is barred, (T, T), 0 to 1: looked for over the depths around."""
    cm = pixels / HEIGHT
    place = torch.arange(pixels, dtype=torch.float32)
    barred = torch.zeros_like(depth)
    for walked in torch.linspace(0.4, 5.0, 14).tolist():
        column = (place + direction[0] * walked * cm).round().long().clamp(0, pixels - 1)
        row = (place - direction[1] * walked * cm).round().long().clamp(0, pixels - 1)
        above = depth[row[:, None], column[None]] - depth - direction[2] * walked  # not a number where nothing is
        barred = torch.maximum(barred, ((above > 0.15) & (above < 4)).float())
    radius = torch.tensor([round(0.3 * cm)])
    return box_blur(barred[None, None], radius, radius)[0, 0]


def _hollow(depth: Tensor, covered: Tensor, pixels: int) -> Tensor:
    """How deep a pixel lies among those around it, (T, T), 0 to 1."""
    height = torch.where(covered, depth, 0.0)
    around, found = torch.stack([height, covered.float()])[None], torch.zeros_like(depth)
    for reach in (0.6, 1.8):  # cm
        radius = torch.tensor([max(round(reach * pixels / HEIGHT), 1)])
        around = box_blur(around, radius, radius)
        found += ((around[0, 0] / around[0, 1].clamp(min=1e-3) - height) / (1.3 * reach)).clamp(0, 1)
    return (0.7 * found).clamp(max=1)

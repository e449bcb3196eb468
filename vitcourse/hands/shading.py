"""Light on the hand: from the surface that the pixels see to their colours.

Skin is matt with a little gloss; light bleeds through it, red the farthest, so that red wraps round the terminator. The
shadow that the hand throws on itself and the dimness of hollows are looked up in the depth of the pixels around.

Shape legend: B pictures, C cones, A tiles of P pixels (see `vitcourse.hands.raster`), S pixels along a picture's side.
Two rows and columns of the surface's pixels become one of the picture.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vitcourse.hands.draws import Draws
from vitcourse.hands.hand import ARM, FINGER_BONES, FOREARM, PALM, PARTS, THUMB_BONES
from vitcourse.hands.raster import FAR, TILE, Frame, Surface, Tiles, among

SUPERSAMPLE = 2  # surface pixels along the side of a picture's pixel
TONES = (
    (0.86, 0.64, 0.51), (0.92, 0.74, 0.62), (0.95, 0.81, 0.71), (0.90, 0.67, 0.60), (0.79, 0.56, 0.42),
    (0.70, 0.48, 0.35), (0.58, 0.38, 0.27), (0.46, 0.30, 0.21), (0.35, 0.23, 0.17), (0.26, 0.17, 0.13),
)  # fmt: skip
CREASE = 0.22  # cm: half the width of a crease of the skin at a joint
WRAP = (0.30, 0.14, 0.09)  # how far red, green and blue reach past the terminator
_BONES = torch.tensor([*THUMB_BONES, *[length for finger in FINGER_BONES for length in finger]])  # cm, by part


@dataclass(frozen=True)
class Light:
    """Where light comes from: ``direction`` (B, 3) to the lamp, unit length, and the ``ambient`` share (B,), 0 to 1."""

    direction: Tensor
    ambient: Tensor


def fused_cones() -> Tensor:
    """Which of the hand's C cones are one piece of skin (C, C): the palm with the roots, each bone with the next."""
    parts = torch.tensor(PARTS)
    bone = torch.where(parts < PALM, parts % 3, -1)
    finger = torch.where(parts < PALM, parts // 3, -1)
    next_to = (finger[:, None] == finger) & ((bone[:, None] - bone).abs() <= 1)
    root = bone <= 0
    to_palm = (bone[:, None] == -1) & root | root[:, None] & (bone == -1)
    return next_to | to_palm


def draw_light(draws: Draws) -> Light:
    """A lamp, most often above, and more or less light from everywhere."""
    aside = torch.where(draws.chance(0.5), 0.3, -0.3) + draws.normal(0.55)
    above, front = 0.55 + draws.normal(0.45), draws.uniform(0.35, 1.25)
    direction = torch.stack([aside, above, front], -1)
    return Light(direction / direction.norm(dim=-1, keepdim=True), draws.uniform(0.42, 0.72))


def draw_skin(draws: Draws) -> Tensor:
    """Skin colours (B, 3), 0 to 1, over the whole range of people."""
    tones = torch.tensor(TONES, device=draws.device)[draws.choose(torch.ones(len(TONES)))]
    return (tones * draws.uniform(0.88, 1.1, 1) + draws.normal(0.015, 3)).clamp_(0.05, 1)


def shade(
    surface: Surface, frame: Frame, light: Light, skin: Tensor, mottling: Tensor, nails: Tensor, draws: Draws
) -> tuple[Tensor, Tensor]:
    """Colours of the hand and arm.

    Args:
        frame: what the pictures show.
        skin: (B, 3).
        mottling: (B, S', S') smooth noise about 0 that varies the skin; S' = side of the tiles * TILE / SUPERSAMPLE.
        nails: (B, 5, 3) the way the nails face, in the viewer's frame.

    Returns:
        Colour (B, 3, S', S'), 0 where nothing is, already multiplied by the coverage, and coverage (B, S', S'), 0 to 1.
    """
    tiles = surface.tiles
    hollow, lit = _hollows_and_shadow(surface, frame, light)
    picture = tiles.picture
    nx, ny, nz = surface.normal
    lx, ly, lz = light.direction[picture, :, None].unbind(1)  # (A, 1)
    ambient = light.ambient[picture, None]
    facing = nx * lx + ny * ly + nz * lz
    deep = draws.uniform(0.55, 0.9)[picture, None]
    lit = 1 - draws.uniform(0.35, 0.9)[picture, None] * (1 - lit)
    line = draws.uniform(0.35, 0.6)[picture, None] * (surface.gap / -0.4).exp()
    skylight = ambient * (0.78 + 0.14 * ny + 0.08 * nz) * (1 - deep * hollow)
    colour = _skin_colour(surface, skin, mottling, nails, draws)
    gain, dimmed = draws.uniform(1.05, 1.35)[picture, None], 1 - 0.6 * deep * hollow
    for channel, wrap in enumerate(WRAP):
        diffuse = ((facing + wrap) / (1 + wrap)).clamp_(min=0).mul_(lit).mul_(dimmed)
        brightness = diffuse.mul_(1.12 * (1 - ambient)).add_(skylight)
        # In a fold light goes from skin to skin and reddens.
        colour[channel].mul_(brightness).mul_(gain).mul_(1 - line * (0.85, 1.0, 1.05)[channel])
    half_z = lz + 1
    half = (lx * lx + ly * ly + half_z * half_z).sqrt()
    gloss = ((nx * lx + ny * ly + nz * half_z) / half).clamp_(0, 1)
    gloss = gloss.square_().square_().square_()  # to the 8th power, and below to the 24th
    gloss = gloss * gloss * gloss * lit * draws.uniform(0, 0.13)[picture, None]
    layers = [(part + gloss).mul_(surface.inside) for part in colour] + [surface.inside.float()]
    small = torch.stack([tiles.assemble(_halve(layer), 0.0) for layer in layers], 1)
    return small[:, :3], small[:, 3]


def _skin_colour(surface: Surface, skin: Tensor, mottling: Tensor, nails: Tensor, draws: Draws) -> list[Tensor]:
    """Red, green and blue (A, P) before any light: mottled skin, redder tips and joints, creases, nails, sleeves."""
    picture, cone = surface.tiles.picture, surface.cone
    part = torch.tensor(PARTS, device=skin.device)
    on_finger, bone = part < PALM, part % 3
    mottled = 1 + draws.uniform(0.02, 0.07)[picture, None] * _double(surface.tiles.cut(mottling))
    # A bone creases where it meets the one before (its full share) and the one after it.
    length = torch.where(on_finger, _BONES.to(skin.device)[part.clamp(max=PALM - 1)] / CREASE, 0.0)  # in half widths
    long = length[cone]
    below = surface.along * long  # from the bone's root
    at = (((below < 1) | (long - below < 1)) & (long > 0)).nonzero(as_tuple=True)
    owner, own, below = picture[at[0]], cone[at], below[at]
    before, after = (bone > 0).float(), 0.6 * (bone < 2).float()
    crease = (1 - below.square()).clamp_(min=0).square_() * before[own]
    crease += (1 - (long[at] - below).square()).clamp_(min=0).square_() * after[own]
    mottled[at] -= crease * draws.uniform(0.03, 0.2)[owner]
    colour = [mottled * skin[picture, channel, None] for channel in range(3)]
    redder = draws.uniform(0, 0.1)
    cloth = (draws.uniform(0.03, 0.8, 1) + draws.normal(0.09, 3)).clamp_(0.01, 0.9)
    strap = draws.uniform(0.02, 0.2, 1).expand(-1, 3)
    sleeve = draws.uniform(2.0, 14.0) + 99.0 * ~draws.chance(0.25)  # cm from the wrist, or out of sight
    band = draws.uniform(0.8, 3.0) + 99.0 * ~draws.chance(0.1)

    at = (surface.inside & among(on_finger & (bone == 2), cone)).nonzero(as_tuple=True)
    owner, along = picture[at[0]], surface.along[at]
    face = nails[owner, (part // 3)[cone[at]]]
    across = sum(normal[at] * face[:, axis] for axis, normal in enumerate(surface.normal))
    nail = ((across - 0.70) / 0.1).clamp_(0, 1) * ((along - 0.36) / 0.12).clamp_(0, 1)
    rim = 1 - 0.5 * (nail * (1 - nail))
    for channel, (shift, red) in enumerate(((0.12, 0.0), (0.08, 1.2), (0.09, 1.0))):
        flushed = colour[channel][at] * (1 - red * along * redder[owner])
        colour[channel][at] = (flushed * (1 - 0.1 * nail) + shift * nail) * rim

    at = (surface.inside & among(part == FOREARM, cone)).nonzero(as_tuple=True)
    owner, along = picture[at[0]], surface.along[at]
    far = cone[at] % 2 == 1  # the arm's cones alternate: the near one, the far one
    down = torch.where(far, ARM[0] + (ARM[1] - ARM[0]) * along, ARM[0] * along)  # cm from the wrist
    for dressed, dye in ((down > sleeve[owner], cloth), ((down - band[owner]).abs() < 0.45, strap)):
        some = (at[0][dressed], at[1][dressed])
        for channel in range(3):
            colour[channel][some] = dye[owner[dressed], channel]
    return colour


def _hollows_and_shadow(surface: Surface, frame: Frame, light: Light) -> tuple[Tensor, Tensor]:
    """How deep each pixel lies among those around it, 0 to 1, and how much of the lamp it sees, 0 to 1: (A, P) each."""
    tiles = surface.tiles
    seen = _halve(surface.inside.float())
    depth = _halve(surface.depth * surface.inside) / seen.clamp(min=0.25)
    mask = tiles.assemble((seen > 0).float(), 0.0)
    height = tiles.assemble(torch.where(seen > 0, depth, 0.0), 0.0)
    size = tiles.side * TILE // SUPERSAMPLE
    step_x, step_y = (length / size for length in (frame.width, frame.height))

    around = torch.stack([height, mask], 1)
    hollow = torch.zeros_like(height)
    for reach in (0.35, 0.9):  # cm; the second starts from the blur of the first
        around = box_blur(around, *[(1.2 * reach / step).round().long() for step in (step_x, step_y)])
        mean = around[:, 0] / around[:, 1].clamp(min=1e-3)
        hollow += ((mean - height) / (1.6 * reach)).clamp_(0, 1)
    hollow = (0.6 * hollow).clamp_(max=1)

    barred = _shadow(tiles, depth, torch.where(mask > 0, height, FAR), step_x, step_y, light)
    lit = tiles.assemble(1.0 - barred.float(), 1.0)
    lit = box_blur(lit[:, None], *[(0.25 / step).round().long() for step in (step_x, step_y)])[:, 0]
    return _double(tiles.cut(hollow)), _double(tiles.cut(lit))


def _shadow(tiles: Tiles, depth: Tensor, height: Tensor, step_x: Tensor, step_y: Tensor, light: Light) -> Tensor:
    """Where the way to the lamp is barred, (A, P / 4) boolean, found by walking along it over the depth map."""
    side = height.shape[-1]
    k = TILE // SUPERSAMPLE
    pixel = torch.arange(k * k, device=depth.device)
    column = (tiles.number % tiles.side * k)[:, None] + pixel % k
    row = (tiles.number // tiles.side % tiles.side * k)[:, None] + pixel // k
    lx, ly, lz = light.direction[tiles.picture].unbind(1)
    per_cm_x, per_cm_y = (lx / step_x[tiles.picture])[:, None], (-ly / step_y[tiles.picture])[:, None]
    start = (tiles.picture * side * side)[:, None]
    barred, height = torch.zeros_like(depth, dtype=torch.bool), height.flatten()
    for walked in torch.linspace(0.25, 3.3, 12).tolist():  # cm towards the lamp
        x = (column + (per_cm_x * walked).round()).clamp_(0, side - 1)
        y = (row + (per_cm_y * walked).round()).clamp_(0, side - 1)
        above = height[y.mul_(side).add_(x).long().add_(start)].sub_(depth).sub_((lz * walked)[:, None])
        barred |= (above > 0.12).logical_and_(above < 2.5)
    return barred


def box_blur(images: Tensor, radius_x: Tensor, radius_y: Tensor) -> Tensor:
    """The mean over (2 radius_x + 1) by (2 radius_y + 1) pixels, (B,) each, of images (B, K, H, W); zero outside."""
    for axis, radius in ((3, radius_x), (2, radius_y)):
        size, result = images.shape[axis], torch.empty_like(images)
        sums = images.cumsum(axis)
        for r in radius.unique().tolist():  # few: a loop over them is cheaper than to look up every pixel
            own = (radius == r).nonzero()[:, 0]
            some = sums[own]
            end, before, after = some.narrow(axis, size - 1, 1), [-1] * 4, [-1] * 4
            before[axis], after[axis] = r + 1, r
            some = torch.cat([torch.zeros_like(end).expand(before), some, end.expand(after)], axis)
            result[own] = (some.narrow(axis, 2 * r + 1, size) - some.narrow(axis, 0, size)).div_(2 * r + 1)
        images = result
    return images


def _halve(values: Tensor) -> Tensor:
    """The means (A, P / 4) of each 2 by 2 pixels of tiles (A, P)."""
    v = values.view(len(values), TILE // 2, 2, TILE // 2, 2)
    return ((v[:, :, 0, :, 0] + v[:, :, 0, :, 1]) + (v[:, :, 1, :, 0] + v[:, :, 1, :, 1])).mul_(0.25).flatten(1)


def _double(values: Tensor) -> Tensor:
    """Each pixel of tiles (A, P / 4) as 2 by 2 pixels: (A, P)."""
    k = TILE // 2
    v = values.view(len(values), k, 1, k, 1).expand(-1, k, 2, k, 2)
    return v.reshape(len(values), -1)

"""From round cones to pixels: which part of the hand each pixel sees, how deep, and which way the skin faces there.

A round cone is the hull of two balls. A ray along z meets it in closed form, so nothing is meshed or searched. The
frame is cut into small tiles; only the pairs of tile and cone that can meet are computed, for all pictures at once.
Lengths are centimetres, so in a frame that is stretched sideways x merely takes smaller steps.

Shape legend: B pictures, C cones, A tiles that see a cone, P = TILE * TILE pixels of a tile.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

TILE = 8  # pixels along a side
BLEND = 0.22  # cm: surfaces that lie closer in depth than about this melt into one
FAR = -1e4  # the depth of a pixel that sees nothing


@dataclass(frozen=True)
class Frame:
    """The rectangle of the viewer's plane that each picture shows, in cm, (B,) each; y points up."""

    left: Tensor
    top: Tensor
    width: Tensor
    height: Tensor


@dataclass(frozen=True)
class Tiles:
    """The A tiles that a batch of pictures uses, and the way between them and whole pictures.

    Attributes:
        number: (A,) number of each tile among all, picture by picture and row by row.
        picture: (A,) number of the picture that each tile belongs to.
        pictures: number of pictures B.
        side: tiles along the side of a picture.
    """

    number: Tensor
    picture: Tensor
    pictures: int
    side: int

    def assemble(self, values: Tensor, fill: float) -> Tensor:
        """Values (A, k * k) of the tiles as pictures (B, side * k, side * k), ``fill`` where there is no tile."""
        k = round(values.shape[1] ** 0.5)
        whole = values.new_full((self.pictures * self.side**2, k * k), fill)
        whole[self.number] = values
        whole = whole.view(self.pictures, self.side, self.side, k, k).transpose(2, 3)
        return whole.reshape(self.pictures, self.side * k, self.side * k)

    def cut(self, pictures: Tensor) -> Tensor:
        """The tiles (A, k * k) of pictures (B, side * k, side * k): the inverse of `assemble`."""
        k = pictures.shape[-1] // self.side
        whole = pictures.view(self.pictures, self.side, k, self.side, k).transpose(2, 3)
        return whole.reshape(-1, k * k)[self.number]


@dataclass(frozen=True)
class Surface:
    """What the pixels of the occupied tiles see, (A, P) each; where ``inside`` is false the rest means nothing.

    Attributes:
        tiles: where the tiles lie.
        inside: whether the pixel sees a cone at all.
        depth: z in cm of the blended surface; greater is nearer to the viewer.
        normal: its unit normal: x (right), y (up), z (to the viewer).
        cone: number of the nearest cone.
        along: place between the nearest cone's two balls, 0 to 1.
        gap: cm of depth between the nearest cone and the next one that is not fused with it.
    """

    tiles: Tiles
    inside: Tensor
    depth: Tensor
    normal: tuple[Tensor, Tensor, Tensor]
    cone: Tensor
    along: Tensor
    gap: Tensor


def project(points: Tensor, radii: Tensor, rotation: Tensor, centre: Tensor, focus: Tensor) -> tuple[Tensor, Tensor]:
    """Balls (B, C, 3) of radii (B, C) as a camera ``focus`` (B,) cm before ``centre`` (B, 3) sees them.

    Perspective moves and swells the balls with their nearness; after it, all rays are parallel to z.
    """
    seen = (points - centre[:, None]) @ rotation.transpose(1, 2)
    focus = focus.to(seen.dtype)[:, None]
    growth = focus / (focus - seen[..., 2].clamp(min=-40.0).minimum(0.6 * focus))  # nearer than that: behind the lens
    return seen * growth[..., None], radii * growth


def rasterise(start: Tensor, end: Tensor, radii: Tensor, fused: Tensor, frame: Frame, pixels: int) -> Surface:
    """Casts one ray along -z through the centre of every pixel.

    Args:
        start, end: centres of the cones' first and second balls, (B, C, 3) float32, in cm.
        radii: of the two balls, (B, C, 2).
        fused: (C, C) boolean, symmetric: which cones are one piece of skin; see ``gap`` of `Surface`.
        frame: what the pictures show.
        pixels: pixels along the side of a picture. Where it is no multiple of TILE, the pictures that the tiles make
            up are larger, to the right and below.
    """
    side = -(-pixels // TILE)
    step_x, step_y = frame.width / pixels, frame.height / pixels
    pairs, tiles = _meeting_pairs(start, end, radii.amax(-1), frame, step_x, step_y, side)

    # Tiles with many cones first: those that have an r-th cone are then the first few, a plain slice.
    count = torch.bincount(pairs[:, 0], minlength=len(tiles.number))
    order = count.argsort(descending=True, stable=True)
    first, count = (count.cumsum(0) - count)[order], count[order]
    tiles = Tiles(tiles.number[order], tiles.picture[order], tiles.pictures, side)
    pixel = torch.arange(TILE * TILE, device=start.device)
    column = (tiles.number % side * TILE)[:, None] + pixel % TILE  # (A, P)
    row = (tiles.number // side % side * TILE)[:, None] + pixel // TILE
    x = (column + 0.5) * step_x[tiles.picture, None] + frame.left[tiles.picture, None]
    y = frame.top[tiles.picture, None] - (row + 0.5) * step_y[tiles.picture, None]

    balls = torch.cat([start, end - start, radii[..., :1], radii[..., 1:] - radii[..., :1]], -1)  # (B, C, 8)
    total, normal = torch.zeros_like(x), tuple(torch.zeros_like(x) for _ in range(3))
    best, second, along = torch.full_like(x, FAR), torch.full_like(x, FAR), torch.zeros_like(x)
    cone = torch.zeros_like(x, dtype=torch.int32)
    ranks = torch.arange(int(count[0]) if len(count) else 0, device=count.device)
    for rank, used in enumerate((count[:, None] > ranks).sum(0).tolist()):
        which = pairs[first[:used] + rank, 1]  # (used,) the cone of each tile's turn
        depth, place, hit_normal = _hit(balls[tiles.picture[:used], which], x[:used], y[:used])
        # Sums of exp(depth / BLEND), kept relative to the nearest so far: as they stand they would overflow.
        nearest = torch.maximum(best[:used], depth)
        fade = (best[:used] - nearest).div_(BLEND).exp_()
        weight = (depth - nearest).div_(BLEND).exp_()
        total[:used].mul_(fade).add_(weight)
        for sums, part in zip(normal, hit_normal, strict=True):
            sums[:used].mul_(fade).add_(part.mul_(weight))
        _keep_nearest(depth, place, which, fused, best[:used], second[:used], along[:used], cone[:used])

    inside = best > FAR
    length = (normal[0].square() + normal[1].square()).add_(normal[2].square()).sqrt_().clamp_(min=1e-6)
    normal = tuple(sums.div_(length) for sums in normal)
    depth = torch.where(inside, best + BLEND * total.log_(), FAR)
    return Surface(tiles, inside, depth, normal, cone, along, best - second)


def _meeting_pairs(
    start: Tensor, end: Tensor, radius: Tensor, frame: Frame, step_x: Tensor, step_y: Tensor, side: int
) -> tuple[Tensor, Tiles]:
    """Pairs (row of the tile in Tiles, cone) that may meet, sorted by tile, and the tiles with at least one pair.

    A tile is taken as the circle around it and a cone as the capsule around it, so no pair that meets is missed.
    """
    place = torch.arange(side, device=start.device) + 0.5
    x = (frame.left[:, None] + place * TILE * step_x[:, None]).view(-1, 1, 1, side)  # (B, 1, 1, side)
    y = (frame.top[:, None] - place * TILE * step_y[:, None]).view(-1, 1, side, 1)
    ax, ay = (start[..., axis, None, None] for axis in (0, 1))  # (B, C, 1, 1)
    dx, dy = ((end - start)[..., axis, None, None] for axis in (0, 1))
    from_x, from_y = x - ax, y - ay
    foot = (from_x * dx + from_y * dy).div_((dx * dx + dy * dy).clamp_(min=1e-12)).clamp_(0, 1)  # (B, C, side, side)
    distance = (from_x - foot * dx).square_() + (from_y - foot * dy).square_()
    reach = radius + (TILE / 2 * torch.hypot(step_x, step_y))[:, None]
    meets = (distance < reach.square()[..., None, None]).flatten(2).transpose(1, 2).flatten(0, 1)  # (B * side², C)
    number = meets.any(1).nonzero()[:, 0]
    return meets[number].nonzero(), Tiles(number, number // side**2, len(start), side)


def _hit(ball: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Where rays meet their round cone: depth (FAR where they miss), place along it and normal, all (A, P).

    Between the balls the skin is the envelope of balls with centre a + t d and radius r(t) = ra + t dr. The ray at
    (x, y) meets ball t at the height az + t dz + sqrt(Q(t)), Q(t) = r(t)² - |(x, y) - a - t d|² = A t² + 2 B t + C.
    The visible t makes this height greatest: t = (u - B) / A with u = -dz sqrt((B² - A C) / (dz² - A)), clamped to the
    cone.
    """
    ax, ay, az, dx, dy, dz, ra, dr = ball[:, :, None].unbind(1)  # (A, 1) each
    # Below zero by definition, unless one ball hides the other: then the nearer ball must win, and t runs to its end.
    A = (dr * dr - dx * dx - dy * dy).clamp_(max=-1e-3)
    slope = -dz / (dz * dz - A).sqrt_()
    px, py = x - ax, y - ay
    B = (px * dx).add_(py * dy).add_(ra * dr)
    C = (ra * ra - px * px).sub_(py * py)
    t = (B * B).sub_(A * C).clamp_(min=0).sqrt_().mul_(slope).sub_(B).div_(A).clamp_(0, 1)
    Q = (A * t).add_(B).add_(B).mul_(t).add_(C)
    missed = Q <= 0
    rise = Q.clamp_(min=0).sqrt_()
    depth = (dz * t).add_(az).add_(rise).masked_fill_(missed, FAR)
    shrink = (dr * t).add_(ra).reciprocal_()
    normal = [px.sub_(dx * t).mul_(shrink), py.sub_(dy * t).mul_(shrink), rise.mul_(shrink)]
    return depth, t, normal


def _keep_nearest(
    depth: Tensor,
    place: Tensor,
    which: Tensor,
    fused: Tensor,
    best: Tensor,
    second: Tensor,
    along: Tensor,
    cone: Tensor,
) -> None:
    """Enters one more cone for each tile into the records, in place.

    Args:
        depth, place: (A, P) of the new cones ``which`` (A,).
        fused: (C, C), see `rasterise`.
        best, along, cone: (A, P) depth, place and number of the nearest cone so far.
        second: (A, P) depth of the nearest cone that is not fused with that one.
    """
    nearer = depth > best
    same = among(fused[which], cone)
    # What loses against the other, if it is not fused with it, may be the runner-up; the first entry's loser is FAR.
    loser = torch.minimum(depth, best).masked_fill_(same, FAR)
    torch.maximum(second, loser, out=second)
    torch.where(nearer, depth, best, out=best)
    torch.where(nearer, place, along, out=along)
    torch.where(nearer, which[:, None].int(), cone, out=cone)


def among(cones: Tensor, cone: Tensor) -> Tensor:
    """Whether each pixel's cone, (A, P) int32, is one of those that ``cones``, (C,) or (A, C) boolean, marks.

    The marks are packed into the bits of one number: to shift it is cheaper than to look up every pixel.
    """
    place = torch.arange(cones.shape[-1], device=cones.device)
    packed = (cones.long() << place).sum(-1, keepdim=True).int()  # C is 30
    return (packed >> cone).bitwise_and_(1).bool()

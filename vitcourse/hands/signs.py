"""Rendered signs: pictures of hands that form letters, with exact boxes, in any number and with no download.

Shape legend: B pictures of size x size pixels, C cones of a hand (see `vitcourse.hands.hand`).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from vitcourse.errors import InputError
from vitcourse.hands.camera import photograph
from vitcourse.hands.draws import Draws, Typical
from vitcourse.hands.hand import FOREARM, MOVING, PARTS, POSES, cones, joints, nail_normals, views
from vitcourse.hands.raster import TILE, Frame, Surface, among, project, rasterise
from vitcourse.hands.scene import background, cast_shadow, noise
from vitcourse.hands.shading import SUPERSAMPLE, draw_light, draw_skin, fused_cones, shade

CHUNK = {"cpu": 12, "cuda": 128}  # pictures at once: few enough for the caches of a CPU, enough to fill a GPU
MIN_SIZE, MAX_SIZE = 32, 4096
WRIST = 0.2  # the share of the arm's first cone, about 1.5 cm, that a box takes as the hand
NOTHING = 0  # in a map of parts: background
FILL = (0.3, 0.95)  # how much of a side of the picture the hand takes


def render(
    letters: Tensor,
    seed: int,
    size: int = 128,
    first: int = 0,
    device: torch.device | str | None = None,
    plain: bool = False,
    fill: tuple[float, float] = FILL,
) -> tuple[Tensor, Tensor]:
    """Pictures of hands that sign ``letters``.

    Picture k depends on (seed, first + k), its letter and the size alone, not on how many are made with it.

    Args:
        letters: (B,) int64, 0 (A) to 25 (Z).
        seed: 0 or more.
        size: pixels along a side, 32 to 4096.
        first: the index of the first picture in the series of this seed, 0 or more.
        device: where to compute, and where the result lies; the CPU where it is None.
        plain: the textbook view of each letter before an empty wall, with nothing left to chance.
        fill: the least and the greatest share of a side that the hand takes; (0.6, 0.97) gives close-ups.

    Returns:
        Images (B, 3, size, size) uint8, and boxes (B, 4) float32, xyxy in fractions of the image with the edges
        included: the extents of the pixels (of a grid twice as fine as the image) that show the hand, and as much of
        the wrist as people draw into a box (`WRIST`), without the rest of the arm.

    Raises:
        InputError: a letter, the seed, the size, ``first`` or ``fill`` is out of range.
    """
    return render_with_truth(letters, seed, size, first, device, plain, fill)[:2]


def render_with_truth(
    letters: Tensor,
    seed: int,
    size: int = 128,
    first: int = 0,
    device: torch.device | str | None = None,
    plain: bool = False,
    fill: tuple[float, float] = FILL,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """As `render`, and all else that is known of the pictures.

    Returns:
        Images and boxes; where the joints are, (B, 21, 2) float32, x and y in fractions of the image, in the order of
        `vitcourse.hands.hand` (one that is hidden is given all the same, and one that the frame cuts off lies outside 0
        to 1); and which part of the hand is seen where, (B, size // 2, size // 2) uint8: each value stands for 2 by 2
        pixels and is `NOTHING`, or 1 more than the part of `vitcourse.hands.hand.PARTS`.
    """
    if letters.ndim != 1 or letters.dtype != torch.int64:
        raise InputError(f"letters must be an int64 tensor of one axis, got {letters.dtype} {tuple(letters.shape)}")
    if len(letters) and not 0 <= int(letters.min()) <= int(letters.max()) < len(POSES):
        wrong = letters[(letters < 0) | (letters >= len(POSES))][0]
        raise InputError(f"letters must be 0 to {len(POSES) - 1}, got {int(wrong)}")
    check_numbers(size, seed=seed, first=first)
    if not 0 < fill[0] <= fill[1] <= 1:
        raise InputError(f"fill must be two shares in (0, 1], the lesser first, got {fill[0]} and {fill[1]}")
    device = torch.device("cpu" if device is None else device)
    images = torch.empty(len(letters), 3, size, size, dtype=torch.uint8, device=device)
    boxes = torch.empty(len(letters), 4, device=device)
    points = torch.empty(len(letters), 21, 2, device=device)
    parts = torch.empty(len(letters), size // 2, size // 2, dtype=torch.uint8, device=device)
    chunk = CHUNK.get(device.type, CHUNK["cpu"])

    def make(begin: int) -> None:
        some = letters[begin : begin + chunk].to(device)
        end = begin + len(some)
        draws = Typical(len(some), device) if plain else Draws(seed, range(first + begin, first + end), device)
        made = _pictures(some, draws, size, plain, fill)
        for whole, chunk_of_it in zip((images, boxes, points, parts), made, strict=True):
            whole[begin:end] = chunk_of_it

    _in_threads(make, range(0, len(letters), chunk), device)
    return images, boxes, points, parts


def _in_threads(make: Callable[[int], None], starts: range, device: torch.device) -> None:
    """Calls ``make`` for all chunks: on a CPU in as many threads as torch may use, each working through whole chunks.

    That is faster than to let torch split every small operation, above all where other programs keep the cores busy.
    """
    if device.type != "cpu":
        for begin in starts:
            make(begin)
        return
    allowed = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(allowed, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            for _ in pool.map(make, starts):  # a chunk's error is raised here
                pass
    finally:
        torch.set_num_threads(allowed)


def _pictures(
    letters: Tensor, draws: Draws, size: int, plain: bool, fill: tuple[float, float]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    skeleton, rotation = joints(letters, draws), views(letters, draws)
    start, end, radii = cones(skeleton, letters, draws)
    nails = nail_normals(skeleton) @ rotation.transpose(1, 2)  # (B, 5, 3)
    centre, focus = skeleton[:, [0, 4, 5, 8, 9, 12, 13, 16, 17, 20]].mean(1), draws.uniform(22, 65)
    start, radius_start = project(start, radii[..., 0], rotation, centre, focus)
    end, radius_end = project(end, radii[..., 1], rotation, centre, focus)
    radii = torch.stack([radius_start, radius_end], -1)
    points, _ = project(skeleton, torch.zeros_like(skeleton[..., 0]), rotation, centre, focus)
    left_hand = draws.chance(0.5)
    for vectors in (start, end, nails, points):
        vectors[left_hand, :, 0] *= -1
    # Phones take portraits; the photos of the real set were squeezed into squares, which makes hands wide.
    stretch = torch.ones(len(draws), device=draws.device) if plain else draws.uniform(1.2, 1.42)
    frame = _frame(start, end, radii, stretch, fill, draws)
    points = torch.stack(
        [
            (points[..., 0] - frame.left[:, None]) / frame.width[:, None],
            (frame.top[:, None] - points[..., 1]) / frame.height[:, None],
        ],
        -1,
    )

    fused = fused_cones().to(draws.device)
    surface = rasterise(start.float(), end.float(), radii.float(), fused, frame, size * SUPERSAMPLE)
    boxes, parts = _boxes(surface, size * SUPERSAMPLE), _parts(surface, size)
    light, skin = draw_light(draws), draw_skin(draws)
    mottling = noise(draws, surface.tiles.side * TILE // SUPERSAMPLE, 0.8)
    colour, coverage = shade(surface, frame, light, skin, mottling, nails.float(), draws)
    colour, coverage = colour[..., :size, :size], coverage[..., :size, :size]
    behind = cast_shadow(draws, background(draws, size, skin), coverage)
    image = colour + behind * (1 - coverage[:, None])
    if plain:
        return (image.clamp_(0, 1) * 255 + 0.5).to(torch.uint8), boxes, points, parts
    free = torch.cat([boxes[:, :2], 1 - boxes[:, 2:]], 1)  # left, top, right, bottom of the box
    moving = torch.isin(letters, torch.tensor([list(POSES).index(letter) for letter in MOVING], device=letters.device))
    return photograph(draws, image, free, moving), boxes, points, parts


def _frame(
    start: Tensor, end: Tensor, radii: Tensor, stretch: Tensor, fill: tuple[float, float], draws: Draws
) -> Frame:
    """A frame around the hand: its share of a side is within ``fill``; it loses at most 6% of the frame."""
    own = torch.tensor(PARTS, device=start.device) != FOREARM
    balls, radii = torch.cat([start[:, own], end[:, own]], 1)[..., :2], radii[:, own].transpose(1, 2).flatten(1)
    low, high = (balls - radii[..., None]).amin(1), (balls + radii[..., None]).amax(1)  # (B, 2)
    extent = high - low
    height = torch.maximum(extent[:, 0] * stretch, extent[:, 1]) / draws.uniform(*fill)
    shape = torch.stack([height / stretch, height], 1)
    lost = torch.where(draws.chance(0.15), 0.06, -0.015)[:, None]  # few hands touch an edge
    room = (0.5 + lost - extent / shape / 2).clamp(0, 0.3)
    aside = torch.stack([draws.normal(0.2), 0.04 + draws.normal(0.15)], 1)
    centre = (low + high) / 2 + aside.maximum(-room).minimum(room) * shape
    left, top = centre[:, 0] - shape[:, 0] / 2, centre[:, 1] + shape[:, 1] / 2
    return Frame(left.float(), top.float(), shape[:, 0].float(), shape[:, 1].float())


def _boxes(surface: Surface, pixels: int) -> Tensor:
    arm = among(torch.tensor(PARTS, device=surface.cone.device) == FOREARM, surface.cone)
    arm &= (surface.cone % 2 == 1) | (surface.along > WRIST)  # of the arm's cones, the even ones begin at the wrist
    seen = surface.tiles.assemble(surface.inside & ~arm, False)[:, :pixels, :pixels]
    first, last = [], []
    for axis in (1, 2):  # columns, then rows
        line = seen.any(axis).byte()
        first.append(line.argmax(1))
        last.append(pixels - line.flip(1).argmax(1))
    return torch.stack(first + last, 1).float() / pixels


def _parts(surface: Surface, size: int) -> Tensor:
    part = torch.tensor(PARTS, dtype=torch.uint8, device=surface.cone.device)[surface.cone] + 1
    whole = surface.tiles.assemble(part.masked_fill_(~surface.inside, NOTHING), NOTHING)
    step = 2 * SUPERSAMPLE
    return whole[:, : size * SUPERSAMPLE, : size * SUPERSAMPLE][:, step // 2 :: step, step // 2 :: step]


def check_numbers(size: int, **counts: int) -> None:
    """Raises InputError where a size or a named count is out of range."""
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise InputError(f"size must be {MIN_SIZE} to {MAX_SIZE} pixels, got {size}")
    for name, count in counts.items():
        if count < 0:
            raise InputError(f"{name} must be 0 or more, got {count}")

"""The raster of round cones against what it stands for: balls, many of them, along an axis."""

import math

import pytest
import torch

from vitcourse.hands.raster import BLEND, TILE, Frame, Tiles, project, rasterise
from vitcourse.hands.shading import box_blur

PIXELS = 64
FRAME = Frame(*(torch.tensor([value]) for value in (-6.0, 5.0, 12.0, 10.0)))  # 12 cm wide, 10 cm high


def pixel_centres() -> tuple[torch.Tensor, torch.Tensor]:
    place = (torch.arange(PIXELS, dtype=torch.float64) + 0.5) / PIXELS
    return (-6 + 12 * place).expand(PIXELS, PIXELS), (5 - 10 * place)[:, None].expand(PIXELS, PIXELS)


def cast(cones: list, fused: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
    """The surface of cones given as (start, end, radius, radius), each quantity as one (PIXELS, PIXELS) picture."""
    start, end = (torch.tensor([[cone[k] for cone in cones]]) for k in (0, 1))
    radii = torch.tensor([[cone[2:] for cone in cones]])
    fused = torch.eye(len(cones), dtype=torch.bool) if fused is None else fused
    seen = rasterise(start, end, radii, fused, FRAME, PIXELS)
    values = {"depth": seen.depth, "along": seen.along, "cone": seen.cone.float(), "gap": seen.gap}
    values |= dict(zip("xyz", seen.normal, strict=True))
    pictures = {name: seen.tiles.assemble(part, 0.0)[0].double() for name, part in values.items()}
    return pictures | {"inside": seen.tiles.assemble(seen.inside, False)[0]}


def sampled(start, end, radius_a, radius_b, count=801):
    """Depth of the nearest of many balls along the cone's axis, -inf where the ray meets none."""
    x, y = pixel_centres()
    best = torch.full_like(x, -torch.inf)
    for t in torch.linspace(0, 1, count, dtype=torch.float64):
        cx, cy, cz = (a + t * (b - a) for a, b in zip(start, end, strict=True))
        square = (radius_a + t * (radius_b - radius_a)) ** 2 - (x - cx) ** 2 - (y - cy) ** 2
        best = torch.maximum(best, torch.where(square > 0, cz + square.clamp(min=0).sqrt(), -torch.inf))
    return best


def test_ball_has_the_depth_and_the_normal_of_a_ball():
    seen = cast([((1.0, -0.5, 2.0), (1.0, -0.5, 2.0), 3.0, 3.0)])
    x, y = pixel_centres()
    square = 9 - (x - 1) ** 2 - (y + 0.5) ** 2
    assert torch.equal(seen["inside"], square > 0)
    inside = square > 0.01
    rise = square[inside].sqrt()
    torch.testing.assert_close(seen["depth"][inside], 2 + rise, atol=2e-4, rtol=0)
    expected = torch.stack([x[inside] - 1, y[inside] + 0.5, rise]) / 3
    found = torch.stack([seen[axis][inside] for axis in "xyz"])
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=0)


@pytest.mark.parametrize(
    "cone",
    [
        ((-3.0, -2.0, 0.0), (3.0, 2.5, 0.0), 1.2, 0.6),  # lies flat
        ((-2.0, -2.0, -2.0), (2.0, 1.0, 3.0), 0.7, 1.4),  # comes nearer and swells
        ((3.0, 3.0, 4.0), (-1.0, -2.5, -6.0), 1.5, 1.5),  # goes away, a plain capsule
        ((-0.3, 0.2, -3.0), (0.5, 0.0, 3.0), 1.3, 0.8),  # points at the viewer
    ],
)
def test_cone_is_the_hull_of_its_balls(cone):
    seen, expected = cast([cone]), sampled(*cone)
    hit = expected > -torch.inf
    assert hit.sum() > 100
    assert (seen["inside"] != hit).sum() <= 2  # a ray that grazes the skin may fall to either side
    both = hit & seen["inside"]
    error = (seen["depth"] - expected)[both].abs()
    # Between two samples, and where the skin falls away steeply, sampling itself is a little off.
    assert error.mean() < 1e-3
    assert error.quantile(0.99) < 0.02


def test_normals_are_square_to_the_surface():
    seen = cast([((-3.0, -2.0, -1.0), (3.0, 2.5, 1.5), 1.4, 0.9)])
    depth, inner = seen["depth"], torch.zeros(PIXELS, PIXELS, dtype=torch.bool)
    inner[1:-1, 1:-1] = (seen["inside"].double()[None, None].unfold(2, 3, 1).unfold(3, 3, 1).amin((-1, -2)) > 0)[0, 0]
    inner &= seen["z"] > 0.7
    slope_x = (depth.roll(-1, 1) - depth.roll(1, 1)) / (2 * 12 / PIXELS)
    slope_y = (depth.roll(1, 0) - depth.roll(-1, 0)) / (2 * 10 / PIXELS)
    torch.testing.assert_close((-seen["x"] / seen["z"])[inner], slope_x[inner], atol=0.06, rtol=0.05)
    torch.testing.assert_close((-seen["y"] / seen["z"])[inner], slope_y[inner], atol=0.06, rtol=0.05)


def test_equal_depths_melt_and_distant_ones_do_not():
    ball = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 2.0, 2.0)
    behind = ((0.0, 0.0, -4.0), (0.0, 0.0, -4.0), 2.5, 2.5)
    alone, twice, far = cast([ball]), cast([ball, ball]), cast([ball, behind])
    inside = alone["inside"]
    lift = (twice["depth"] - alone["depth"])[inside]
    torch.testing.assert_close(lift, torch.full_like(lift, BLEND * math.log(2)), atol=1e-4, rtol=0)
    middle = pixel_centres()[0] ** 2 + pixel_centres()[1] ** 2 < 1
    torch.testing.assert_close(far["depth"][middle], alone["depth"][middle], atol=1e-4, rtol=0)


def test_something_far_nearer_beside_a_ball_leaves_the_ball_alone():
    ball = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 2.0, 2.0)
    beside = ((2.1, 2.1, 60.0), (2.1, 2.1, 60.0), 1.0, 1.0)  # not before it, but in the same tiles
    alone, both = cast([ball]), cast([ball, beside])
    own = alone["inside"] & (both["cone"] == 0)
    assert own.sum() > 0.9 * alone["inside"].sum()
    for name in ("depth", "x", "y", "z"):
        torch.testing.assert_close(both[name][own], alone[name][own], atol=1e-4, rtol=0)


def test_nearest_cone_and_the_gap_to_the_next_one_apart():
    front, behind = ((0.0, 0.0, 3.0),) * 2 + (1.0, 1.0), ((0.0, 0.0, 0.0),) * 2 + (2.0, 2.0)
    centre = (PIXELS // 2, PIXELS // 2)
    for cones, nearest in (([front, behind], 0), ([behind, front], 1)):
        seen = cast(cones)
        assert seen["cone"][centre] == nearest
        assert seen["gap"][centre] == pytest.approx(4 - 2, abs=0.02)
        whole = cast(cones, torch.ones(2, 2, dtype=torch.bool))
        assert whole["gap"][centre] > 1000  # one piece of skin has nothing before which it could stand apart


def test_tiles_and_pictures_are_inverse():
    number = torch.tensor([7, 0, 4])
    tiles = Tiles(number, number // 4, 2, 2)
    values = torch.arange(3 * TILE * TILE, dtype=torch.float32).view(3, -1)
    whole = tiles.assemble(values, -1.0)
    assert whole.shape == (2, 2 * TILE, 2 * TILE)
    assert torch.equal(tiles.cut(whole), values)
    # Tile 7 is the lower right one of the second picture.
    assert torch.equal(whole[1, TILE:, TILE:].flatten(), values[0])
    assert (whole == -1).sum() == (8 - 3) * TILE * TILE


def test_perspective_swells_what_is_near_and_keeps_the_middle():
    points = torch.tensor([[[2.0, 1.0, 0.0], [2.0, 1.0, 10.0], [2.0, 1.0, -10.0]]], dtype=torch.float64)
    seen, radii = project(
        points, torch.ones(1, 3).double(), torch.eye(3).double()[None], torch.zeros(1, 3), torch.tensor([40.0])
    )
    torch.testing.assert_close(radii[0], torch.tensor([1.0, 40 / 30, 40 / 50]).double())
    torch.testing.assert_close(seen[0, 1], points[0, 1] * 40 / 30)


def test_box_blur_is_the_mean_of_the_pixels_around():
    images = torch.rand(2, 3, 9, 11, generator=torch.Generator().manual_seed(0))
    across, down = torch.tensor([1, 0]), torch.tensor([2, 3])
    blurred = box_blur(images, across, down)
    for k in range(2):
        kernel = (2 * int(down[k]) + 1, 2 * int(across[k]) + 1)
        expected = torch.nn.functional.avg_pool2d(images[k], kernel, 1, (int(down[k]), int(across[k])))
        torch.testing.assert_close(blurred[k], expected, atol=1e-5, rtol=0)

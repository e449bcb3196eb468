"""Backgrounds, the wall's shadow, the camera, and the light on the hand."""

import torch

from vitcourse.data import hand, scene
from vitcourse.data.draws import Draws, Typical
from vitcourse.data.render import Frame, rasterise
from vitcourse.data.shading import TONES, Light, draw_skin, fused_cones, shade

SIZE = 40
STILL = torch.zeros(1, dtype=torch.bool)


def test_backgrounds_differ_and_stay_in_range():
    draws = Draws(0, range(60))
    images = scene.background(draws, SIZE, draw_skin(draws))
    assert images.shape == (60, 3, SIZE, SIZE)
    assert images.min() >= 0
    assert images.max() <= 1.2
    texture = images.mean(1).flatten(1).std(1)
    assert texture.min() < 0.03 < 0.12 < texture.max(), "some walls are flat and some scenes are busy"
    means = images.mean((1, 2, 3))
    assert means.min() < 0.25
    assert means.max() > 0.75


def test_a_background_looks_the_same_at_every_size():
    large = scene.background(Draws(5, range(8)), 80, torch.full((8, 3), 0.6))
    small = scene.background(Draws(5, range(8)), 40, torch.full((8, 3), 0.6))
    shrunk = torch.nn.functional.avg_pool2d(large, 2)
    assert (shrunk - small).abs().mean() < 0.02
    assert (shrunk.roll(1, 0) - small).abs().mean() > 0.1


def test_the_hand_only_darkens_the_wall():
    draws = Draws(1, range(40))
    coverage = torch.zeros(40, SIZE, SIZE)
    coverage[:, 15:25, 15:25] = 1
    wall = torch.ones(40, 3, SIZE, SIZE)
    shaded = scene.cast_shadow(draws, wall, coverage)
    assert shaded.max() <= 1
    share = (shaded.amin((1, 2, 3)) < 0.95).double().mean()
    assert 0.2 < share < 0.6


def test_black_strips_never_reach_the_hand():
    margins = torch.tensor([[0.05, 0.1, 0.0, 0.3]]).expand(400, 4)
    photo = scene.photograph(Draws(2, range(400)), torch.full((400, 3, SIZE, SIZE), 0.8), margins, STILL.expand(400))
    assert photo.dtype == torch.uint8
    left, top, bottom = round(0.05 * SIZE), round(0.1 * SIZE), SIZE - round(0.3 * SIZE)
    assert photo[:, :, top:bottom, left:].amax(1).min() > 30
    dark = photo[:, :, :2].amax((1, 2, 3)) < 30  # a strip along the upper edge
    assert 0.005 < dark.double().mean() < 0.08


def test_some_photos_are_grey():
    colours = torch.tensor([0.9, 0.5, 0.2])[:, None, None].expand(300, 3, SIZE, SIZE).clone()
    photo = scene.photograph(Draws(3, range(300)), colours, torch.zeros(300, 4), STILL.expand(300)).float().mean((2, 3))
    grey = (photo[:, 0] - photo[:, 2]).abs() < 8
    assert 0.09 < grey.double().mean() < 0.22


def test_movements_are_blurred_and_brightness_is_kept():
    stripes = (torch.arange(SIZE) // 3 % 2).float().expand(200, 3, SIZE, SIZE).contiguous() * 0.6 + 0.2

    def contrast(moving: bool) -> torch.Tensor:
        photo = scene.photograph(Draws(6, range(200)), stripes.clone(), torch.zeros(200, 4), torch.full((200,), moving))
        return photo.float().std((1, 2, 3))

    still, moved = contrast(False), contrast(True)
    blurred = moved < 0.8 * still
    assert 0.08 < blurred.double().mean() < 0.5  # every second moves, and some of these along the stripes
    torch.testing.assert_close(moved[~blurred], still[~blurred], rtol=0.25, atol=1)


def test_two_of_three_rooms_have_furniture():
    place = (torch.arange(SIZE) + 0.5) / SIZE
    x, y = place.expand(100, SIZE, SIZE), place[:, None].expand(100, SIZE, SIZE)
    wall = torch.full((100, 3, SIZE, SIZE), 2.0)  # brighter than anything
    things = (scene._furniture(Draws(7, range(100)), wall, x, y) != 2).any(1)
    share = things.float().mean((1, 2))
    furnished = share > 0
    assert 0.55 < furnished.float().mean() < 0.75
    assert share.max() < 1
    assert 0.2 < share[furnished].mean() < 0.7
    upper, lower = things[furnished][:, : SIZE // 2], things[furnished][:, SIZE // 2 :]
    assert upper.float().mean() > lower.float().mean()


def test_noise_has_the_deviation_it_promises():
    for rough in (0.5, 0.8, 1.0):
        field = scene.noise(Draws(4, range(50)), 64, rough)
        assert abs(field.mean()) < 0.1
        assert 0.8 < field.std() < 1.2


def test_skin_ranges_from_very_dark_to_very_light():
    light = draw_skin(Draws(0, range(300))).mean(1)
    assert light.min() < 0.2
    assert light.max() > 0.8
    assert len(TONES) == 10


def lit_ball(direction: tuple[float, float, float]) -> tuple[torch.Tensor, torch.Tensor]:
    """A ball in place of all cones (so of the thumb's first bone), lit from one side: colour, coverage."""
    frame = Frame(*(torch.tensor([value]) for value in (-5.0, 5.0, 10.0, 10.0)))
    count = len(hand.PARTS)
    centres, radii = torch.zeros(1, count, 3), torch.full((1, count, 2), 0.01)
    centres[:, 1:, 2], radii[:, 0] = -50, 3.0
    surface = rasterise(centres, centres, radii, fused_cones(), frame, 2 * SIZE)
    light = Light(torch.tensor([direction]), torch.tensor([0.3]))
    plain = Typical(1)
    return shade(surface, frame, light, draw_skin(plain), torch.zeros(1, SIZE, SIZE), torch.zeros(1, 5, 3), plain)


def test_light_falls_where_it_comes_from():
    colour, coverage = lit_ball((0.8, 0.0, 0.6))
    assert colour.shape == (1, 3, SIZE, SIZE)
    assert coverage.min() == 0
    assert coverage.max() == 1
    assert (colour[:, :, coverage[0] == 0] == 0).all()
    row = colour[0, 0, SIZE // 2]
    assert row[27] > 1.3 * row[12]
    above = lit_ball((0.0, 0.8, 0.6))[0][0, 0, :, SIZE // 2]
    assert above[12] > 1.3 * above[27]
    # Covered area: that of the disc, in pixels.
    assert abs(float(coverage.sum()) - 3.14159 * (3.0 * SIZE / 10) ** 2) < 8


def test_fused_cones_join_the_palm_and_its_fingers_but_no_two_fingers():
    fused = fused_cones()
    parts = torch.tensor(hand.PARTS)
    assert torch.equal(fused, fused.T)
    assert fused.diagonal().all()
    index, middle = [3, 4, 5], [6, 7, 8]
    assert not fused[index][:, middle].any()
    assert fused[3, 4]
    assert not fused[3, 5]
    palm = (parts == hand.PALM).nonzero()[:, 0]
    assert fused[palm][:, palm].all()
    assert fused[palm, 3].all()
    assert not fused[palm, 4].any()

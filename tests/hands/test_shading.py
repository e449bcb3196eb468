"""Skin, and the light on the hand."""

import torch

from vitcourse.hands import hand
from vitcourse.hands.draws import Draws, Typical
from vitcourse.hands.raster import Frame, rasterise
from vitcourse.hands.shading import TONES, Light, draw_skin, fused_cones, shade

SIZE = 40


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

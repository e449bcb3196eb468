"""Backgrounds, and the shadow on the wall."""

import torch

from vitcourse.hands import scene
from vitcourse.hands.draws import Draws
from vitcourse.hands.shading import draw_skin

SIZE = 40


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


def test_what_lies_on_top_is_seen():
    image, spans = torch.zeros(3, 3, 4, 4), ((0, 3), (1, 4), (1, 2))

    def covers(has, thing):
        assert has.tolist() == [[1, 2], [1, 2], [2]][thing]
        low, high = spans[thing]
        mask = torch.zeros(len(has), 4, 4, dtype=torch.bool)
        mask[:, :, low:high] = True
        return mask

    at, (picture, thing) = scene._topmost(image, torch.tensor([0, 2, 3]), covers)
    seen = torch.full((3, 4, 4), -1)
    seen[at] = thing
    rows = [[-1, -1, -1, -1], [0, 1, 1, 1], [0, 2, 1, 1]]
    assert seen[:, 0].tolist() == rows
    assert torch.equal(picture, at[0])
    assert (seen == seen[:, :1]).all()


def test_noise_has_the_deviation_it_promises():
    for rough in (0.5, 0.8, 1.0):
        field = scene.noise(Draws(4, range(50)), 64, rough)
        assert abs(field.mean()) < 0.1
        assert 0.8 < field.std() < 1.2

"""Windows of rendered signs: what is known of a picture moves with its pixels."""

import pytest
import torch

from vitcourse.hands.windows import LEAST, cut_windows, recolour

MARKS = torch.tensor([[0.3, 0.35], [0.62, 0.7], [0.45, 0.5]])  # three joints; the first two are the box's corners


@pytest.fixture(scope="module")
def scene():
    """40 pictures: a dim gradient and a bright spot at each joint, with the part 1, 2 or 3 around it."""
    count, size = 40, 96
    place = (torch.arange(size) + 0.5) / size
    image = 40 * place.expand(3, size, size).clone()
    for channel, (x, y) in enumerate(MARKS):
        near = (place - x).square() + (place - y)[:, None].square() < 0.02**2
        image[channel] += 200 * near
    parts, place = torch.zeros(48, 48, dtype=torch.uint8), (torch.arange(48) + 0.5) / 48
    for number, (x, y) in enumerate(MARKS, start=1):
        parts[(place - x).square() + (place - y)[:, None].square() < 0.06**2] = number
    boxes = MARKS[:2].flatten().expand(count, 4)
    return image.byte().expand(count, -1, -1, -1), boxes, MARKS.expand(count, 3, 2), parts.expand(count, -1, -1)


def cut(scene, whole, seed=0):
    torch.manual_seed(seed)
    return cut_windows(*scene, 96, 24, whole)


@pytest.mark.parametrize("whole", [0.0, 1.0])
def test_joints_stay_on_their_spots(scene, whole):
    images, boxes, joints, _ = cut(scene, whole)
    assert images.shape == (40, 3, 96, 96)
    assert 0 <= images.min() < images.max() <= 1
    place = (torch.arange(96) + 0.5) / 96
    for channel in range(3):
        spot = images[:, channel] > 0.5
        weight = spot.flatten(1).sum(1)
        assert weight.min() > 0
        found = torch.stack([(spot.sum(1) * place).sum(1) / weight, (spot.sum(2) * place).sum(1) / weight], 1)
        inside = ((joints[:, channel] > 0.05) & (joints[:, channel] < 0.95)).all(1)  # a spot may be cut by the edge
        assert inside.float().mean() > 0.3
        torch.testing.assert_close(found[inside], joints[inside, channel], rtol=0, atol=0.02)
    corners = torch.cat([joints[:, :2].amin(1), joints[:, :2].amax(1)], 1)
    torch.testing.assert_close(boxes, corners, rtol=0, atol=1e-5)


def test_a_window_holds_the_box_and_close_ups_are_close(scene):
    near, far = (cut(scene, whole)[1] for whole in (0.0, 1.0))
    for boxes in (near, far):
        assert boxes.min() >= 0
        assert boxes.max() <= 1
        assert (boxes[:, 2:] > boxes[:, :2]).all()
    longest = (far[:, 2:] - far[:, :2]).amax(1)
    torch.testing.assert_close(longest, torch.full((40,), 0.35), rtol=0, atol=0.1)
    longest = (near[:, 2:] - near[:, :2]).amax(1)
    assert longest.min() > 0.3
    assert 0.8 / LEAST < longest.max() <= 1


@pytest.mark.parametrize("whole", [0.0, 1.0])
def test_the_map_of_parts_moves_with_the_joints(scene, whole):
    _, _, joints, parts = cut(scene, whole)
    assert parts.shape == (40, 24, 24)
    assert parts.dtype == torch.int64
    column, row = (joints * 24).long().clamp(0, 23).unbind(-1)
    found = parts[torch.arange(40)[:, None], row, column]
    inside = ((joints > 0) & (joints < 1)).all(-1)
    assert inside.float().mean() > 0.9
    assert (found == torch.tensor([1, 2, 3]))[inside].float().mean() > 0.95


def test_half_of_the_windows_are_mirrored(scene):
    joints = cut(scene, 1.0)[2]
    assert 0.25 < (joints[:, 0, 0] > joints[:, 1, 0]).float().mean() < 0.75


def test_the_same_seed_gives_the_same_windows(scene):
    for first, second in zip(cut(scene, 0.5), cut(scene, 0.5), strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(cut(scene, 0.5)[0], cut(scene, 0.5, seed=1)[0])


def test_recolouring_changes_colours_and_keeps_shapes(scene):
    images = cut(scene, 1.0)[0]
    torch.manual_seed(0)
    other = recolour(images.clone())
    assert other.shape == images.shape
    assert 0 <= other.min() < other.max() <= 1
    assert ((other - images).abs().flatten(1).amax(1) > 0.01).all()
    spread = (other.amax(1) - other.amin(1)).flatten(1).amax(1)
    assert 0 < (spread == 0).sum() < 15, "a few are grey"

"""Rendered signs: determinism, exact boxes, and all else that is known of a picture."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError
from vitcourse.hands import signs
from vitcourse.hands.hand import FOREARM, PARTS
from vitcourse.hands.signs import NOTHING, WRIST, render, render_with_truth

ALL = torch.arange(26)
FIRST_OF_ARM = (26, 28)  # the cones of the arm that begin at the wrist


@pytest.fixture(scope="module")
def alphabet():
    return render(ALL, seed=11, size=48)


@pytest.fixture
def captured(monkeypatch):
    """The arguments and the result of every call of the raster."""
    calls = []
    original = signs.rasterise

    def spy(*arguments):
        calls.append((arguments, original(*arguments)))
        return calls[-1][1]

    monkeypatch.setattr(signs, "rasterise", spy)
    monkeypatch.setattr(signs, "CHUNK", {"cpu": 1000})
    return calls


def test_shapes_and_types(alphabet):
    images, boxes = alphabet
    assert images.shape == (26, 3, 48, 48)
    assert images.dtype == torch.uint8
    assert boxes.shape == (26, 4)
    assert boxes.dtype == torch.float32
    assert images.flatten(1).float().std(1).min() > 5, "every picture shows something"


def test_same_seed_gives_the_same_bytes_and_another_does_not(alphabet):
    images, boxes = render(ALL, seed=11, size=48)
    assert torch.equal(images, alphabet[0])
    assert torch.equal(boxes, alphabet[1])
    other = render(ALL, seed=12, size=48)
    shifted = render(ALL, seed=11, size=48, first=26)
    for different in (other, shifted):
        assert (different[0] != alphabet[0]).flatten(1).any(1).all()
        assert (different[1] != alphabet[1]).any(1).all()


@pytest.mark.parametrize("sizes", [[1, 2, 3, 20], [13, 13]])
def test_a_picture_does_not_depend_on_those_made_with_it(alphabet, sizes):
    first = 0
    for part in ALL.split(sizes):
        images, boxes = render(part, seed=11, size=48, first=first)
        assert torch.equal(images, alphabet[0][first : first + len(part)])
        assert torch.equal(boxes, alphabet[1][first : first + len(part)])
        first += len(part)


def test_chunks_and_threads_change_nothing(alphabet, monkeypatch):
    before = torch.get_num_threads()
    try:
        for threads, chunk in ((1, 5), (2, 26), (3, 4)):
            torch.set_num_threads(threads)
            monkeypatch.setattr(signs, "CHUNK", {"cpu": chunk})
            images, boxes = render(ALL, seed=11, size=48)
            assert torch.get_num_threads() == threads
            with ThreadPoolExecutor(1) as pool:  # what threads that start later will use
                assert pool.submit(torch.get_num_threads).result() == threads
            assert torch.equal(images, alphabet[0])
            assert torch.equal(boxes, alphabet[1])
    finally:
        torch.set_num_threads(before)


def test_plain_pictures_leave_nothing_to_chance():
    images, boxes = render(ALL[:6], seed=0, size=40, plain=True)
    again, boxes_again = render(ALL[:6], seed=99, size=40, first=7, plain=True)
    assert torch.equal(images, again)
    assert torch.equal(boxes, boxes_again)
    corners = images[:, :, :4, :4].float()
    assert corners.std((2, 3)).max() < 2, "the wall is empty"


def test_boxes_are_the_extents_of_the_visible_hand(captured):
    _, boxes = render(ALL, seed=4, size=48)
    (*_, pixels), surface = captured[0]
    arm = torch.tensor(PARTS)[surface.cone] == FOREARM
    wrist = arm & torch.isin(surface.cone, torch.tensor(FIRST_OF_ARM)) & (surface.along <= WRIST)
    hand = surface.inside & (~arm | wrist)
    row, pixel = hand.nonzero(as_tuple=True)
    number = surface.tiles.number[row]
    side = pixels // 8  # tiles of 8 by 8 pixels
    x, y = number % side * 8 + pixel % 8, number // side % side * 8 + pixel // 8
    for k, box in enumerate(boxes):
        own = number // side**2 == k
        extent = torch.stack([x[own].min(), y[own].min(), x[own].max() + 1, y[own].max() + 1]) / pixels
        torch.testing.assert_close(box, extent, rtol=0, atol=1e-6)


def test_boxes_fit_the_balls_that_the_hand_is_made_of(captured):
    _, boxes = render(ALL[[2, 9, 16]], seed=9, size=32)  # C, J and Q: the arm crosses the box
    (start, end, radii, _, frame, pixels), _ = captured[0]
    place = (torch.arange(pixels) + 0.5) / pixels
    arm = torch.tensor(PARTS) == FOREARM
    for k, box in enumerate(boxes):
        x = (frame.left[k] + place * frame.width[k]).expand(pixels, pixels)
        y = (frame.top[k] - place * frame.height[k])[:, None].expand(pixels, pixels)
        nearest, is_arm = torch.full((pixels, pixels), -torch.inf), torch.zeros(pixels, pixels, dtype=torch.bool)
        for cone in range(len(PARTS)):
            for t in torch.linspace(0, 1, 51):
                centre = start[k, cone] + t * (end[k, cone] - start[k, cone])
                square = (radii[k, cone, 0] + t * (radii[k, cone, 1] - radii[k, cone, 0])) ** 2
                square = square - (x - centre[0]) ** 2 - (y - centre[1]) ** 2
                depth = torch.where(square > 0, centre[2] + square.clamp(min=0).sqrt(), -torch.inf)
                beyond_wrist = arm[cone] & ((cone not in FIRST_OF_ARM) | (t > WRIST + 1e-6))
                is_arm = torch.where(depth > nearest, beyond_wrist, is_arm)
                nearest = torch.maximum(nearest, depth)
        rows, columns = ((nearest > -torch.inf) & ~is_arm).nonzero(as_tuple=True)
        expected = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / pixels
        torch.testing.assert_close(box, expected, rtol=0, atol=1.01 / pixels)


def test_hands_are_well_in_the_frame(captured):
    _, boxes = render(ALL.repeat(10), seed=21, size=32)
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    wide, high = (boxes[:, 2:] - boxes[:, :2]).unbind(1)
    assert torch.maximum(wide, high).min() > 0.2
    assert torch.minimum(wide, high).min() > 0.04
    touching = ((boxes[:, :2] == 0) | (boxes[:, 2:] == 1)).any(1).double().mean()
    assert 0.2 < touching < 0.5  # in close-ups the edge often cuts the wrist
    # Of the hand's own extent no more than 6% of the frame may be lost at an edge.
    (start, end, radii, _, frame, _), _ = captured[0]
    own = torch.tensor(PARTS) != FOREARM
    x = torch.cat([start[:, own, 0] - radii[:, own, 0], end[:, own, 0] - radii[:, own, 1]], 1).amin(1)
    assert ((x - frame.left) / frame.width).min() > -0.0601


def test_half_of_the_hands_are_left_hands(captured):
    render(torch.full((200,), LETTERS.index("B")), seed=2, size=32)
    (start, end, *_), _ = captured[0]
    wrist = start[:, PARTS.index(FOREARM)]
    index, little, thumb = start[:, 3] - wrist, start[:, 12] - wrist, end[:, 2] - wrist  # B's thumb is over the palm
    right = (torch.linalg.cross(index, little) * thumb).sum(-1) > 0
    assert 0.4 < right.double().mean() < 0.6


@pytest.mark.parametrize(
    ("letters", "options", "named"),
    [
        (torch.tensor([0, 26]), {}, "26"),
        (torch.tensor([-1]), {}, "-1"),
        (torch.tensor([1.0]), {}, "float32"),
        (torch.zeros(2, 2, dtype=torch.int64), {}, "(2, 2)"),
        (ALL, {"size": 31}, "31"),
        (ALL, {"seed": -3}, "-3"),
        (ALL, {"first": -2}, "-2"),
    ],
)
def test_render_names_bad_input(letters, options, named):
    with pytest.raises(InputError, match=re.escape(named)):
        render(letters, **({"seed": 0} | options))


def test_no_letters_give_no_pictures():
    images, boxes = render(ALL[:0], seed=0, size=32)
    assert images.shape == (0, 3, 32, 32)
    assert boxes.shape == (0, 4)


def test_joints_lie_on_the_hand():
    """The joints of a hand that is seen whole lie in its box, and most lie on pixels of skin, not of the wall."""
    images, boxes, joints, _ = render_with_truth(ALL, seed=0, size=64, plain=True)
    assert joints.shape == (26, 21, 2)
    assert torch.equal(images, render(ALL, seed=0, size=64, plain=True)[0])
    low, high = boxes[:, None, :2], boxes[:, None, 2:]
    assert ((joints > low - 0.02) & (joints < high + 0.02)).all()
    wall = images[:, :, 0, 0]
    column, row = (joints * 64).long().clamp(0, 63).unbind(-1)
    seen = images[torch.arange(26)[:, None], :, row, column].float()
    assert ((seen - wall[:, None].float()).abs().amax(-1) > 20).float().mean() > 0.95


def test_the_map_of_parts_shows_the_hand_that_the_box_holds():
    images, boxes, joints, parts = render_with_truth(ALL, seed=3, size=64)
    for mine, theirs in zip((images, boxes), render(ALL, seed=3, size=64), strict=True):
        assert torch.equal(mine, theirs)
    assert parts.shape == (26, 32, 32)
    assert parts.dtype == torch.uint8
    assert set(parts.unique().tolist()) <= {NOTHING, *[part + 1 for part in PARTS]}
    hand = (parts != NOTHING) & (parts != FOREARM + 1)
    rows, columns = hand.any(2), hand.any(1)
    place = torch.arange(32)
    low = torch.stack([torch.where(line, place, 99).amin(1) for line in (columns, rows)], 1) / 32
    high = torch.stack([torch.where(line, place, -1).amax(1) + 1 for line in (columns, rows)], 1) / 32
    # The box also holds some of the wrist, which is a part of the arm: it is longer there, and nowhere shorter.
    assert (boxes[:, :2] <= low + 1.01 / 32).all()
    assert (boxes[:, 2:] >= high - 1.01 / 32).all()
    equal = (torch.cat([low, high], 1) - boxes).abs() <= 1.01 / 32
    assert equal.sum(1).min() >= 2
    assert 0.7 < equal.double().mean() < 0.95
    # The tip of a straight index finger that faces the viewer lies on its last bone.
    straight = [LETTERS.index(letter) for letter in "BDLUV"]
    _, _, joints, parts = render_with_truth(ALL[straight], seed=0, size=64, plain=True)
    column, row = (joints[:, 8] * 32).long().clamp(0, 31).unbind(-1)
    assert (parts[torch.arange(5), row, column] == 3 * 1 + 2 + 1).all()

"""The second look: what is cut out, what is carried back, and that it costs four looks."""

import pytest
import torch

from vitcourse.asl.answers import answer
from vitcourse.asl.looks import FILL, READINGS, readings, window
from vitcourse.errors import InputError

SIZE = 32


def photo(box, width=120, height=80):
    """A white hand on black."""
    image = torch.zeros(3, height, width, dtype=torch.uint8)
    x1, y1, x2, y2 = (box * torch.tensor([width, height, width, height])).round().int().tolist()
    image[:, y1:y2, x1:x2] = 255
    return image


def extent(images):
    """Logits, and the boxes of what is lighter than grey, as a model would give them."""
    boxes = []
    for image in images:
        rows, columns = (image[0] > 127).nonzero().unbind(1)
        wide, high = image.shape[2], image.shape[1]
        boxes.append([columns.min() / wide, rows.min() / high, (columns.max() + 1) / wide, (rows.max() + 1) / high])
    return torch.zeros(len(images), 26), torch.tensor(boxes)


def test_a_window_holds_the_box_and_says_where_it_lies():
    box = torch.tensor([0.3, 0.25, 0.5, 0.75])
    pixels, place = window(photo(box), box, SIZE)
    half = 0.25 / FILL  # the longer side is 0.5, and about the middle (0.4, 0.5)
    torch.testing.assert_close(place, torch.tensor([0.4 - half, 0.5 - half, 0.4 + half, 0.5 + half]))
    inside = extent([pixels])[1][0]
    expected = (box - place[:2].repeat(2)) / (0.5 / FILL)
    torch.testing.assert_close(inside, expected, rtol=0, atol=1.5 / SIZE)
    assert (inside[3] - inside[1]).item() == pytest.approx(FILL, abs=1.5 / SIZE)


def test_a_window_beyond_the_edge_is_black_there():
    box = torch.tensor([0.0, 0.0, 0.2, 0.4])
    pixels, place = window(torch.full((3, 50, 50), 255, dtype=torch.uint8), box, SIZE)
    assert (place[:2] < 0).all()
    outside = ((torch.arange(SIZE) + 0.5) / SIZE * (place[2] - place[0]) + place[0]) < -0.02
    assert not pixels[:, :, outside].any()
    assert pixels[:, -1, -1].eq(255).all()


def test_what_the_window_says_is_carried_back_to_the_photo():
    truth = torch.tensor([[0.3, 0.25, 0.5, 0.75], [0.1, 0.5, 0.6, 0.9]])
    images = [photo(truth[0]), photo(truth[1], 64, 64)]
    wrong = torch.tensor([0.02, -0.03, 0.04, 0.02])  # of the first look alone
    calls = []

    def look(pictures):
        calls.append(len(pictures))
        logits, boxes = extent(pictures)
        return (logits, boxes + wrong) if pictures[0].shape[1:] != (SIZE, SIZE) else (logits, boxes)

    found = readings(look, images, SIZE)
    assert tuple(found) == READINGS
    assert calls == [2, 2, 2, 2]
    torch.testing.assert_close(found["single look"]["boxes"], truth + wrong, rtol=0, atol=0.01)  # pixels
    torch.testing.assert_close(found["second look"]["boxes"], truth, rtol=0, atol=0.02)
    both = (found["mirror image"]["boxes"] + found["second look"]["boxes"]) / 2
    torch.testing.assert_close(found["both looks"]["boxes"], both)
    spent = [found[name]["seconds"] for name in READINGS]
    assert spent == sorted(spent)


def test_letters_of_the_second_look_are_the_mean_of_four():
    images, box = [photo(torch.tensor([0.2, 0.2, 0.8, 0.8]), 64, 64)], torch.tensor([[0.2, 0.2, 0.8, 0.8]])
    answers = iter(torch.randn(4, 1, 26, generator=torch.Generator().manual_seed(0)))
    given = []
    found = readings(lambda _: (given.append(next(answers)) or given[-1], box), images, SIZE)
    mean = torch.stack([one.softmax(1) for one in given]).mean(0)
    torch.testing.assert_close(found["second look"]["logits"].softmax(1), mean)
    torch.testing.assert_close(found["mirror image"]["logits"].softmax(1), torch.stack(given[:2]).softmax(2).mean(0))


def test_an_answer_may_look_twice():
    image = photo(torch.tensor([0.4, 0.4, 0.6, 0.6]), 200, 200)

    def model(batch):
        logits, boxes = extent(batch)
        return logits + batch.float().mean((1, 2, 3))[:, None] * torch.arange(26), boxes

    once, twice = (answer(model, image, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", SIZE, second_look=two) for two in (False, True))
    assert once["box"] != twice["box"]
    assert twice["box"] == pytest.approx([0.4, 0.4, 0.6, 0.6], abs=0.01)
    assert once["size"] == twice["size"] == [200, 200]
    with pytest.raises(InputError, match="this model gives none"):
        answer(lambda batch: (model(batch)[0],), image, "AB", SIZE, second_look=True)

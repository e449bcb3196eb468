"""Rows of digits: what is drawn, from which images, and which answers are right."""

import pytest
import torch

from vitcourse.data.digit_rows import HELD_OUT, IGNORED, LENGTH, DigitRows, answers
from vitcourse.errors import InputError


def digits():
    from sklearn.datasets import load_digits

    found = load_digits()
    pixels = torch.tensor(found.data, dtype=torch.float32)
    return (pixels - pixels.mean(dim=1, keepdim=True)) / pixels.std(dim=1, keepdim=True), torch.tensor(found.target)


@pytest.mark.parametrize(("split", "part"), [("train", slice(None, -HELD_OUT)), ("test", slice(-HELD_OUT, None))])
def test_every_image_is_of_its_split_with_its_own_label(split, part):
    pixels, labels = (whole[part] for whole in digits())
    rows = DigitRows(split, 20)
    distance = torch.cdist(rows.images.flatten(0, 1).double(), pixels.double())
    assert distance.amin(dim=1).max() < 1e-3
    assert torch.equal(labels[distance.argmin(dim=1)].view(20, LENGTH), rows.labels)


def test_images_have_mean_0_and_variance_1():
    images = DigitRows("train", 50).images
    torch.testing.assert_close(images.mean(dim=-1), torch.zeros(50, LENGTH), atol=1e-5, rtol=0)
    torch.testing.assert_close(images.std(dim=-1), torch.ones(50, LENGTH))


def test_the_seed_draws_the_rows():
    first, again, other = DigitRows("test", 30, seed=1), DigitRows("test", 30, seed=1), DigitRows("test", 30, seed=2)
    assert torch.equal(first.images, again.images)
    assert torch.equal(first.mark, again.mark)
    assert not torch.equal(first.labels, other.labels)
    assert not torch.equal(first.mark, other.mark)


def test_every_place_is_marked_and_every_digit_drawn():
    rows = DigitRows("train", 500)
    assert set(rows.mark.tolist()) == set(range(LENGTH))
    assert set(rows.labels.flatten().tolist()) == set(range(10))


def test_an_item_is_a_row_of_the_batch():
    rows = DigitRows("train", 3)
    batch = rows.batch()
    assert len(rows) == 3
    assert set(rows[1]) == set(batch) == {"images", "mark", "labels"}
    assert all(torch.equal(rows[1][name], batch[name][1]) for name in batch)


def test_answers():
    labels = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8, 2, 8, 1, 8]])
    found = answers(labels, torch.tensor([5, 0]))
    assert found[0, :, 0].tolist() == [IGNORED, 3, 1, 4, 1, 5, 9, 2]
    assert found[1, :, 0].tolist() == [IGNORED, 2, 7, 1, 8, 2, 8, 1]
    assert found[:, :, 1].tolist() == [[9] * 8, [2] * 8]


@pytest.mark.parametrize(("split", "rows", "said"), [("valid", 5, "'valid'"), ("train", 0, "at least 1, got 0")])
def test_what_cannot_be_drawn_is_refused(split, rows, said):
    with pytest.raises(InputError, match=said):
        DigitRows(split, rows)

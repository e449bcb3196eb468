"""What is real in a photo, and who its neighbours are: on few rendered signs."""

import json

import pytest
import torch

from vitcourse.data.asl import load, synthesise
from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError
from vitcourse.recipes.asl_data.photos import identity
from vitcourse.recipes.asl_finetuning import asl_domain, asl_neighbours, asl_reach


@pytest.fixture
def signs(folder):
    """Signs where the photos would lie."""
    synthesise(folder / "signs", train=52, valid=26, test=0, size=32)
    return folder / "signs"


def whole(record, *given):
    return json.loads(record(*given, lambda line: None).read_text())


def test_the_hold_out_is_read_once_for_each_change(signs, monkeypatch):
    monkeypatch.setattr(asl_domain, "RENDERED", 26)
    monkeypatch.setattr(asl_domain, "HOLD_OUT", 0.5)
    read, reads = asl_domain.read, []
    monkeypatch.setattr(asl_domain, "read", lambda model, images: reads.append(len(images)) or read(model, images))
    content = whole(asl_domain.record, signs)
    assert [row["title"] for row in content["rows"]] == list(asl_domain.CHANGES)
    assert reads == 2 * (len(asl_domain.CHANGES) + 1) * [26]  # each with its mirror images; and the rendered ones
    assert content["hold_out"] == {"share": 0.5, "images": 26, "photos": 26}
    first, *others = content["rows"]
    assert first["gained"] == [0.0, 0.0, 0.0]
    for row in others:
        mean, low, high = row["gained"]
        assert mean == pytest.approx(row["accuracy"] - first["accuracy"], abs=1e-4)
        assert low <= mean <= high
        assert sum(row["by_letter"].values()) / 26 == pytest.approx(row["accuracy"], abs=1e-3)


def test_every_change_keeps_the_hand_and_its_box():
    """A white square on black: it is where the new box says, and what lies outside is another picture."""
    images, boxes = torch.zeros(2, 3, 96, 96, dtype=torch.uint8), torch.tensor([[0.25, 0.5, 0.5, 0.75]]).repeat(2, 1)
    images[:, :, 48:72, 24:48] = 255
    for title, change in asl_domain.CHANGES.items():
        changed, places = change(images, boxes)
        assert changed.dtype == torch.uint8
        left, top, right, bottom = (places[0] * changed.shape[-1]).round().int().tolist()
        middle = changed[0, :, top + 3 : bottom - 3, left + 3 : right - 3]
        assert middle.float().mean() > 240, title
        assert changed[0, :, : max(1, top - 6)].float().mean() < 200, title
    _, places = asl_domain.squeezed(images, boxes)
    torch.testing.assert_close(places[0], torch.tensor([0.3125, 0.5, 0.5, 0.75]))
    near, _ = asl_domain.grey_behind(images, boxes)
    assert (near[0, :, 0, 0] == 127).all()


def test_letters_gained_count_a_photo_once():
    right, before = torch.tensor([1.0, 1, 1, 0, 1]), torch.tensor([0.0, 0, 0, 0, 1])
    mean, low, high = asl_domain.gained(right, before, ["a", "a", "a", "b", "c"])
    assert mean == pytest.approx(1 / 3, abs=1e-4)  # of three photos one was gained, three copies or not
    assert low < 0 < high


def test_neighbours_are_looked_up_in_train_and_its_mirror_images(signs, monkeypatch):
    valid = load(signs, "valid")
    true = "".join(LETTERS[label] for label in valid.labels.tolist())
    photos = {"true": true, "single look": {"letters": "A" * 26}}
    file = signs.parent / "book" / "results" / "asl_reach.json"
    file.parent.mkdir(parents=True)
    size = asl_reach.RUN.image_size
    rows = [{"image_size": wide, "photos": photos} for wide in (size // 2, size, size)]
    said = {"data": identity(signs), "rows": rows}
    file.write_text(json.dumps(said))

    def of_letters(images):  # a ruler that says nothing but how bright a picture is
        return torch.nn.functional.normalize(images.float().mean((2, 3)), dim=1)

    monkeypatch.setattr(asl_neighbours, "features", of_letters)
    content = whole(asl_neighbours.record, signs)
    train = load(signs, "train")
    known = of_letters(asl_neighbours.hands(train, train.boxes))
    mine = of_letters(asl_neighbours.hands(valid, valid.boxes))
    for i, photo in enumerate(content["photos"]):
        assert photo["right"] == (2 if true[i] == "A" else 0)
        assert photo["other_letter"] != photo["letter"] == true[i]
        near = mine[i] @ known.T
        assert photo["own"] == pytest.approx(near[train.labels == valid.labels[i]].max().item(), abs=2e-3)
    said["rows"][0]["photos"]["true"] = "A" * 26
    file.write_text(json.dumps(said))
    with pytest.raises(InputError, match="asl_reach was recorded on other photos"):
        asl_neighbours.record(signs)

"""The recorded run on the real photos, on rendered ones and on cases small enough to count by hand."""

import json
import os
from pathlib import Path

import pytest
import torch

from tests.data.exports.sample import write_export
from vitcourse import results
from vitcourse.data.asl import Copy, load, synthesise
from vitcourse.errors import InputError
from vitcourse.recipes.asl_data import asl_data

DATA = Path(os.environ.get("VITCOURSE_DATA", "")) / "asl-letters"


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_thumbnails_know_no_light_and_no_contrast():
    image = noise(3, 24, 36) * 20 + 120
    first, second = asl_data.thumbnails([image, image * 0.5 + 30])
    torch.testing.assert_close(first, second)
    assert first.shape == (asl_data.SIDE, asl_data.SIDE)
    assert first.mean().abs() < 1e-6
    assert first.norm() == pytest.approx(1)


def test_a_mirrored_image_is_found():
    small = asl_data.thumbnails(noise(5, 3, 24, 24))
    found = asl_data.alike(small, small[2:].flip(-1))
    assert found.shape == (5, 3)
    assert found.argmax(dim=0).tolist() == [2, 3, 4]
    torch.testing.assert_close(found[2:].diag(), torch.ones(3))


def test_the_neighbour_gives_its_label():
    right = asl_data.right_by_neighbour(
        torch.tensor([[0.9, 0.1], [0.2, 0.3]]), torch.tensor([7, 8]), torch.tensor([7, 7])
    )
    assert right.tolist() == [True, False]


def test_copies_help_where_images_are_divided_and_not_where_photos_are():
    """Photos of noise, three copies of each: whoever knows a copy knows the label, nobody else can."""
    photos, letters = noise(78, 3, 24, 24), torch.arange(78) % 26
    small = asl_data.thumbnails(photos.repeat_interleave(3, dim=0) + 0.1 * noise(234, 3, 24, 24, seed=1))
    files = [f"{letters[i]}{i}_jpg.rf.{k}.jpg" for i in range(78) for k in range(3)]
    for seed in range(3):
        found = asl_data.two_splits(small, letters.repeat_interleave(3), files, seed)
        assert found["by_image"] > 0.85
        assert found["by_photo"] < 0.3


def test_too_few_photos_to_hold_any_out():
    with pytest.raises(InputError, match="too few photos of each letter"):
        asl_data.two_splits(noise(4, 12, 12), torch.arange(4), ["a.jpg", "b.jpg", "c.jpg", "d.jpg"], 0)


def test_what_a_blind_answer_reaches(tmp_path):
    whole, half = (0, 0, 40, 32), (0, 0, 20, 32)
    write_export(tmp_path, [("a.jpg", "B", whole), ("b.jpg", "C", whole)])
    write_export(tmp_path, [("c.jpg", "B", whole), ("d.jpg", "D", half), ("e.jpg", "D", half)], split="valid")
    found = asl_data.blind(load(tmp_path, "train"), load(tmp_path, "valid"))
    assert found["letters"] == ["B", "C"]
    assert found["accuracy"] == [0.3333, 0]
    assert found["box"] == [0, 0, 1, 1]
    assert (found["mean_iou"], found["iou50"], found["iou75"]) == (0.6667, 1, 0.3333)


def test_twins_are_counted_once_and_by_the_nearest():
    copies = [Copy("b", "x", 0.93, True), Copy("a", "x", 0.82, False), Copy("a", "y", 0.8, False)]
    found = asl_data.twins(copies, ["x", "y", "z"])
    assert {least: seen.tolist() for least, seen in found.items()} == {
        "0.8": [True, True, False],
        "0.85": [True, False, False],
        "0.9": [True, False, False],
        "0.95": [False, False, False],
    }


def test_rounding_is_measured_in_pixels(tmp_path):
    dataset = load(write_export(tmp_path / "csv", [("a.jpg", "A", (4, 8, 20, 24))]), "train")
    (tmp_path / "labels" / "train").mkdir(parents=True)
    # One side of the exact box, the right one, lies at 20.4 in place of 20.
    line = f"0 {(4 + 20.4) / 2 / 40} 0.5 {16.4 / 40} 0.5"
    (tmp_path / "labels" / "train" / "a.txt").write_text(line)
    found = asl_data.rounding([dataset], tmp_path / "labels")
    assert found["images"] == 1
    assert found["most_pixels"] == pytest.approx(0.4)
    assert found["mean_iou"] == found["least_iou"] == pytest.approx(16 / 16.4, abs=1e-4)


def test_the_run_is_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    synthesise(tmp_path / "signs", train=78, valid=26, test=0, size=32)
    with pytest.raises(InputError, match="--data"):
        asl_data.record(None)
    said = []
    content = json.loads(asl_data.record(tmp_path / "signs", said.append).read_text())
    assert content["data"]["name"] == "an export that the course does not know"
    assert content["card"]["train"] == {
        "images": 78,
        "photos": 78,
        "letters": [3] * 26,
        "square": True,
        "widths": [32, 32, 1],
    }
    assert [row["seed"] for row in content["neighbour"]["rows"]] == list(asl_data.SEEDS)
    assert "rounding" not in content
    assert len(said) == 3
    assert set(content["twins"]) == {"0.8", "0.85", "0.9", "0.95"}


@pytest.mark.skipif(not DATA.is_dir(), reason="no real photos: VITCOURSE_DATA names no folder with asl-letters")
def test_what_is_recorded_is_what_the_photos_give():
    train, valid = load(DATA, "train"), load(DATA, "valid")
    recorded = results.load("asl_data")
    assert recorded["blind"] == asl_data.blind(train, valid)
    assert recorded["card"] == {"train": asl_data.card(train), "valid": asl_data.card(valid)}
    assert recorded["data"]["name"].startswith("American Sign Language Letters")

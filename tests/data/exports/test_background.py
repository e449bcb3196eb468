"""Photos without a box: all of them counted and the first named, or left out and said so."""

import json
import warnings

import pytest
from PIL import Image

from tests.data.exports.sample import FORMS, ROWS, VOC, refused, write_export
from vitcourse.data.asl import DataNote, load
from vitcourse.data.exports.coco import NAME as COCO_NAME
from vitcourse.data.exports.csv_form import NAME as CSV_NAME
from vitcourse.errors import InputError

NAMES = [f"bare{i:02}.jpg" for i in range(12)]


def with_background(root, form, names, listed):
    """An export with photos that have no box; ``listed``: the annotations name them."""
    write_export(root, form=form)
    train = root / "train"
    images = train / "images" if form == "yolo" else train
    for name in names:
        Image.new("RGB", (40, 32)).save(images / name)
        if listed and form == "yolo":
            (train / "labels" / name).with_suffix(".txt").write_text("\n")
        elif listed and form == "voc":
            document = VOC.format(name=name, width=40, height=32, objects="")
            (train / name).with_suffix(".xml").write_text(document)
        elif listed and form == "csv":
            with (train / CSV_NAME).open("a") as file:
                file.write(f"{name},40,32,,,,,\n")
    if listed and form == "coco":
        content = json.loads((train / COCO_NAME).read_text())
        content["images"] += [
            {"id": 100 + i, "file_name": name, "width": 40, "height": 32} for i, name in enumerate(names)
        ]
        (train / COCO_NAME).write_text(json.dumps(content))
    return root


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("count", [1, 5, 12])
def test_all_photos_without_a_box_are_counted_and_five_named(tmp_path, form, listed, count):
    root = with_background(tmp_path, form, NAMES[:count], listed)
    error = refused(root)
    named = ", ".join(NAMES[: min(count, 5)]) + (" and 7 more" if count == 12 else "")
    counted = f"{count} photos have no box" if count > 1 else "1 photo has no box"
    assert f"{counted} ({named}); one box an image is expected" in str(error)
    assert "background skip leaves such photos out" in str(error)
    assert error.file == root / "train"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("listed", [False, True])
def test_they_can_be_skipped_and_it_is_said_once(tmp_path, form, listed):
    root = with_background(tmp_path, form, NAMES, listed)
    with pytest.warns(DataNote) as notes:
        dataset = load(root, "train", background="skip")
    assert [len(dataset), dataset.labels.tolist()] == [len(ROWS), [0, 25]]
    (note,) = notes
    named = ", ".join(NAMES[:5])
    assert str(note.message) == f"{root / 'train'}: 12 photos have no box ({named} and 7 more) and are skipped"
    assert note.filename == __file__


@pytest.mark.parametrize("form", FORMS)
def test_without_such_photos_skipping_changes_nothing(tmp_path, form):
    root = write_export(tmp_path, form=form)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load(root, "train", background="skip").files == load(root, "train").files


@pytest.mark.parametrize("form", FORMS)
def test_a_set_of_nothing_else_is_refused_all_the_same(tmp_path, form):
    root = with_background(tmp_path, form, NAMES[:2], listed=True)
    train = root / "train"
    if form == "csv":
        lines = (train / CSV_NAME).read_text().splitlines()
        (train / CSV_NAME).write_text("\n".join([lines[0], *lines[3:]]))
    elif form == "coco":
        content = json.loads((train / COCO_NAME).read_text())
        (train / COCO_NAME).write_text(json.dumps(content | {"images": content["images"][2:], "annotations": []}))
    for file in train.rglob("*"):
        if file.stem in ("A1", "Z1"):
            file.unlink()
    with pytest.raises(ValueError, match=rf"2 photos have no box \({', '.join(NAMES[:2])}\), and no other is there"):
        load(root, "train", background="skip")


@pytest.mark.parametrize("form", FORMS)
def test_a_fault_is_no_background(tmp_path, form):
    """What is skipped has no label at all: a damaged label, or one whose photo is missing, stays an error."""
    root = with_background(tmp_path, form, NAMES, listed=True)
    next(root.rglob("Z1.jpg")).unlink()
    with pytest.raises(ValueError, match=r"the image Z1(.jpg)? is missing"):
        load(root, "train", background="skip")


@pytest.mark.parametrize("form", ["csv", "coco", "voc"])
def test_a_photo_that_is_listed_without_a_box_must_be_there(tmp_path, form):
    root = with_background(tmp_path, form, NAMES[:2], listed=True)
    (root / "train" / NAMES[1]).unlink()
    assert f"the image {NAMES[1]} is missing" in str(refused(root))


@pytest.mark.parametrize("form", ["csv", "coco", "voc"])
def test_a_photo_of_another_suffix_that_is_listed_counts(tmp_path, form):
    root = with_background(tmp_path, form, NAMES[:1], listed=True)
    (root / "train" / NAMES[0]).rename(root / "train" / "bare.dat")
    for file in (root / "train").iterdir():
        if file.suffix in (".csv", ".json", ".xml"):
            file.write_text(file.read_text().replace(NAMES[0], "bare.dat"))
    assert "1 photo has no box (bare.dat)" in str(refused(root))


@pytest.mark.parametrize("background", ["keep", "", None, "SKIP"])
def test_another_choice_is_refused(tmp_path, background):
    with pytest.raises(InputError, match=r"background must be one of refuse, skip, got"):
        load(write_export(tmp_path), "train", background=background)

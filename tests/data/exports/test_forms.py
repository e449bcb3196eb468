"""One result whatever the form of an export; boxes of one set in two forms agree to half a pixel."""

import os
import shutil
from pathlib import Path

import pytest
import torch

from tests.data.exports.sample import FORMS, data_yaml, refused, write_export
from vitcourse.data.asl import load, synthesise
from vitcourse.data.exports.roboflow import CSV_NAME, Record, read_split
from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError

# In the order of their hashes, which is neither that of the rows nor that of the names.
MIXED = [
    ("B7_jpg.rf.9f.jpg", "B", (1, 2, 30, 31)),
    ("A1_jpg.rf.c0.jpg", "A", (4, 6, 20, 30)),
    ("Z1_jpg.rf.0a.jpg", "Z", (0, 0, 40, 32)),
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_result(tmp_path, form):
    dataset = load(write_export(tmp_path, MIXED, form=form), "train")
    assert [Path(file).name for file in dataset.files] == [MIXED[2][0], MIXED[0][0], MIXED[1][0]]
    assert dataset.labels.tolist() == [25, 1, 0]
    pixels = dataset.boxes * torch.tensor([40, 32, 40, 32])
    torch.testing.assert_close(pixels, torch.tensor([[0, 0, 40, 32], [1, 2, 30, 31], [4, 6, 20, 30.0]]))
    item = dataset[0]
    assert item["image"].shape == (3, 32, 40)
    assert (item["label"], item["box"].tolist()) == (25, [0, 0, 1, 1])


def test_roboflows_own_samples_give_one_box(tmp_path):
    """The same box on roboflow.com/formats: 178,84,230,143 in the CSV form, 179,85,231,144 in the VOC form."""
    boxes = []
    for form in ("csv", "voc"):  # the typed VOC form adds 1, as the sample does
        (record,) = read_split(
            write_export(tmp_path / form, [("1.jpg", "H", (178, 84, 230, 143))], "train", (500, 375), form), "train"
        )
        boxes.append(record.box)
    assert "<xmin>179</xmin>" in (tmp_path / "voc" / "train" / "1.xml").read_text()
    assert boxes[0] == boxes[1] == (178 / 500, 84 / 375, 230 / 500, 143 / 375)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("named", "asked"), [("val", "valid"), ("valid", "val")])
def test_valid_may_be_called_val(tmp_path, form, named, asked):
    assert len(load(write_export(tmp_path, split=named, form=form), asked)) == 2


def test_a_split_is_a_name_in_the_folder(tmp_path):
    write_export(tmp_path / "a")
    (tmp_path / "a" / "b").mkdir()
    assert "no split '../train' in it" in str(refused(tmp_path / "a" / "b", "../train"))


@pytest.mark.parametrize("form", FORMS)
def test_a_box_may_leave_the_image_by_a_pixel_of_rounding(tmp_path, form):
    out = (-1, -0.5, 41, 33)
    (record,) = read_split(write_export(tmp_path, [("B1.jpg", "B", out)], form=form), "train")
    assert record.box == (0, 0, 1, 1)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("box", "words"),
    [
        ((4, 6, 42, 30), "leaves the image: xmax 42 > width 40"),
        ((4, -3, 20, 30), "leaves the image: ymin -3 < 0"),
        ((20, 6, 4, 30), "inverted or empty: xmin 20 is not below xmax 4"),
        ((4, 30, 20, 30), "inverted or empty: ymin 30 is not below ymax 30"),
    ],
)
def test_a_box_that_cannot_be_is_named_in_every_form(tmp_path, form, box, words):
    error = refused(write_export(tmp_path, [("A1.jpg", "A", box)], form=form))
    assert words in str(error)
    assert error.row is not None or "annotation 50" in str(error)


@pytest.mark.parametrize("form", FORMS)
def test_an_image_without_a_box_is_named_in_every_form(tmp_path, form):
    root = write_export(tmp_path, form=form)
    folder = root / "train" / "images" if form == "yolo" else root / "train"
    shutil.copy(folder / "A1.jpg", folder / "B1.jpg")
    assert "B1" in str(refused(root))
    (folder / "B1.jpg").rename(folder / "._B1.jpg")  # what macOS leaves beside a file
    assert len(load(root, "train")) == 2


@pytest.mark.parametrize("form", FORMS)
def test_an_image_that_is_missing_is_named_in_every_form(tmp_path, form):
    root = write_export(tmp_path, form=form)
    next((root / "train").rglob("Z1.jpg")).unlink()
    message = str(refused(root))
    assert "Z1" in message
    assert "is missing" in message


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.98])
def test_a_truncated_image_is_named_in_every_form(tmp_path, form, keep):
    root = write_export(tmp_path, form=form)
    image = next((root / "train").rglob("Z1.jpg"))
    whole = image.read_bytes()
    image.write_bytes(whole[: int(len(whole) * keep)])
    assert "Z1.jpg is " in str(refused(root))


@pytest.mark.parametrize("form", FORMS)
def test_an_empty_split_is_named_in_every_form(tmp_path, form):
    assert "test" in str(refused(write_export(tmp_path, [], "test", form=form), "test"))


def test_two_forms_in_one_folder_are_refused(tmp_path):
    root = write_export(tmp_path)
    (root / "train" / "A1.xml").write_text("<annotation/>")
    assert "several forms (csv, voc)" in str(refused(root))


def test_a_folder_without_annotations_is_named(tmp_path):
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "A1.jpg").write_bytes(b"")
    message = str(refused(tmp_path))
    for word in (CSV_NAME, "_annotations.coco.json", "labels", "XML"):
        assert word in message


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """The same rendered set in every form."""
    root = tmp_path_factory.mktemp("rendered")
    for form in FORMS:
        synthesise(root / form, train=52, valid=26, test=0, size=40, seed=5, form=form)
    return root


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("split", ["train", "valid"])
def test_rendered_sets_agree_to_half_a_pixel(rendered, form, split):
    exact, other = load(rendered / "yolo", split), load(rendered / form, split)
    assert [Path(f).name for f in exact.files] == [Path(f).name for f in other.files]
    assert torch.equal(exact.labels, other.labels)
    apart = ((exact.boxes - other.boxes) * 40).abs().max().item()
    assert apart <= 0.5 + 1e-4
    # Rounded forms are rounded, the others are not.
    assert apart > 0.4 if form in ("csv", "voc") else apart < 1e-3
    assert torch.equal(exact[3]["image"], other[3]["image"])


def test_rounding_is_to_the_nearest_pixel_halves_outwards():
    record = Record(Path("A1.jpg"), 10, 10, 0, (0.25, 0.17, 0.55, 0.84))
    assert record.whole_pixels() == (2, 2, 6, 8)
    noisy = Record(Path("A1.jpg"), 40, 40, 0, tuple(torch.tensor([0.3, 0.7, 0.9, 0.9]).tolist()))
    assert noisy.whole_pixels() == (12, 28, 36, 36)


def test_rendered_layouts_are_those_of_exports(rendered):
    assert {form: sorted(p.name for p in (rendered / form).iterdir()) for form in FORMS} == {
        form: sorted(["README.dataset.txt", *(["data.yaml"] if form == "yolo" else []), "test", "train", "valid"])
        for form in FORMS
    }
    assert (rendered / "yolo" / "data.yaml").read_text().endswith(f"nc: 26\nnames: {list(LETTERS)}\n")
    assert len(list((rendered / "yolo" / "train" / "labels").glob("*.txt"))) == 52
    assert len(list((rendered / "voc" / "train").glob("*.xml"))) == 52
    assert 'form="voc"' in (rendered / "voc" / "README.dataset.txt").read_text()


def test_an_unknown_form_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(InputError, match="one of csv, coco, yolo, voc, got 'tfrecord'"):
        synthesise(tmp_path / "set", train=1, valid=0, test=0, size=32, form="tfrecord")
    assert list(tmp_path.iterdir()) == []


REAL = Path(os.environ.get("VITCOURSE_DATA", "nowhere"))


@pytest.mark.skipif("VITCOURSE_DATA" not in os.environ, reason="VITCOURSE_DATA does not point at the real photos")
@pytest.mark.parametrize("split", ["train", "valid"])
def test_the_real_labels_in_two_forms_agree_to_half_a_pixel(tmp_path, split):
    (tmp_path / split / "labels").mkdir(parents=True)
    for file in (REAL / "asl-letters-yolo-labels" / split).glob("*.txt"):
        shutil.copy(file, tmp_path / split / "labels")
    (tmp_path / split / "images").mkdir()
    for file in (REAL / "asl-letters" / split).glob("*.jpg"):
        (tmp_path / split / "images" / file.name).symlink_to(file.resolve())
    (tmp_path / "data.yaml").write_text(data_yaml())
    rounded, exact = load(REAL / "asl-letters", split), load(tmp_path, split)
    assert [Path(f).name for f in rounded.files] == [Path(f).name for f in exact.files]
    assert torch.equal(rounded.labels, exact.labels)
    sizes = torch.tensor([[r.width, r.height] * 2 for r in exact.records])
    apart = ((rounded.boxes - exact.boxes) * sizes).abs().max().item()
    assert 0.49 < apart <= 0.5 + 1e-3

"""Exports that hold, and the one line that each broken one gives."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.exports.sample import loads, refused
from vitcourse.data.asl import load
from vitcourse.data.exports.roboflow import CSV_NAME, read_split
from vitcourse.errors import DataError

LINES = ["filename,width,height,class,xmin,ymin,xmax,ymax", "A1.jpg,40,32,A,4,6,20,30", "Z1.jpg,40,32,Z,0,0,40,32"]


def rewrite(root: Path, *lines: str) -> Path:
    file = root / "train" / CSV_NAME
    file.write_text("\n".join(lines) + "\n")
    return file


def test_records_are_in_fractions_and_in_order(export):
    first, second = read_split(export(), "train")
    assert (first.file.name, first.label, first.width, first.height) == ("A1.jpg", 0, 40, 32)
    assert first.box == pytest.approx((4 / 40, 6 / 32, 20 / 40, 30 / 32))
    assert (second.label, second.box) == (25, (0, 0, 1, 1))  # a box that touches every edge is legal


def test_a_pixel_outside_is_clipped(export):
    (record,) = read_split(export([("B1.jpg", "B", (-1, -0.5, 41, 33))]), "train")
    assert record.box == (0, 0, 1, 1)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("missing.jpg,40,32,A,4,6,20,30", "the image missing.jpg is missing"),
        ("A1.jpg,40,32,A,4,6,42,30", "the box leaves the image: xmax 42 > width 40"),
        ("A1.jpg,40,32,A,-3,6,20,30", "the box leaves the image: xmin -3 < 0"),
        ("A1.jpg,40,32,A,4,6,20,33.5", "the box leaves the image: ymax 33.5 > height 32"),
        ("A1.jpg,40,32,A,20,6,4,30", "inverted or empty: xmin 20 is not below xmax 4"),
        ("A1.jpg,40,32,A,4,30,20,30", "inverted or empty: ymin 30 is not below ymax 30"),
        ("A1.jpg,40,32,A,nan,6,20,30", "xmin must be a number, got 'nan'"),
        ("A1.jpg,40,32,A,4,6,inf,30", "xmax must be a number, got 'inf'"),
        ("A1.jpg,40,32,A,4,six,20,30", "ymin must be a number, got 'six'"),
        ("A1.jpg,40,32,A,4,6,2_0,30", "xmax must be a number, got '2_0'"),
        ("A1.jpg,40,32,A,4,６,20,30", "ymin must be a number, got '６'"),
        (f"{'x' * 300}.jpg,40,32,A,4,6,20,30", "xxx… is missing"),
        ("A1.jpg,40,32,a,4,6,20,30", "unknown letter 'a'"),
        ("A1.jpg,40,32,AB,4,6,20,30", "unknown letter 'AB'"),
        ("A1.jpg,40,32,,4,6,20,30", "unknown letter ''"),
        ("A1.jpg,0,32,A,4,6,20,30", "width must be a whole number of pixels above 0, got '0'"),
        ("A1.jpg,40,3.25e1,A,4,6,20,30", "height must be a whole number of pixels above 0, got '3.25e1'"),
        ("A1.jpg,44,32,A,4,6,20,30", "A1.jpg has 40 x 32 pixels, the annotation says 44 x 32"),
        ("A1.jpg,40,32,A,4,6,20", "8 values are expected, got 7"),
        (f"A1.jpg,{'9' * 400},32,A,4,6,20,30", "width must be a whole number of pixels above 0, got '9999"),
        ("..,40,32,A,4,6,20,30", "'..' is not the plain name of a file"),
        ("..\\A1.jpg,40,32,A,4,6,20,30", "is not the plain name of a file"),
        ("../train/A1.jpg,40,32,A,4,6,20,30", "'../train/A1.jpg' is not the plain name of a file"),
        ("Z1.jpg,40,32,Z,0,0,40,32", "already has a box in row 3"),
    ],
)
def test_a_bad_row_is_named(export, row, words):
    file = rewrite(export(), LINES[0], *([row, LINES[2]] if "already" not in words else [LINES[1], LINES[2], row]))
    with pytest.raises(DataError) as caught:
        load(file.parents[1], "train")
    error = caught.value
    assert words in str(error)
    assert (error.file, error.row) == (file, 4 if "already" in words else 2)
    assert str(error).startswith(f"{file}, row {error.row}: ")
    assert "\n" not in str(error)


def test_a_name_of_two_lines_is_named_in_one(export):
    root = export()
    rewrite(root, LINES[0], '"A\n1.jpg",40,32,A,4,6,20,30')
    error = refused(root)
    assert "'A\\n1.jpg' is not the plain name of a file" in str(error)
    assert error.row == 3  # where the row ends


def test_an_image_outside_the_split_is_refused(export, tmp_path):
    root = export()
    outside = tmp_path / "export" / "A1.jpg"
    outside.write_bytes((root / "train" / "A1.jpg").read_bytes())
    rewrite(root, LINES[0], "../A1.jpg,40,32,A,4,6,20,30")
    with pytest.raises(DataError, match="is not the plain name"):
        load(root, "train")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (LINES[0].encode() + b"\n", "a header but no row"),
        (b"file,width\n", "the header must be filename,width"),
        (b"\xff\xfe\x00", "it is not a CSV file in UTF-8"),
        (b"a\nb\n", "the header must be filename,width"),
        (b'"' + b"x" * 200_000, "row 1: it is not a CSV file"),
    ],
)
def test_a_bad_annotation_file_is_named(export, content, words):
    root = export()
    (root / "train" / CSV_NAME).write_bytes(content)
    with pytest.raises(DataError, match=words):
        load(root, "train")


def test_missing_folders_and_files_are_named(export, tmp_path):
    with pytest.raises(DataError, match=r"nowhere: there is no such folder"):
        load(tmp_path / "nowhere", "train")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: there is no split 'train' in it \(found: no folder\)"):
        load(tmp_path / "empty", "train")
    root = export()
    with pytest.raises(DataError, match=r"no split 'valid' in it \(found: train\)"):
        load(root, "valid")
    with pytest.raises(DataError, match=r"no split '\.\.' in it"):
        load(root / "train", "..")
    (root / "train" / CSV_NAME).unlink()
    with pytest.raises(DataError, match=f"train: there is no {CSV_NAME} in it"):
        load(root, "train")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.98])
def test_a_truncated_image_is_named_before_anything_is_used(export, keep):
    root = export()
    image = root / "train" / "Z1.jpg"
    whole = image.read_bytes()
    image.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(DataError, match=r"row 3: Z1.jpg is (truncated|not an image)"):
        load(root, "train")


def test_what_a_camera_writes_behind_the_end_is_no_fault(export):
    root = export()
    image = root / "train" / "Z1.jpg"
    image.write_bytes(image.read_bytes() + bytes(500))
    assert len(load(root, "train")) == 2


def test_a_byte_order_mark_is_no_fault(export):
    root = export()
    file = root / "train" / CSV_NAME
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert len(load(root, "train")) == 2


NUMBERS = st.one_of(
    st.integers(-100, 100).map(str), st.floats().map(str), st.sampled_from(["", "x", "1e999", "-0", "٣"]), st.text()
)


CORNERS = st.tuples(st.integers(0, 25), st.integers(0, 20), st.integers(20, 41), st.integers(15, 33))
ROW = st.one_of(
    CORNERS.map(lambda values: ["A1.jpg", "40", "32", "A", *map(str, values)]),
    st.lists(NUMBERS, min_size=3, max_size=5).map(lambda values: ["A1.jpg", "40", "32", "B", *values]),
    st.lists(NUMBERS, max_size=9),
    st.tuples(NUMBERS, NUMBERS).map(lambda size: ["A1.jpg", *size, "A", "1", "2", "3", "4"]),
)


def test_any_row_loads_whole_or_is_named(export):
    """Whatever stands in a row: records whose boxes lie in the image, or a DataError of one line."""
    root, outcomes = export(), []

    @settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(row=ROW, cut=st.none() | st.integers(0, 90))
    def change(row, cut):
        text = "\n".join([LINES[0], LINES[2], ",".join(row)])
        (root / "train" / CSV_NAME).write_text(text[:cut], encoding="utf-8", errors="replace")
        outcomes.append(loads(root, 2))

    change()
    assert len(outcomes) >= 150
    assert set(outcomes) == {True, False}


@pytest.mark.skipif("VITCOURSE_DATA" not in os.environ, reason="VITCOURSE_DATA does not point at the real photos")
def test_the_real_export_loads():
    root = Path(os.environ["VITCOURSE_DATA"]) / "asl-letters"
    train, valid = load(root, "train"), load(root, "valid")
    assert (len(train), len(valid)) == (1512, 144)
    touching = [r for d in (train, valid) for r in d.records if min(r.box[:2]) == 0 or max(r.box[2:]) == 1]
    assert len(touching) == 109

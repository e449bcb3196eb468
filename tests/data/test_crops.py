"""Faces cut out of photos: with a detector that is a stand-in, and with the real one where it is installed."""

import sys

import pytest
import torch
from PIL import Image

from vitcourse.data.crops import crop_faces, dlib_detector, find_faces, square
from vitcourse.data.images import decode
from vitcourse.errors import DataError, InputError

FACE = (200, 0, 0)


def photo(file, *places, size=(80, 60), upright=True):
    """A grey photo with a red block at each place (left, top, side), whose uppermost row is white."""
    image = Image.new("RGB", size, (90, 90, 90))
    for left, top, side in places:
        image.paste(FACE, (left, top, left + side, top + side))
        image.paste((255, 255, 255), (left, top, left + side, top + 1))
    file.parent.mkdir(parents=True, exist_ok=True)
    (image if upright else image.transpose(Image.Transpose.ROTATE_270)).save(file)
    return file


def red_blocks(image):
    """Stands for the detector: finds the red blocks, if they are upright."""
    red = (image[0] > 150) & (image[1] < 50)
    boxes = []
    for columns in _runs(red.any(0)):
        rows = red[:, columns[0] : columns[1]].any(1).nonzero()[:, 0]
        top, bottom = int(rows[0]) - 1, int(rows[-1]) + 1
        if top >= 0 and image[1, top, columns[0]] > 200:
            boxes.append((columns[0], top, columns[1], bottom))
    return boxes


def _runs(line):
    padded = torch.cat([torch.tensor([False]), line, torch.tensor([False])]).int().diff()
    return list(zip(padded.eq(1).nonzero()[:, 0].tolist(), padded.eq(-1).nonzero()[:, 0].tolist(), strict=True))


def test_a_crop_is_a_square_around_the_face(tmp_path):
    image = decode(photo(tmp_path / "a.png", (30, 20, 20)))
    cut = square(image, (30, 20, 50, 40), 160)
    assert (cut.shape, cut.dtype) == ((3, 160, 160), torch.uint8)
    red = (cut[0] > 150) & (cut[1] < 50)
    assert red.any(0).sum() == pytest.approx(160 / 1.35, abs=8)
    at_the_edge = square(image, (-5, -5, 15, 15), 32)
    assert (at_the_edge[:, 0, 0] == 90).all()  # the photo's edge goes on, nothing black


@pytest.mark.parametrize("turned", [0, 1, 2, 3])
def test_a_photo_on_its_side_is_turned_upright(tmp_path, turned):
    image = decode(photo(tmp_path / "a.png", (30, 20, 20)))
    upright, boxes, quarter = find_faces(image.rot90(-turned, (1, 2)), red_blocks)
    assert (quarter, boxes) == (turned, [(30, 20, 50, 40)])
    assert torch.equal(upright, image)


def test_each_photo_is_told_of_by_name(tmp_path):
    source, out = tmp_path / "photos", tmp_path / "faces"
    photo(source / "Zoë" / "1.jpg.png", (30, 20, 20))
    photo(source / "Zoë" / "2.png", (5, 20, 10), (40, 20, 25))
    photo(source / "none.png")
    photo(source / "side.png", (30, 20, 20), upright=False)
    (source / "text.jpg").write_text("hello")
    (source / "notes.txt").write_text("hello")
    told = {one.file.relative_to(source).as_posix(): one for one in crop_faces(source, out, red_blocks)}
    assert {name: one.note for name, one in told.items()} == {
        "Zoë/1.jpg.png": "",
        "Zoë/2.png": "2 faces are found in it, left out",
        "none.png": "no face is found in it",
        "side.png": "it lies on its side or head, and was turned by 90 degrees",
        "text.jpg": told["text.jpg"].problem,
    }
    assert "cannot be decoded" in told["text.jpg"].problem
    assert sorted(file.relative_to(out).as_posix() for file in out.rglob("*.*")) == ["Zoë/1.jpg.png", "side.png"]
    assert {Image.open(file).size for file in out.rglob("*.png")} == {(160, 160)}


def test_of_several_faces_the_largest_or_all_are_taken(tmp_path):
    source = tmp_path / "photos"
    photo(source / "2.png", (5, 20, 10), (40, 20, 25))
    photo(source / "2.bmp", (5, 20, 10))
    for several, names in (("largest", ["2.png", "2_png.png"]), ("all", ["2-2.png", "2.png", "2_png.png"])):
        out = tmp_path / several
        told = crop_faces(source, out, red_blocks, 32, several)
        assert sorted(file.name for file in out.iterdir()) == names
        assert sum(one.written for one in told) == len(names)
    assert told[1].note == "2 faces are found in it, all are taken"


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ("missing", DataError, "no such folder"),
        ("empty", DataError, "no photos"),
        ("several", InputError, "several must be one of"),
        ("used", InputError, "not an empty folder"),
        ("faceless", DataError, "no face to crop in 1 photos"),
        ("within", InputError, "lies within"),
    ],
)
def test_what_cannot_be_cropped_is_told_at_once(tmp_path, change, error, words):
    source, out = tmp_path / "photos", tmp_path / "out"
    photo(source / "a.png", (30, 20, 20))
    (tmp_path / "empty").mkdir()
    photo(tmp_path / "faceless" / "a.png")
    places = {
        "faceless": (tmp_path / "faceless", out),
        "missing": (tmp_path / "none", out),
        "empty": (tmp_path / "empty", out),
        "used": (source, tmp_path),
    }
    given = places.get(change, (source, source / "out" if change == "within" else out))
    with pytest.raises(error, match=words):
        crop_faces(*given, red_blocks, several="some" if change == "several" else "skip")
    assert not out.exists()


def test_without_dlib_the_command_says_what_to_install(tmp_path, monkeypatch, command):
    monkeypatch.setitem(sys.modules, "dlib", None)
    photo(tmp_path / "photos" / "a.png", (30, 20, 20))
    status, _, error = command("crop", "faces", tmp_path / "photos", tmp_path / "out")
    assert (status, len(error.strip().splitlines())) == (2, 1)
    assert "pip install dlib-bin" in error


def test_the_command_crops_and_tells(tmp_path, monkeypatch, command):
    monkeypatch.setattr("vitcourse.data.crops.dlib_detector", lambda: red_blocks)
    source, out = tmp_path / "photos", tmp_path / "out"
    photo(source / "a.png", (30, 20, 20))
    photo(source / "b.png")
    status, printed, _ = command("crop", "faces", source, out, "--size", 64)
    assert status == 0
    assert f"{source / 'b.png'}: no face is found in it" in printed
    assert f"wrote 1 faces from 2 photos to {out}" in printed
    assert Image.open(out / "a.png").size == (64, 64)
    (source / "a.png").unlink()
    status, _, error = command("crop", "faces", source, tmp_path / "other")
    assert (status, "no face to crop in 1 photos" in error) == (2, True)


def test_the_real_detector_finds_rendered_faces(tmp_path):
    pytest.importorskip("dlib", reason="dlib is not installed; it is an optional extra")
    from vitcourse.heads import render

    detect = dlib_detector()
    wide = torch.full((3, 300, 400), 150, dtype=torch.uint8)
    wide[:, 60:220, 100:260] = render(torch.tensor([1]), seed=0, size=160, plain=True)[0]
    _, boxes, turned = find_faces(wide.rot90(-1, (1, 2)), detect)
    assert (len(boxes), turned) == (1, 1)
    left, top, right, bottom = boxes[0]
    assert 100 < left < right < 260
    assert 60 < top < bottom < 230

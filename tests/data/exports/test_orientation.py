"""Photos that a camera stored lying down: upright, with their boxes, whatever reads them."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from tests.data.exports.sample import FORMS, refused, write_export
from vitcourse.data.asl import decode, load
from vitcourse.data.images import SUFFIXES, check_image, measure
from vitcourse.errors import DataError

HEIGHT, WIDTH = 32, 48
BOX = (6, 4, 18, 28)  # where the hand is, in the upright photo
# What a camera stores of an upright picture: EXIF 2.32, 4.6.4, the tag Orientation.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}
FORMATS = {".jpg": "JPEG", ".png": "PNG", ".tif": "TIFF", ".webp": "WEBP", ".avif": "AVIF"}


def scene(height=HEIGHT, width=WIDTH) -> np.ndarray:
    """A white hand on black, as the photo is seen; no turn or mirror leaves it as it is."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    return pixels


def store(file, pixels, orientation, form=None):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if file.suffix == ".webp" else {"quality": 95}
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, form or FORMATS[file.suffix], exif=exif, **options)


def hand(image: torch.Tensor) -> list[int]:
    """The extent of what is white, xyxy."""
    rows, columns = (image.float().mean(0) > 128).nonzero().unbind(1)
    return [columns.min().item(), rows.min().item(), columns.max().item() + 1, rows.max().item() + 1]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("orientation", STORED)
def test_a_photo_is_upright_when_decoded_and_when_measured(tmp_path, suffix, orientation):
    file = tmp_path / f"a{suffix}"
    store(file, STORED[orientation](scene()), orientation)
    assert measure(file) == (WIDTH, HEIGHT)
    image = decode(file)
    assert image.shape == (3, HEIGHT, WIDTH)
    assert (image.float() - torch.from_numpy(scene()).permute(2, 0, 1)).abs().mean() < 4
    assert image.is_contiguous()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", STORED)
def test_photo_and_box_are_in_one_frame_in_every_form(tmp_path, form, orientation):
    """Labels drawn on the photo as seen, which is the size that an export states."""
    root = write_export(tmp_path, [("A1.jpg", "A", BOX)], size=(WIDTH, HEIGHT), form=form)
    store(next(root.rglob("A1.jpg")), STORED[orientation](scene()), orientation)
    item = load(root, "train")[0]
    assert item["image"].shape == (3, HEIGHT, WIDTH)
    assert hand(item["image"]) == list(BOX)
    assert (item["box"] * torch.tensor([WIDTH, HEIGHT] * 2)).tolist() == pytest.approx(BOX, abs=1e-4)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("orientation", STORED)
def test_a_square_photo_counts_as_labelled_as_it_is_seen(tmp_path, form, orientation):
    root = write_export(tmp_path, [("A1.jpg", "A", BOX)], size=(48, 48), form=form)
    store(next(root.rglob("A1.jpg")), STORED[orientation](scene(48, 48)), orientation)
    item = load(root, "train")[0]
    assert hand(item["image"]) == list(BOX)
    assert (item["box"] * 48).tolist() == pytest.approx(BOX, abs=1e-4)


@pytest.mark.parametrize("form", ["csv", "coco", "voc"])
@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("box", [BOX, (6, 4, 18, 45)])  # the second fits the stored size only
def test_a_size_before_the_turn_is_one_line_that_says_orientation(tmp_path, form, orientation, box):
    root = write_export(tmp_path, [("A1.jpg", "A", box)], size=(HEIGHT, WIDTH), form=form)
    store(next(root.rglob("A1.jpg")), STORED[orientation](scene()), orientation)
    error = refused(root)
    has = f"A1.jpg has 48 x 32 pixels when it is upright, turned by its EXIF orientation {orientation}"
    assert f"{has}; the annotation says 32 x 48" in str(error)
    assert error.row is not None or "image 0, annotation 50" in str(error)


@pytest.mark.parametrize("form", ["csv", "coco", "voc"])
def test_a_box_before_the_turn_is_one_line_that_says_orientation(tmp_path, form):
    """The size is the upright one, the box is not."""
    root = write_export(tmp_path, [("A1.jpg", "A", (6, 4, 18, 45))], size=(WIDTH, HEIGHT), form=form)
    store(next(root.rglob("A1.jpg")), STORED[6](scene()), 6)
    message = str(refused(root))
    assert "the box leaves the image: ymax 45 > height 32" in message
    assert "it lies in the photo before EXIF orientation 6 turns it upright" in message
    store(next(root.rglob("A1.jpg")), scene(), 1)
    assert "orientation" not in str(refused(root))


@pytest.mark.parametrize("orientation", [0, 1, 9, 65535])
def test_an_orientation_that_says_nothing_turns_nothing(tmp_path, orientation):
    store(tmp_path / "a.jpg", scene(), orientation)
    assert hand(decode(tmp_path / "a.jpg")) == list(BOX)
    assert check_image(tmp_path / "a.jpg", WIDTH, HEIGHT) == 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff", b"Exif\0\0 not EXIF at all", b"x"]
)
def test_damaged_exif_is_no_fault(tmp_path, exif):
    Image.fromarray(scene()).save(tmp_path / "a.jpg", exif=exif)
    assert measure(tmp_path / "a.jpg") == (WIDTH, HEIGHT)
    assert hand(decode(tmp_path / "a.jpg")) == list(BOX)


def test_another_entry_that_is_damaged_does_not_hide_the_orientation(tmp_path):
    """An orientation of 6, then an offset that leads nowhere."""
    entries = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack(">HHII", 0x8769, 4, 1, 2**31)
    exif = b"Exif\0\0MM\0\x2a\0\0\0\x08" + struct.pack(">H", 2) + entries + bytes(4)
    Image.fromarray(np.ascontiguousarray(STORED[6](scene()))).save(tmp_path / "a.jpg", exif=exif)
    assert measure(tmp_path / "a.jpg") == (WIDTH, HEIGHT)
    assert hand(decode(tmp_path / "a.jpg")) == list(BOX)


def test_a_png_may_note_it_behind_the_pixels(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    note = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(note) - 4) + note + struct.pack(">I", zlib.crc32(note))
    file = tmp_path / "a.png"
    Image.fromarray(np.ascontiguousarray(STORED[6](scene()))).save(file)
    whole = file.read_bytes()
    file.write_bytes(whole[:-12] + chunk + whole[-12:])  # before IEND
    assert measure(file) == (WIDTH, HEIGHT)
    assert hand(decode(file)) == list(BOX)


def test_the_first_of_several_pictures_counts(tmp_path):
    exif, first = Image.Exif(), Image.fromarray(np.ascontiguousarray(STORED[8](scene())))
    exif[0x0112] = 8
    for name in ("a.tif", "a.mpo"):
        first.save(tmp_path / name, save_all=True, append_images=[Image.new("RGB", (9, 9))], exif=exif)
        assert measure(tmp_path / name) == (WIDTH, HEIGHT), name
        assert hand(decode(tmp_path / name)) == list(BOX), name


def test_a_file_that_is_no_photo_is_named_with_what_could_be(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(DataError, match=r"a.heic: the image cannot be decoded \(it is none of JPEG, PNG, WEBP"):
        decode(tmp_path / "a.heic")
    with pytest.raises(DataError, match=r"no.jpg: the image cannot be decoded \(No such file or directory\)$"):
        decode(tmp_path / "no.jpg")


def test_the_suffixes_are_those_of_photos():
    assert {".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".pgm", ".ppm"} <= SUFFIXES
    assert not {".eps", ".ps", ".pdf", ".wmf", ".txt", ".xml"} & SUFFIXES

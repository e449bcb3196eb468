"""Image files that are no images, or that would fill the memory."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from tests.data.exports.sample import loads, refused, write_export
from vitcourse.data.asl import decode
from vitcourse.data.images import MAX_PIXELS, measure
from vitcourse.errors import DataError


def png(width: int, height: int, text: bytes = b"") -> bytes:
    """A PNG of a few bytes that declares any size, with a compressed text."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    notes = chunk(b"zTXt", b"note\0\0" + zlib.compress(text)) if text else b""
    pixels = chunk(b"IDAT", zlib.compress(bytes(99)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + notes + pixels + chunk(b"IEND", b"")


# The middle one lies where Pillow itself only warns.
BOMBS = [(50_000, 50_000), (10_000, 9_500), (2**31 - 1, 2**31 - 1)]


@pytest.mark.parametrize("size", BOMBS)
@pytest.mark.parametrize("form", ["csv", "coco", "yolo", "voc"])
@pytest.mark.filterwarnings("error")
def test_an_image_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch, form, size):
    root = write_export(tmp_path, form=form)
    next((root / "train").rglob("A1.jpg")).write_bytes(png(*size))
    decoded = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", decoded.append)
    message = str(refused(root))
    assert "A1.jpg declares" in message
    assert f"more than {MAX_PIXELS:,}" in message
    assert decoded == []


@pytest.mark.parametrize("size", BOMBS)
def test_decoding_refuses_a_bomb_too(tmp_path, size):
    (tmp_path / "bomb.png").write_bytes(png(*size))
    with pytest.raises(DataError, match=r"bomb.png: the image cannot be decoded \(declares"):
        decode(tmp_path / "bomb.png")


def test_the_largest_image_that_is_allowed_is_measured(tmp_path):
    (tmp_path / "large.png").write_bytes(png(10_000, MAX_PIXELS // 10_000))
    assert measure(tmp_path / "large.png") == (10_000, MAX_PIXELS // 10_000)


def test_a_text_that_unpacks_to_much_is_refused(tmp_path):
    """Pillow's own error for it does not say which file."""
    root = write_export(tmp_path)
    (root / "train" / "A1.jpg").write_bytes(png(40, 32, bytes(50_000_000)))
    assert "A1.jpg is not an image that can be read" in str(refused(root))


def test_a_program_in_an_image_is_not_run(tmp_path):
    """An EPS is a program for another program, which Pillow would start."""
    stream = io.BytesIO()
    Image.new("RGB", (40, 32)).save(stream, "EPS")
    root = write_export(tmp_path)
    (root / "train" / "A1.jpg").write_bytes(stream.getvalue())
    assert "A1.jpg is not an image that can be read" in str(refused(root))


def test_an_image_of_sixteen_bits_is_refused(tmp_path):
    """Pillow would clip it: nearly all of it to white."""
    file = tmp_path / "deep.png"
    Image.fromarray(np.arange(1024, dtype=np.uint16).reshape(32, 32) * 64).save(file)
    for look in (decode, measure):
        with pytest.raises((DataError, ValueError), match="more than 8 bits a channel"):
            look(file)


@pytest.mark.parametrize(("suffix", "form"), [("bmp", "BMP"), ("gif", "GIF"), ("tiff", "TIFF")])
def test_what_was_cut_off_is_named_in_any_form(tmp_path, suffix, form):
    file = tmp_path / f"a.{suffix}"
    Image.effect_noise((40, 30), 90).convert("RGB").save(file)
    assert measure(file) == (40, 30)
    file.write_bytes(file.read_bytes()[: int(0.6 * file.stat().st_size)])
    with pytest.raises(ValueError, match=f"truncated: the end of the {form}|not an image that can be read"):
        measure(file)


def test_a_folder_with_an_images_name_is_named(tmp_path):
    root = write_export(tmp_path)
    (root / "train" / "A1.jpg").unlink()
    (root / "train" / "A1.jpg").mkdir()
    assert "the image A1.jpg is missing" in str(refused(root))


@pytest.mark.filterwarnings("ignore")  # Pillow's, about damaged TIFF
def test_any_bytes_are_an_image_or_are_named(tmp_path):
    """Damaged headers, cut files, text: the export loads and decodes, or one line says which image is at fault."""
    root, outcomes = write_export(tmp_path), []
    file = root / "train" / "A1.jpg"
    kinds = []
    for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"):
        stream = io.BytesIO()
        Image.effect_noise((40, 32), 50).convert("RGB").save(stream, kind)
        kinds.append(stream.getvalue())

    @settings(max_examples=300, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(
        whole=st.sampled_from(kinds),
        place=st.integers(0, 400),
        damage=st.binary(max_size=8),
        cut=st.none() | st.integers(0, 3000),
    )
    def change(whole, place, damage, cut):
        file.write_bytes((whole[:place] + damage + whole[place + len(damage) :])[:cut])
        outcomes.append(loads(root, 2))
        with contextlib.suppress(DataError):
            assert decode(file).shape[0] == 3

    change()
    assert set(outcomes) == {True, False}

"""Image files as they come: looked at before anything is decoded, then decoded to tensors.

A photo is what its viewers show: a camera that was held upright stores the pixels lying down and notes how to turn them
(the EXIF orientation, 1 to 8). `decode` turns them and `measure` counts them turned, so all that reads photos here,
for training, measuring or predicting, sees one and the same picture.

Pillow raises nearly any error on damaged or hostile bytes; from here it is always one of ours, with the reason.
"""

import contextlib
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image, UnidentifiedImageError
from torch import Tensor

from vitcourse.errors import DataError, one_line

# What Pillow may try: the forms that photos come in. None of them starts another program, as EPS would.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF")
# Several JPEGs in one file, as some cameras write them, are an MPO to Pillow, which opens it as a JPEG.
SUFFIXES = frozenset(end for end, form in Image.registered_extensions().items() if form in (*FORMATS, "MPO"))
MAX_PIXELS = 80_000_000  # a file of a few bytes may declare billions, which decoding would have to hold in memory
# What the end of a whole file holds; one that was cut off in a download lacks it.
END_MARKERS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}
# How each orientation is turned upright. ImageOps.exif_transpose does the same, but writes the whole of the EXIF anew,
# and fails where any other entry of it is damaged.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = frozenset({5, 6, 7, 8})  # orientations in which width and height change places
LATE = (b"eXIf", b"Raw profile type exif", b"com.adobe.xmp")  # parts of a PNG that may note an orientation
LATE_BYTES = 2**18


def decode(file: str | Path | BytesIO) -> Tensor:
    """One image file, or its bytes, as uint8 (3, height, width), turned upright as its camera has noted.

    Raises:
        DataError: the file cannot be decoded to the end, or declares more pixels than `MAX_PIXELS`.
    """
    try:
        with _opened(file) as image:
            image.load()
            turn = TURNS.get(_orientation(image))
            pixels = image.convert("RGB")
            pixels = np.array(pixels if turn is None else pixels.transpose(turn))
            return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
    except Exception as error:
        name = None if isinstance(file, BytesIO) else file
        raise DataError(f"the image cannot be decoded ({_reason(error)})", name) from error


def measure(file: Path) -> tuple[int, int]:
    """The width and height of an upright image in pixels, without decoding it, after a look whether it was cut off.

    Raises:
        ValueError: with the problem and the file's name.
    """
    return _measured(file)[0]


def check_image(file: Path, width: int, height: int) -> int:
    """Checks, without decoding it, that an image has the stated size when it is upright and was not cut off.

    Returns:
        Its orientation, 1 to 8.

    Raises:
        ValueError: with the problem and the file's name.
    """
    size, orientation = _measured(file)
    if size != (width, height):
        has = f"{file.name} has {size[0]} x {size[1]} pixels"
        if orientation in SIDEWAYS and size == (height, width):
            has += f" when it is upright, turned by its EXIF orientation {orientation}"
            raise ValueError(
                f"{has}; the annotation says {width} x {height}, as it is stored: draw boxes as it is seen"
            )
        raise ValueError(f"{has}, the annotation says {width} x {height}")
    return orientation


class UnusableImageError(ValueError):
    """An image declares more pixels than `MAX_PIXELS`, or its values are no bytes."""


def _measured(file: Path) -> tuple[tuple[int, int], int]:
    """The width and height of an upright image, and its orientation."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - LATE_BYTES))
            end = stream.read()
        with _opened(file) as image:
            size, kind = image.size, image.format
            if kind == "PNG" and any(part in end for part in LATE):  # it may stand behind the pixels
                with contextlib.suppress(Exception):
                    image.load()
            orientation = _orientation(image)
    except UnusableImageError as error:
        raise ValueError(f"{file.name} {error}") from error
    except Exception as error:
        known = isinstance(error, UnidentifiedImageError) or getattr(error, "strerror", None)
        reason = f" ({_reason(error)})" if known else ""
        raise ValueError(f"{file.name} is not an image that can be read{reason}") from error
    marker = END_MARKERS.get(kind)
    if (marker is None or marker not in end[-64:]) and not _decodes(file):  # a camera may write more behind the end
        raise ValueError(f"{file.name} is truncated: the end of the {kind} is missing")
    if orientation in SIDEWAYS and kind != "TIFF":  # Pillow itself turns a TIFF
        size = size[::-1]
    return size, orientation


def _orientation(image: Image.Image) -> int:
    """What an opened image notes of how it is to be turned, 1 to 8; 1 where it notes nothing that can be read."""
    try:
        noted = Image.Image.getexif(image).get(ExifTags.Base.Orientation)  # PNG's own getexif would decode it all
    except Exception:
        return 1
    return noted if isinstance(noted, int) and noted in TURNS else 1


def _reason(error: Exception) -> str:
    """Why Pillow could not decode a file, in our words where it has none that help."""
    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(FORMATS)}"
    return one_line(getattr(error, "strerror", None) or error)


@contextlib.contextmanager
def _opened(file: str | Path | BytesIO) -> Iterator[Image.Image]:
    with warnings.catch_warnings():
        # Pillow warns of large images, which are judged here, and of damaged notes beside the pixels, and goes on.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(file, formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise UnusableImageError(f"declares more than {MAX_PIXELS:,} pixels") from error
        with image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise UnusableImageError(f"declares {width} x {height} pixels, more than {MAX_PIXELS:,} in all")
            if image.mode.startswith(("I", "F")):  # Pillow would clip them to white
                raise UnusableImageError("has more than 8 bits a channel")
            yield image


def _decodes(file: Path) -> bool:
    try:
        with _opened(file) as image:
            image.load()
    except Exception:
        return False
    return True

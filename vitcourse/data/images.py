"""Image files as they come: looked at before anything is decoded, then decoded to tensors.

Pillow raises nearly any error on damaged or hostile bytes; from here it is always one of ours, with the reason.
"""

import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from vitcourse.errors import DataError, one_line

# What Pillow may try: the forms that photos come in. None of them starts another program, as EPS would.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})  # what Roboflow exports
MAX_PIXELS = 80_000_000  # a file of a few bytes may declare billions, which decoding would have to hold in memory
# What the end of a whole file holds; one that was cut off in a download lacks it.
END_MARKERS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}


def decode(file: str | Path, upright: bool = False) -> Tensor:
    """One image file as uint8 (3, height, width).

    Args:
        upright: turn a photo as its camera has noted; the boxes of an export refer to the pixels as they are stored.

    Raises:
        DataError: the file cannot be decoded to the end, or declares more pixels than `MAX_PIXELS`.
    """
    try:
        with _opened(file) as image:
            if upright:
                ImageOps.exif_transpose(image, in_place=True)
            return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).contiguous()
    except Exception as error:
        raise DataError(f"the image cannot be decoded ({one_line(error)})", file) from error


def measure(file: Path) -> tuple[int, int]:
    """The width and height of an image in pixels, without decoding it, after a look whether it was cut off.

    Raises:
        ValueError: with the problem and the file's name.
    """
    try:
        there = file.is_file()
    except OSError as error:
        raise ValueError(f"the image {file.name[:40]}… cannot be looked for ({error.strerror})") from error
    if not there:
        raise ValueError(f"the image {file.name} is missing")
    try:
        with _opened(file) as image:
            size, kind = image.size, image.format
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 64))
            end = stream.read()
    except UnusableImageError as error:
        raise ValueError(f"{file.name} {error}") from error
    except Exception as error:
        raise ValueError(f"{file.name} is not an image that can be read") from error
    marker = END_MARKERS.get(kind)
    if (marker is None or marker not in end) and not _decodes(file):  # a camera may write more behind the end
        raise ValueError(f"{file.name} is truncated: the end of the {kind} is missing")
    return size


def check_image(file: Path, width: int, height: int) -> None:
    """Checks, without decoding it, that an image is there, has the stated size and was not cut off.

    Raises:
        ValueError: with the problem and the file's name.
    """
    size = measure(file)
    if size != (width, height):
        raise ValueError(f"{file.name} has {size[0]} x {size[1]} pixels, the annotation says {width} x {height}")


class UnusableImageError(ValueError):
    """An image declares more pixels than `MAX_PIXELS`, or its values are no bytes."""


def _opened(file: str | Path) -> Image.Image:
    with warnings.catch_warnings():
        # Pillow warns of large images and goes on; the size is judged here.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = Image.open(file, formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise UnusableImageError(f"declares more than {MAX_PIXELS:,} pixels") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        image.close()
        raise UnusableImageError(f"declares {width} x {height} pixels, more than {MAX_PIXELS:,} in all")
    if image.mode.startswith(("I", "F")):  # Pillow would clip them to white
        image.close()
        raise UnusableImageError("has more than 8 bits a channel")
    return image


def _decodes(file: Path) -> bool:
    try:
        with _opened(file) as image:
            image.load()
    except Exception:
        return False
    return True

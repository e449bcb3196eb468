"""What every form of an export comes down to: records of one letter and one box, and the checks that all forms share.

The checks raise ValueError with the problem alone; the reader of a form adds the file and the row.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from reprlib import Repr
from typing import TypeVar

import numpy as np

from vitcourse.data.hand import LETTERS
from vitcourse.data.images import SUFFIXES, check_image
from vitcourse.errors import DataError

MAX_BYTES = 256 * 2**20  # of a file of annotations; real ones stay below 1 MB
CORNERS = ("xmin", "ymin", "xmax", "ymax")
OUTSIDE = 1 + 1e-6  # pixels that rounding may push a box out of its image, and the noise of fractions
Made = TypeVar("Made")
_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


@dataclass(frozen=True)
class Record:
    """One labelled image: its file, its size in pixels, the letter (0 to 25) and the box (xyxy, fractions)."""

    file: Path
    width: int
    height: int
    label: int
    box: tuple[float, float, float, float]

    def pixels(self) -> tuple[float, float, float, float]:
        """The box in pixels (xyxy), free of the noise of float32."""
        extents = (self.width, self.height) * 2
        return tuple(round(side * extent, 4) for side, extent in zip(self.box, extents, strict=True))

    def whole_pixels(self) -> tuple[int, int, int, int]:
        """The box rounded to whole pixels, halves outwards: no side moves by more than half a pixel."""
        xmin, ymin, xmax, ymax = self.pixels()
        low, high = (math.ceil(side - 0.5) for side in (xmin, ymin)), (math.floor(side + 0.5) for side in (xmax, ymax))
        return (*low, *high)


def read_text(file: Path, what: str, limit: int = MAX_BYTES) -> str:
    """The text of a file of annotations, in UTF-8 with or without a byte order mark.

    Args:
        what: the kind of file, for the message ("a CSV file").
        limit: the largest size, in bytes.

    Raises:
        DataError: the file is missing, too large, or no text in UTF-8.
    """
    if not file.is_file():
        raise DataError("there is no such file", file)
    try:
        if file.stat().st_size > limit:
            raise DataError(f"it has more than {limit:,} bytes, too many for {what} of an export", file)
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"it is not {what} in UTF-8 ({error})", file) from error
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror})", file) from error


def shown(value: object) -> str:
    """A value as a message names it: on one line, and cut where it is long."""
    return _SHORT.repr(value)


def plain_name(name: object) -> str:
    """The name of a file in the same folder. Raises ValueError where it could lead anywhere else."""
    if not isinstance(name, str) or not name.isprintable() or re.search(r"[/\\]", name) or name in ("", ".", ".."):
        raise ValueError(f"{shown(name)} is not the plain name of a file beside the annotations")
    return name


def letter(name: object) -> int:
    """0 to 25 for "A" to "Z". Raises ValueError for anything else, small letters included."""
    if not isinstance(name, str) or len(name) != 1 or name not in LETTERS:
        raise ValueError(f"unknown letter {shown(name)}; the classes are A to Z")
    return LETTERS.index(name)


def whole(key: str, value: object, least: int = 1) -> int:
    """A whole number from a text of digits or a JSON number. Raises ValueError."""
    digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
    result = int(value) if digits else value
    if isinstance(result, bool) or not isinstance(result, int) or not least <= result < 10**9:
        kind = " of pixels above 0" if least else " from 0"
        raise ValueError(f"{key} must be a whole number{kind}, got {shown(value)}")
    return result


def number(key: str, value: object) -> float:
    """A finite number from a text or a JSON number. Raises ValueError."""
    plain = not isinstance(value, str) or (value.isascii() and "_" not in value)  # Python reads more than files hold
    try:
        usable = plain and isinstance(value, str | int | float) and not isinstance(value, bool)
        result = float(value) if usable else math.nan
    except (ValueError, OverflowError):
        result = math.nan
    if not math.isfinite(result):
        raise ValueError(f"{key} must be a number, got {shown(value)}")
    return result


def record(file: Path, width: int, height: int, label: int, corners: tuple[float, ...], look: bool = True) -> Record:
    """A record, checked: the box (xyxy, in pixels) against the image's size, and the image itself.

    A box that leaves the image by up to a pixel, as rounding may make it do, is clipped.

    Args:
        look: check that the image is there and as large as stated; a form that has no size to state has looked before.

    Raises:
        ValueError: with the problem.
    """
    xmin, ymin, xmax, ymax = corners
    left, right = _side("x", xmin, xmax, "width", width)
    top, bottom = _side("y", ymin, ymax, "height", height)
    if look:
        check_image(file, width, height)
    return Record(file, width, height, label, (left, top, right, bottom))


def _side(axis: str, low: float, high: float, extent_name: str, extent: int) -> tuple[float, float]:
    """One axis of a box, in fractions, after the checks that name the axis."""
    if low < -OUTSIDE or high > extent + OUTSIDE:
        culprit = f"{axis}min {low:g} < 0" if low < -OUTSIDE else f"{axis}max {high:g} > {extent_name} {extent}"
        raise ValueError(f"the box leaves the image: {culprit}")
    low, high = max(low, 0.0), min(high, float(extent))
    if np.float32(low / extent) >= np.float32(high / extent):  # the boxes of a data set are float32
        raise ValueError(f"the box is inverted or empty: {axis}min {low:g} is not below {axis}max {high:g}")
    return low / extent, high / extent


def located(make: Callable[[], Made], file: Path, row: int | None = None, where: str = "") -> Made:
    """What ``make`` gives; its ValueError becomes a DataError that names file, row and, in ``where``, the entry."""
    try:
        return make()
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{where}{error}", file, row) from error


def listed(folder: Path, suffixes: frozenset[str] = SUFFIXES) -> list[Path]:
    """The files of a folder with such suffixes (images), by name; hidden ones, which some systems leave, do not count.

    Raises:
        DataError: a name that cannot be printed on one line.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.name[0] != ".")
    for file in files:
        if not file.name.isprintable():
            raise DataError(f"the name {shown(file.name)} cannot be printed", folder)
    return files


def in_order(records: list[Record], folder: Path) -> list[Record]:
    """The records in the order that every form shares: by the hash in Roboflow's file names, then by name.

    Sorted by name alone, all pictures of A would come first.

    Raises:
        DataError: an image of the folder has no record.
    """
    named = {record.file for record in records}
    for image in listed(folder):
        if image not in named:
            raise DataError("no annotation names this image; one box an image is expected", image)
    return sorted(records, key=lambda record: (record.file.name.partition(".rf.")[2], record.file.name))

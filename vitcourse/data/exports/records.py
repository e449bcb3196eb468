"""What every form of an export comes down to: records of one letter and one box, and the checks that all forms share.

The checks raise ValueError with the problem alone; the reader of a form adds the file and the row.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from vitcourse.data.exports.names import Photos
from vitcourse.data.images import SIDEWAYS, check_image
from vitcourse.errors import MOST, DataError, shown, some

MAX_BYTES = 256 * 2**20  # of a file of annotations; real ones stay below 1 MB
CORNERS = ("xmin", "ymin", "xmax", "ymax")
OUTSIDE = 1 + 1e-6  # pixels that rounding may push a box out of its image, and the noise of fractions
Made = TypeVar("Made")


@dataclass(frozen=True)
class Record:
    """One labelled image: its file, its size in pixels, the letter (0 to 25) and the box (xyxy, fractions).

    Size and box are those of the upright image. The box of an ``outline`` was made here, around a polygon.
    """

    file: Path
    width: int
    height: int
    label: int
    box: tuple[float, float, float, float]
    outline: bool = False

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
        raise DataError(f"it is not {what} in UTF-8 (byte {error.start + 1} is none of it)", file) from error
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror})", file) from error


def whole(key: str, value: object, least: int = 1) -> int:
    """A whole number from a text or a JSON number, however it is written: 416, 416.0, 4.16e2. Raises ValueError."""
    try:
        result = number(key, value)
    except ValueError:
        result = math.nan
    if not (least <= result < 10**9 and result.is_integer()):
        kind = " of pixels above 0" if least else " from 0"
        raise ValueError(f"{key} must be a whole number{kind}, got {shown(value)}")
    return int(result)


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


def record(
    file: Path,
    width: int,
    height: int,
    label: int,
    corners: tuple[float, ...],
    look: bool = True,
    outline: bool = False,
) -> Record:
    """A record, checked: the box (xyxy, in pixels) against the image's size, and the image itself.

    A box that leaves the image by up to a pixel, as rounding may make it do, is clipped.

    Args:
        look: check that the image is as large as stated; a form that has no size to state has looked before.
        outline: the box is the one around a polygon.

    Raises:
        ValueError: with the problem.
    """
    orientation = check_image(file, width, height) if look else 1
    try:
        return Record(file, width, height, label, _fractions(corners, width, height), outline)
    except ValueError as error:
        if orientation in SIDEWAYS and _holds(corners, height, width):
            turned = f"in the photo before EXIF orientation {orientation} turns it upright"
            raise ValueError(f"{error}; it lies {turned}: draw boxes on the photo as it is seen") from error
        raise


def around(points: list[float]) -> tuple[float, float, float, float]:
    """The box (xyxy) that encloses the points x, y, x, y, … of a polygon. Raises ValueError if they are no three."""
    if len(points) < 6 or len(points) % 2:
        raise ValueError(f"a polygon has three points or more, an x and a y each; got {len(points)} numbers")
    return min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2])


def _holds(corners: tuple[float, ...], width: int, height: int) -> bool:
    try:
        return bool(_fractions(corners, width, height))
    except ValueError:
        return False


def _fractions(corners: tuple[float, ...], width: int, height: int) -> tuple[float, float, float, float]:
    """A box in pixels (xyxy) in fractions of an image, checked."""
    xmin, ymin, xmax, ymax = corners
    left, right = _side("x", xmin, xmax, "width", width)
    top, bottom = _side("y", ymin, ymax, "height", height)
    return left, top, right, bottom


def _side(axis: str, low: float, high: float, extent_name: str, extent: int) -> tuple[float, float]:
    """One axis of a box, in fractions, after the checks that name the axis."""
    if low < -OUTSIDE or high > extent + OUTSIDE:
        culprit = f"{axis}min {low:g} < 0" if low < -OUTSIDE else f"{axis}max {high:g} > {extent_name} {extent}"
        raise ValueError(f"the box leaves the image: {culprit}")
    low, high = max(low, 0.0), min(high, float(extent))
    with np.errstate(over="ignore"):
        empty = np.float32(low / extent) >= np.float32(high / extent)  # the boxes of a data set are float32
    if empty:
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


def gathered(makers: Iterable[tuple[str, Callable[[], Made]]]) -> list[Made]:
    """What each of the makers gives. If several fail, the first is told in full, and where the others are.

    Args:
        makers: each with the place that it reads, such as "row 3".

    Raises:
        DataError: of the first that failed, with the places of the others.
    """
    made, faults = [], []
    for place, make in makers:
        try:
            made.append(make())
        except DataError as error:
            faults.append((place, error))
    if not faults:
        return made
    (_, first), *others = faults
    if not others:
        raise first
    problem = f"{first.problem}; there are faults in {some((place for place, _ in others), MOST - 1)} as well"
    raise DataError(problem, first.file, first.row) from first


def complete(records: list[Record], bare: Iterable[Path], photos: Photos) -> tuple[list[Record], list[Path]]:
    """All of one split: its records, and the photos without a box.

    The records are in the order that every form shares: by the hash in Roboflow's file names, then by name. Sorted by
    name alone, all pictures of A would come first.

    Args:
        bare: photos that the annotations name without a box; those that they do not name are found here.
    """
    named = {record.file for record in records}
    bare = {*bare, *photos.files} - named
    return sorted(records, key=lambda record: (record.file.name.partition(".rf.")[2], record.file.name)), sorted(bare)

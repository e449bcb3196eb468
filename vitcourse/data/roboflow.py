"""Reading a Roboflow export of one labelled box an image, and saying exactly what is wrong with one.

A split is read and checked whole before anything is used: the error names the file and the row. Boxes become xyxy in
fractions of the image, edges included: xmax equal to the width is legal, and a box that rounding has pushed out by up
to a pixel is clipped.
"""

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from vitcourse.data.hand import LETTERS
from vitcourse.errors import DataError

CSV_NAME = "_annotations.csv"
CSV_HEADER = ["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"]
# What the end of a whole file holds; one that was cut off in a download lacks it.
END_MARKERS = {"JPEG": b"\xff\xd9", "PNG": b"IEND"}


@dataclass(frozen=True)
class Record:
    """One labelled image: its file, its size in pixels, the letter (0 to 25) and the box (xyxy, fractions)."""

    file: Path
    width: int
    height: int
    label: int
    box: tuple[float, float, float, float]


def read_split(root: str | Path, split: str) -> list[Record]:
    """All records of one split of the export in ``root``, in the order of its annotation file.

    Raises:
        DataError: the folder, the split or its annotations are missing or empty, or a row does not hold.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError("there is no such folder", root)
    folder = root / split
    if not folder.is_dir():
        found = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
        raise DataError(f"there is no split {split!r} in it (found: {', '.join(found) or 'no folder'})", root)
    annotations = folder / CSV_NAME
    if not annotations.is_file():
        raise DataError(f"there is no {CSV_NAME} in it", folder)
    return read_csv(annotations)


def read_csv(annotations: Path) -> list[Record]:
    """The records of one ``_annotations.csv``; the images lie beside it.

    Raises:
        DataError: naming the file and the row.
    """
    try:
        with annotations.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            # line_num is the line an editor shows, also where a quoted field spans several.
            rows = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"it is not a CSV file in UTF-8 ({error})", annotations) from error
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror})", annotations) from error
    if not rows:
        raise DataError("it is empty", annotations)
    number, header = rows[0]
    if header != CSV_HEADER:
        raise DataError(f"the header must be {','.join(CSV_HEADER)}, got {','.join(header)}", annotations, number)
    if len(rows) == 1:
        raise DataError("it has a header but no row", annotations)
    records, seen = [], {}
    for number, row in rows[1:]:
        try:
            record = _record(row, annotations.parent)
        except ValueError as error:
            raise DataError(str(error), annotations, number) from error
        if record.file in seen:
            raise DataError(
                f"{record.file.name} already has a box in row {seen[record.file]}; one box an image is expected",
                annotations,
                number,
            )
        seen[record.file] = number
        records.append(record)
    return records


def _record(row: list[str], folder: Path) -> Record:
    """One row, checked. Raises ValueError with the problem alone; the caller adds file and row."""
    if len(row) != len(CSV_HEADER):
        raise ValueError(f"{len(CSV_HEADER)} values are expected, got {len(row)}")
    name, width, height, letter, *corners = row
    width, height = (_pixels(axis, text) for axis, text in (("width", width), ("height", height)))
    if letter not in LETTERS or len(letter) != 1:
        raise ValueError(f"unknown letter {letter!r}; the classes are A to Z")
    xmin, ymin, xmax, ymax = (_number(key, text) for key, text in zip(CSV_HEADER[4:], corners, strict=True))
    box = (*_side("x", xmin, xmax, "width", width), *_side("y", ymin, ymax, "height", height))
    if Path(name).name != name:
        raise ValueError(f"{name!r} is not the plain name of a file beside the annotations")
    file = folder / name
    check_image(file, width, height)
    return Record(file, width, height, LETTERS.index(letter), (box[0], box[2], box[1], box[3]))


def _pixels(key: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise ValueError(f"{key} must be a whole number of pixels above 0, got {text!r}")
    return int(text)


def _number(key: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{key} must be a number, got {text!r}")
    return number


def _side(axis: str, low: float, high: float, extent_name: str, extent: int) -> tuple[float, float]:
    """One axis of a box, in fractions, after the checks that name the axis."""
    if low < -1 or high > extent + 1:
        culprit = f"{axis}min {low:g} < 0" if low < -1 else f"{axis}max {high:g} > {extent_name} {extent}"
        raise ValueError(f"the box leaves the image: {culprit}")
    low, high = max(low, 0.0), min(high, float(extent))
    if low >= high:
        raise ValueError(f"the box is inverted or empty: {axis}min {low:g} is not below {axis}max {high:g}")
    return low / extent, high / extent


def check_image(file: Path, width: int, height: int) -> None:
    """Checks, without decoding it, that an image is there, has the stated size and was not cut off.

    Raises:
        ValueError: with the problem and the file's name.
    """
    try:
        with file.open("rb") as stream, Image.open(stream) as image:
            size, kind = image.size, image.format
            stream.seek(max(0, file.stat().st_size - 64))
            end = stream.read()
    except FileNotFoundError as error:
        raise ValueError(f"the image {file.name} is missing") from error
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{file.name} is not an image that can be read") from error
    if size != (width, height):
        raise ValueError(f"{file.name} has {size[0]} x {size[1]} pixels, the row says {width} x {height}")
    if END_MARKERS.get(kind, b"") not in end and not _decodes(file):  # a camera may write more behind the end
        raise ValueError(f"{file.name} is truncated: the end of the {kind} is missing")


def _decodes(file: Path) -> bool:
    try:
        with Image.open(file) as image:
            image.load()
    except (OSError, SyntaxError):
        return False
    return True

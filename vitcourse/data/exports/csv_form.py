"""The CSV form of an export: ``_annotations.csv`` beside the images, boxes in whole pixels.

Roboflow rounds each side to the nearest pixel; the YOLO form of the same set holds it unrounded.
"""

import csv
import io
from pathlib import Path

from vitcourse.data.exports.names import Photos, plain_name
from vitcourse.data.exports.records import (
    CORNERS,
    Record,
    complete,
    gathered,
    located,
    number,
    read_text,
    record,
    whole,
)
from vitcourse.data.letters import LETTERS, letter
from vitcourse.errors import DataError, shown

NAME = "_annotations.csv"
HEADER = ["filename", "width", "height", "class", *CORNERS]
IMAGES = ""  # the folder of the images, inside a split's


def found(folder: Path) -> bool:
    """Whether a split's folder holds this form."""
    return (folder / NAME).is_file()


def read(folder: Path) -> tuple[list[Record], list[Path]]:
    """The records of one split, and its photos without a box: those that no row names, or one without class and box.

    Raises:
        DataError: naming the file and the row.
    """
    file = folder / NAME
    reader = csv.reader(io.StringIO(read_text(file, "a CSV file"), newline=""))
    try:
        # line_num is the line an editor shows, also where a quoted field spans several.
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"it is not a CSV file ({error})", file, reader.line_num) from error
    if not rows:
        raise DataError("it is empty", file)
    row, header = rows[0]
    if header != HEADER:
        raise DataError(f"the header must be {','.join(HEADER)}, got {shown(','.join(header))}", file, row)
    if len(rows) == 1:
        raise DataError("it has a header but no row", file)
    photos, seen = Photos(folder), {}

    def read_row(row: int, values: list[str]) -> Record | Path:
        made = located(lambda: _record(values, photos), file, row)
        if isinstance(made, Record):
            if made.file in seen:
                earlier = f"{made.file.name} already has a box in row {seen[made.file]}"
                raise DataError(f"{earlier}; one box an image is expected", file, row)
            seen[made.file] = row
        return made

    made = gathered((f"row {row}", lambda row=row, values=values: read_row(row, values)) for row, values in rows[1:])
    records = [entry for entry in made if isinstance(entry, Record)]
    return complete(records, (entry for entry in made if not isinstance(entry, Record)), photos)


def _record(values: list[str], photos: Photos) -> Record | Path:
    """The record of a row, or the photo that it names alone."""
    if len(values) != len(HEADER):
        raise ValueError(f"{len(HEADER)} values are expected, got {len(values)}")
    name, width, height, name_of_class, *corners = values
    if not any((name_of_class, *corners)):
        return photos.find(plain_name(name))
    width, height = whole("width", width), whole("height", height)
    label = letter(name_of_class)
    corners = tuple(number(key, text) for key, text in zip(CORNERS, corners, strict=True))
    return record(photos.find(plain_name(name)), width, height, label, corners)


def write(folder: Path, records: list[Record]) -> None:
    """Writes the annotations of a split whose images are written, boxes rounded to whole pixels."""
    rows = [(r.file.name, r.width, r.height, LETTERS[r.label], *r.whole_pixels()) for r in records]
    with (folder / NAME).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])

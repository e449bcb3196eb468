"""The CSV form of an export: ``_annotations.csv`` beside the images, boxes in whole pixels.

Roboflow rounds each side to the nearest pixel; the YOLO form of the same set holds it unrounded.
"""

import csv
import io
from pathlib import Path

from vitcourse.data.hand import LETTERS
from vitcourse.data.records import (
    CORNERS,
    Record,
    in_order,
    letter,
    located,
    number,
    plain_name,
    read_text,
    record,
    shown,
    whole,
)
from vitcourse.errors import DataError

NAME = "_annotations.csv"
HEADER = ["filename", "width", "height", "class", *CORNERS]
IMAGES = ""  # the folder of the images, inside a split's


def found(folder: Path) -> bool:
    """Whether a split's folder holds this form."""
    return (folder / NAME).is_file()


def read(folder: Path) -> list[Record]:
    """The records of one split.

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
    records, seen = [], {}
    for row, values in rows[1:]:
        made = located(lambda values=values: _record(values, folder), file, row)
        if made.file in seen:
            earlier = f"{made.file.name} already has a box in row {seen[made.file]}"
            raise DataError(f"{earlier}; one box an image is expected", file, row)
        seen[made.file] = row
        records.append(made)
    return in_order(records, folder)


def _record(values: list[str], folder: Path) -> Record:
    if len(values) != len(HEADER):
        raise ValueError(f"{len(HEADER)} values are expected, got {len(values)}")
    name, width, height, name_of_class, *corners = values
    width, height = whole("width", width), whole("height", height)
    label = letter(name_of_class)
    corners = tuple(number(key, text) for key, text in zip(CORNERS, corners, strict=True))
    return record(folder / plain_name(name), width, height, label, corners)


def write(folder: Path, records: list[Record]) -> None:
    """Writes the annotations of a split whose images are written, boxes rounded to whole pixels."""
    rows = [(r.file.name, r.width, r.height, LETTERS[r.label], *r.whole_pixels()) for r in records]
    with (folder / NAME).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *rows])

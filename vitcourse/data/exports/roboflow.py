"""Roboflow's exports of one labelled box an image, in any of four forms, read to the same records.

| form | where the annotations are | boxes |
|---|---|---|
| csv | ``_annotations.csv`` beside the images | rounded to whole pixels |
| coco | ``_annotations.coco.json`` beside the images | pixels, to a thousandth |
| yolo | ``labels/`` beside ``images/``, classes in ``data.yaml`` | fractions of the image, not rounded |
| voc | an XML file beside each image | rounded to whole pixels, counted from 1 |

So the boxes of one set in two forms agree to half a pixel, and all else is the same, the order of the images included.
A split is read and checked whole before anything is used: the error names the file and the row. Boxes become xyxy in
fractions of the image, edges included: xmax equal to the width is legal, and a box that rounding has pushed out by up
to a pixel is clipped. In every form an image has exactly one box: several are an error, and so are small letters. An
image with none is an error or is left out, as is asked. A list of classes may hold more than the letters and in any
order, as long as each box is one. Polygons become the boxes around them.

A photo is taken upright, as its EXIF orientation says and as viewers show it (see `vitcourse.data.images`), and its box
is in that picture: the size that CSV, COCO and VOC state must be the upright one, and the fractions of YOLO are of it.
A photo that only states the size before the turn is an error. Where both sizes are equal, as of a square photo or one
upside down, the files cannot tell, and the labels count as drawn on what is seen.

Files that are no labels are passed over: hidden ones, and texts and XML files that neither belong to a photo nor hold
a label. A label whose photo is missing is an error.
"""

import warnings
from pathlib import Path

from vitcourse.data.exports import coco, csv_form, voc, yolo
from vitcourse.data.exports.csv_form import NAME as CSV_NAME
from vitcourse.data.exports.names import listed
from vitcourse.data.exports.records import Record
from vitcourse.errors import DataError, InputError, some

__all__ = ["CSV_NAME", "FORMS", "DataNote", "Record", "form_of", "read_split", "split_folder"]

FORMS = {"csv": csv_form, "coco": coco, "yolo": yolo, "voc": voc}
OTHER_NAMES = {"valid": "val", "val": "valid"}  # of one split
BACKGROUND = ("refuse", "skip")


class DataNote(UserWarning):
    """What was left out or changed in reading a set, in one line."""


def read_split(root: str | Path, split: str, background: str = "refuse") -> list[Record]:
    """All records of one split of the export in ``root``, in an order that does not depend on the form.

    What was left out, and that polygons became boxes, is said once for the split, in a `DataNote` (a warning).

    Args:
        split: "train", "valid" (or "val", whichever of the two is there) or "test".
        background: what photos without a box are: "refuse" makes them an error, "skip" leaves them out.

    Raises:
        DataError: the folder, the split or its annotations are missing or empty, or a row does not hold.
        InputError: ``background`` is something else.
    """
    if background not in BACKGROUND:
        raise InputError(f"background must be one of {', '.join(BACKGROUND)}, got {background!r}")
    folder = Path(root)
    try:
        folder = split_folder(root, split)
        records, bare = FORMS[form_of(folder)].read(folder)
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror})", error.filename or folder) from error
    if bare:
        photos = f"{len(bare)} photos have no box" if len(bare) > 1 else "1 photo has no box"
        photos += f" ({some(photo.name for photo in bare)})"
        if background == "refuse":
            raise DataError(f"{photos}; one box an image is expected; background skip leaves such photos out", folder)
        if not records:
            raise DataError(f"{photos}, and no other is there", folder)
        _note(f"{folder}: {photos} and {'are' if len(bare) > 1 else 'is'} skipped")
    if outlines := sum(record.outline for record in records):
        _note(f"{folder}: {outlines} of {len(records)} labels are polygons; each became the box around it")
    return records


def _note(line: str) -> None:
    warnings.warn(line, DataNote, stacklevel=4)  # at the caller of data.asl.load


def split_folder(root: str | Path, split: str) -> Path:
    """The folder of one split.

    Raises:
        DataError: there is no such folder, or no such split in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError("there is no such folder", root)
    for name in (split, OTHER_NAMES.get(split)):
        if name and name != ".." and Path(name).name == name and (root / name).is_dir():
            return root / name
    found = sorted(
        path.name for path in root.iterdir() if path.is_dir() and path.name[0] != "." and path.name != "__MACOSX"
    )
    found.sort(key=lambda name: name.casefold() != split.casefold())  # what differs in case alone comes first
    raise DataError(f"there is no split {split!r} in it (found: {some(found) or 'no folder'})", root)


def form_of(folder: Path) -> str:
    """The form of the export that one split's folder holds: a key of `FORMS`.

    Raises:
        DataError: it holds none, or several.
    """
    forms = [name for name, form in FORMS.items() if form.found(folder)]
    if not forms:
        others = f"nor {coco.NAME}, nor {yolo.IMAGES}/ and {yolo.LABELS}/, nor an XML file for each image"
        like = some(file.name for file in listed(folder, frozenset({".csv", ".json", ".xml", ".txt"})))
        there = f" (what is there: {like})" if like else ""
        raise DataError(f"there is no {CSV_NAME} in it, {others}{there}", folder)
    if len(forms) > 1:
        raise DataError(f"it holds annotations in several forms ({', '.join(forms)}); one is expected", folder)
    return forms[0]

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
to a pixel is clipped. In every form each image has exactly one box: an image with none, or with several, is an error,
and so are small letters. A list of classes may hold more than the letters and in any order, as long as each box is one.
"""

from pathlib import Path

from vitcourse.data import coco, csv_form, voc, yolo
from vitcourse.data.csv_form import NAME as CSV_NAME
from vitcourse.data.records import Record
from vitcourse.errors import DataError

__all__ = ["CSV_NAME", "FORMS", "Record", "form_of", "read_split", "split_folder"]

FORMS = {"csv": csv_form, "coco": coco, "yolo": yolo, "voc": voc}
OTHER_NAMES = {"valid": "val", "val": "valid"}  # of one split


def read_split(root: str | Path, split: str) -> list[Record]:
    """All records of one split of the export in ``root``, in an order that does not depend on the form.

    Args:
        split: "train", "valid" (or "val", whichever of the two is there) or "test".

    Raises:
        DataError: the folder, the split or its annotations are missing or empty, or a row does not hold.
    """
    folder = Path(root)
    try:
        folder = split_folder(root, split)
        return FORMS[form_of(folder)].read(folder)
    except OSError as error:
        raise DataError(f"it cannot be read ({error.strerror})", error.filename or folder) from error


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
    found = sorted(path.name for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    raise DataError(f"there is no split {split!r} in it (found: {', '.join(found) or 'no folder'})", root)


def form_of(folder: Path) -> str:
    """The form of the export that one split's folder holds: a key of `FORMS`.

    Raises:
        DataError: it holds none, or several.
    """
    forms = [name for name, form in FORMS.items() if form.found(folder)]
    if not forms:
        others = f"nor {coco.NAME}, nor {yolo.IMAGES}/ and {yolo.LABELS}/, nor an XML file for each image"
        raise DataError(f"there is no {CSV_NAME} in it, {others}", folder)
    if len(forms) > 1:
        raise DataError(f"it holds annotations in several forms ({', '.join(forms)}); one is expected", folder)
    return forms[0]

"""The COCO form of an export: ``_annotations.coco.json`` beside the images, boxes as x, y, width, height in pixels.

Roboflow writes them to a thousandth of a pixel. Category 0 is the name of the whole set, which no box uses. Errors name
the id of the image or the annotation, because all of the file may be one line. A crowd is refused, and so is an image
with no box or with several: every form of an export is held to one box an image.
"""

import json
from pathlib import Path

from vitcourse.data.hand import LETTERS
from vitcourse.data.records import (
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

NAME = "_annotations.coco.json"
IMAGES = ""
SIDES = ("x", "y", "width", "height")


def found(folder: Path) -> bool:
    """Whether a split's folder holds this form."""
    return (folder / NAME).is_file()


def read(folder: Path) -> list[Record]:
    """The records of one split.

    Raises:
        DataError: naming the file and the image or annotation.
    """
    file = folder / NAME
    content = _parsed(file)
    categories = _by_id(content, "categories", file)
    images = _by_id(content, "images", file)
    annotations = _by_id(content, "annotations", file)
    if not images:
        raise DataError("it lists no image", file)
    boxes: dict[int, int] = {}  # image id -> annotation id
    for key, annotation in annotations.items():
        owner = annotation.get("image_id")
        where = f"annotation {key}"
        if not _is_id(owner) or owner not in images:
            raise DataError(f"{where}: there is no image with the id {shown(owner)}", file)
        if annotation.get("iscrowd", 0) not in (0, None):
            raise DataError(f"{where}: it is marked as a crowd; one box an image is expected (image {owner})", file)
        if owner in boxes:
            name = shown(images[owner].get("file_name"))
            both = f"annotations {boxes[owner]} and {key}"
            raise DataError(f"image {owner}, {name}, has two boxes, {both}; one box an image is expected", file)
        boxes[owner] = key
    records, seen = [], {}
    for key, image in images.items():
        if key not in boxes:
            name = shown(image.get("file_name"))
            raise DataError(f"image {key}, {name}, has no annotation; one box an image is expected", file)
        entry = annotations[boxes[key]]
        name, width, height = located(lambda image=image: _image(image), file, where=f"image {key}: ")
        if name in seen:
            raise DataError(f"image {key}: {name} is image {seen[name]} already", file)
        seen[name] = key
        label, corners = located(
            lambda entry=entry: _annotation(entry, categories), file, where=f"annotation {boxes[key]}: "
        )
        where = f"image {key}, annotation {boxes[key]}: "
        make = (folder / name, width, height, label, corners)
        records.append(located(lambda make=make: record(*make), file, where=where))
    return in_order(records, folder)


def _parsed(file: Path) -> dict:
    text = read_text(file, "a JSON file")
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"it is not whole JSON ({error.msg} at column {error.colno})", file, error.lineno) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets thousands deep
        raise DataError(
            "it is not JSON that an export holds: a number is too long or lists are too deep", file
        ) from error
    if not isinstance(content, dict):
        raise DataError(f"it must hold an object with images, annotations and categories, got {shown(content)}", file)
    return content


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _by_id(content: dict, key: str, file: Path) -> dict[int, dict]:
    """One of the three lists, by the id of its entries."""
    entries, result = content.get(key), {}
    if not isinstance(entries, list):
        raise DataError(f"{key} must be a list, got {shown(entries)}", file)
    for position, entry in enumerate(entries):
        where = f"{key}[{position}]"
        if not isinstance(entry, dict):
            raise DataError(f"{where} must be an object, got {shown(entry)}", file)
        own = entry.get("id")
        if not _is_id(own):
            raise DataError(f"{where} must have a whole number from 0 as its id, got {shown(own)}", file)
        if own in result:
            raise DataError(f"{where} has the id {shown(own)} of an earlier entry", file)
        result[own] = entry
    return result


def _image(image: dict) -> tuple[str, int, int]:
    name = plain_name(image.get("file_name"))
    return name, whole("width", image.get("width")), whole("height", image.get("height"))


def _annotation(annotation: dict, categories: dict[int, dict]) -> tuple[int, tuple[float, float, float, float]]:
    category, box = annotation.get("category_id"), annotation.get("bbox")
    if not _is_id(category) or category not in categories:
        raise ValueError(f"there is no category with the id {shown(category)}")
    label = letter(categories[category].get("name"))
    if not isinstance(box, list) or len(box) != len(SIDES):
        raise ValueError(f"bbox must be a list of x, y, width and height, got {shown(box)}")
    x, y, width, height = (number(f"bbox {side}", value) for side, value in zip(SIDES, box, strict=True))
    return label, (x, y, x + width, y + height)


def write(folder: Path, records: list[Record]) -> None:
    """Writes the annotations of a split whose images are written, boxes to a thousandth of a pixel."""
    images, annotations = [], []
    for key, made in enumerate(records):
        xmin, ymin, xmax, ymax = made.pixels()
        box = [round(side, 3) for side in (xmin, ymin, xmax - xmin, ymax - ymin)]
        size = {"height": made.height, "width": made.width}
        images.append({"id": key, "license": 1, "file_name": made.file.name, **size})
        entry = {"id": key, "image_id": key, "category_id": made.label + 1, "bbox": box}
        annotations.append(entry | {"area": round(box[2] * box[3], 3), "segmentation": [], "iscrowd": 0})
    categories = [{"id": 0, "name": "Letters", "supercategory": "none"}]
    categories += [{"id": i, "name": name, "supercategory": "Letters"} for i, name in enumerate(LETTERS, start=1)]
    content = {"info": {}, "licenses": [], "categories": categories, "images": images, "annotations": annotations}
    (folder / NAME).write_text(json.dumps(content), encoding="utf-8")

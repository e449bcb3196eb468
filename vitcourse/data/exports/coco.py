"""The COCO form of an export: ``_annotations.coco.json`` beside the images, boxes as x, y, width, height in pixels.

Roboflow writes them to a thousandth of a pixel. Category 0 is the name of the whole set, which no box uses. Errors name
the id of the image or the annotation (or its place in the list, where it has no id), because all of the file may be one
line. An annotation that has polygons and no box gets the box around them. A crowd is refused, and so is an image with
several boxes: every form of an export is held to one box an image.
"""

import json
from pathlib import Path

from vitcourse.data.exports.names import Photos, plain_name
from vitcourse.data.exports.records import (
    Record,
    around,
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

NAME = "_annotations.coco.json"
IMAGES = ""
SIDES = ("x", "y", "width", "height")


def found(folder: Path) -> bool:
    """Whether a split's folder holds this form."""
    return (folder / NAME).is_file()


def read(folder: Path) -> tuple[list[Record], list[Path]]:
    """The records of one split, and its photos without a box: without annotation, or not listed at all.

    Raises:
        DataError: naming the file and the image or annotation.
    """
    file = folder / NAME
    content = _parsed(file)
    categories = _by_id(content, "categories", file)
    images = _by_id(content, "images", file)
    if not images:
        raise DataError("it lists no image", file)
    boxes: dict[int, tuple[int | str, dict]] = {}  # image id -> annotation
    for own, annotation in _by_id(content, "annotations", file, needed=False).items():  # nothing refers to their ids
        owner = _id(annotation.get("image_id"))
        if owner not in images:
            raise DataError(
                f"annotation {own}: there is no image with the id {shown(annotation.get('image_id'))}", file
            )
        if annotation.get("iscrowd", 0) not in (0, None):
            raise DataError(
                f"annotation {own}: it is marked as a crowd; one box an image is expected (image {owner})", file
            )
        if owner in boxes:
            name = shown(images[owner].get("file_name"))
            both = f"annotations {boxes[owner][0]} and {own}"
            raise DataError(f"image {owner}, {name}, has two boxes, {both}; one box an image is expected", file)
        boxes[owner] = own, annotation
    photos, seen = Photos(folder), {}

    def read_image(key: int, image: dict) -> Record | Path:
        where = f"image {key}: "
        if key not in boxes:
            return located(lambda: photos.find(plain_name(image.get("file_name"))), file, where=where)
        own, entry = boxes[key]
        name, width, height = located(lambda: _image(image), file, where=where)
        label, corners, outline = located(lambda: _annotation(entry, categories), file, where=f"annotation {own}: ")
        where = f"image {key}, annotation {own}: "
        photo = located(lambda: photos.find(name), file, where=where)
        if photo in seen:
            raise DataError(f"image {key}: {photo.name} is image {seen[photo]} already", file)
        seen[photo] = key
        return located(lambda: record(photo, width, height, label, corners, outline=outline), file, where=where)

    made = gathered(
        (f"image {key}", lambda key=key, image=image: read_image(key, image)) for key, image in images.items()
    )
    records = [entry for entry in made if isinstance(entry, Record)]
    return complete(records, (entry for entry in made if not isinstance(entry, Record)), photos)


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


def _id(value: object) -> int | None:
    """A whole JSON number from 0, as 7 or 7.0; None for all else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
    return value if usable else None


def _by_id(content: dict, key: str, file: Path, needed: bool = True) -> dict[int | str, dict]:
    """One of the three lists, by the id of its entries; by their place, as "[3]", where none is needed or there."""
    entries, result = content.get(key), {}
    if not isinstance(entries, list):
        raise DataError(f"{key} must be a list, got {shown(entries)}", file)
    for position, entry in enumerate(entries):
        where = f"{key}[{position}]"
        if not isinstance(entry, dict):
            raise DataError(f"{where} must be an object, got {shown(entry)}", file)
        own = entry.get("id")
        own = f"[{position}]" if own is None and not needed else _id(own)
        if own is None:
            raise DataError(f"{where} must have a whole number from 0 as its id, got {shown(entry.get('id'))}", file)
        if own in result:
            raise DataError(f"{where} has the id {own} of an earlier entry", file)
        result[own] = entry
    return result


def _image(image: dict) -> tuple[str, int, int]:
    name = plain_name(image.get("file_name"))
    return name, whole("width", image.get("width")), whole("height", image.get("height"))


def _annotation(annotation: dict, categories: dict[int, dict]) -> tuple[int, tuple[float, float, float, float], bool]:
    """The letter, the box (xyxy, in pixels), and whether it is the one around polygons."""
    category, box, polygons = (annotation.get(key) for key in ("category_id", "bbox", "segmentation"))
    if _id(category) not in categories:
        raise ValueError(f"there is no category with the id {shown(category)}")
    label = letter(categories[_id(category)].get("name"))
    if box in (None, []) and isinstance(polygons, list) and polygons:
        if not all(isinstance(polygon, list) for polygon in polygons):
            raise ValueError(f"there is no bbox, and segmentation must be a list of polygons, got {shown(polygons)}")
        rings = [around([number("segmentation", value) for value in polygon]) for polygon in polygons]
        low, high = [ring[:2] for ring in rings], [ring[2:] for ring in rings]
        return label, (*map(min, zip(*low, strict=True)), *map(max, zip(*high, strict=True))), True
    if not isinstance(box, list) or len(box) != len(SIDES):
        raise ValueError(f"bbox must be a list of x, y, width and height, got {shown(box)}")
    x, y, width, height = (number(f"bbox {side}", value) for side, value in zip(SIDES, box, strict=True))
    return label, (x, y, x + width, y + height), False


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

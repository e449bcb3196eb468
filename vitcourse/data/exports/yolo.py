"""The YOLO form of an export: ``images/`` and ``labels/`` in each split's folder, and one ``data.yaml`` above them.

That is the layout of Roboflow's exports for YOLO v5, v7, v8 and v11. A line of a label file is the class, the centre
and the size of a box, in fractions of the image and not rounded to pixels; or the class and the points of a polygon (a
turned box has four), which becomes the box around them. The class is a place in the list of ``data.yaml``, in whatever
order that has; its paths are not followed.
"""

from pathlib import Path

import yaml

from vitcourse.data.exports.names import Photos, composed, listed
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
from vitcourse.data.images import measure
from vitcourse.data.letters import LETTERS, letter
from vitcourse.errors import DataError, shown, some

NAME = "data.yaml"
IMAGES, LABELS = "images", "labels"
VALUES = ("class", "centre x", "centre y", "width", "height")
MAX_YAML, MAX_LABELS = 10**5, 10**6  # bytes; real ones have hundreds


def found(folder: Path) -> bool:
    """Whether a split's folder holds this form."""
    return (folder / IMAGES).is_dir() or (folder / LABELS).is_dir()


def read(folder: Path) -> tuple[list[Record], list[Path]]:
    """The records of one split, and its photos without a box: without label file, or with an empty one.

    A text that belongs to no photo and has no line of a label is passed over: a list of the classes, notes.

    Raises:
        DataError: naming the file and the row.
    """
    names = class_names(folder.parent / NAME)
    for part in (IMAGES, LABELS):
        if not (folder / part).is_dir():
            raise DataError(f"there is no folder {part} in it", folder)
    photos, images = Photos(folder / IMAGES), {}
    for image in photos.files:
        if (stem := composed(image.stem)) in images:
            raise DataError(f"{images[stem].name} has the same label file; one image for each is expected", image)
        images[stem] = image
    by_name = {composed(image.name): image for image in photos.files}  # some tools write A1.jpg.txt
    labels = {}
    for file in listed(folder / LABELS, frozenset({".txt"})):
        stem = composed(file.stem)
        image = images.get(stem) or by_name.get(stem)
        if image is None and not _is_label(file):
            continue
        if (owner := image or file) in labels:
            raise DataError(f"{labels[owner].name} is of the same image; one file for each is expected", file)
        labels[owner] = file
    if not images and not labels:
        raise DataError("there is no image in it", folder / IMAGES)

    def read_file(file: Path, owner: Path) -> Record | None:
        if owner == file:
            raise DataError(f"the image {file.stem} is missing from {IMAGES}{photos.hint(file.stem)}", file)
        return _record(file, owner, names)

    made = gathered((file.name, lambda f=file, o=owner: read_file(f, o)) for owner, file in labels.items())
    return complete([entry for entry in made if entry is not None], (), photos)


def class_names(file: Path) -> list[str]:
    """The classes that ``data.yaml`` lists, by their number.

    Everything in it is read as text: to some readers of YAML a bare N is false and a Y is true.

    Raises:
        DataError: the file is missing, no YAML, or holds no list of different names.
    """
    if not file.is_file() and (others := listed(file.parent, frozenset({".yaml", ".yml"}))):
        raise DataError(f"there is no such file; {some(other.name for other in others)} is there", file)
    text = read_text(file, "a YAML file", MAX_YAML)
    try:
        content = yaml.load(text, yaml.BaseLoader)  # makes texts, lists and dicts, and runs nothing
    except yaml.MarkedYAMLError as error:
        row = error.problem_mark.line + 1 if error.problem_mark else None
        raise DataError(f"it is not YAML ({error.problem})", file, row) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DataError("it is not YAML that can be read", file) from error
    if not isinstance(content, dict) or "names" not in content:
        raise DataError("it must hold names, the list of classes", file)
    if "kpt_shape" in content:
        raise DataError("its set has keypoints (kpt_shape), whose lines are not those of boxes", file)
    names = content["names"]
    if isinstance(names, dict):  # {0: A, 1: B, …}
        numbers = [str(i) for i in range(len(names))]
        if set(numbers) != set(names):
            keys = f"their numbers must be 0 to {len(names) - 1}, got {some(shown(key)[1:-1] for key in names)}"
            raise DataError(f"it must hold names, the list of classes: {keys}", file)
        names = [names[i] for i in numbers]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise DataError(f"it must hold names, the list of classes, got {shown(names)}", file)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"the class {shown(twice)} stands twice in names", file)
    count = located(lambda: whole("nc", content.get("nc", len(names)), least=0), file)
    if count != len(names):
        raise DataError(f"nc is {shown(content['nc'])}, but names lists {len(names)} classes", file)
    return names


def _label_file(folder: Path, image: Path) -> Path:
    return folder / LABELS / f"{image.stem}.txt"


def _is_label(file: Path) -> bool:
    """Whether a text has a line of a label: a class and four fractions or more."""
    try:
        lines = file.read_bytes()[:MAX_LABELS].decode("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        return False
    return any(_is_line(line.split()) for line in lines)


def _is_line(values: list[str]) -> bool:
    try:
        whole("class", values[0], least=0)
        return len(values) >= len(VALUES) and all(-1 <= number("value", value) <= 2 for value in values[1:])
    except (ValueError, IndexError):
        return False


def _record(file: Path, image: Path, names: list[str]) -> Record | None:
    lines = read_text(file, "a text", MAX_LABELS).split("\n")
    lines = [(row, line.split()) for row, line in enumerate(lines, start=1) if line.strip()]
    if not lines:
        return None
    row, values = lines[0]
    width, height = located(lambda: measure(image), file, row)
    made = located(lambda: _line(values, image, width, height, names), file, row)
    if len(lines) > 1:
        raise DataError(f"a second box for {image.name}; one box an image is expected", file, lines[1][0])
    return made


def _line(values: list[str], image: Path, width: int, height: int, names: list[str]) -> Record:
    outline = len(values) > 6 and len(values) % 2 == 1
    if len(values) != len(VALUES) and not outline:
        raise ValueError(
            f"{len(VALUES)} values are expected ({', '.join(VALUES)}), got {len(values)}; or a polygon's class and "
            "points, three or more"
        )
    index = whole("class", values[0], least=0)
    if index >= len(names):
        raise ValueError(f"class {index} is not in {NAME}, which lists {len(names)} from 0")
    if outline:
        xmin, ymin, xmax, ymax = around([number("a point", text) for text in values[1:]])
    else:
        x, y, w, h = (number(key, text) for key, text in zip(VALUES[1:], values[1:], strict=True))
        xmin, ymin, xmax, ymax = x - w / 2, y - h / 2, x + w / 2, y + h / 2
    corners = (xmin * width, ymin * height, xmax * width, ymax * height)
    return record(image, width, height, letter(names[index]), corners, look=False, outline=outline)


def write(folder: Path, records: list[Record]) -> None:
    """Writes the labels of a split whose images are written, and the ``data.yaml`` that all splits share."""
    (folder / LABELS).mkdir()
    for made in records:
        xmin, ymin, xmax, ymax = made.box
        line = f"{made.label} {(xmin + xmax) / 2} {(ymin + ymax) / 2} {xmax - xmin} {ymax - ymin}\n"
        _label_file(folder, made.file).write_text(line, encoding="utf-8")
    paths = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n"
    classes = f"\nnc: {len(LETTERS)}\nnames: {list(LETTERS)}\n"
    (folder.parent / NAME).write_text(paths + classes, encoding="utf-8")

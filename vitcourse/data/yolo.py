"""The YOLO form of an export: ``images/`` and ``labels/`` in each split's folder, and one ``data.yaml`` above them.

That is the layout of Roboflow's exports for YOLO v5, v7, v8 and v11. A line of a label file is the class, the centre
and the size of a box, in fractions of the image and not rounded to pixels. The class is a place in the list of
``data.yaml``, in whatever order that has; its paths are not followed.
"""

from pathlib import Path

import yaml

from vitcourse.data.hand import LETTERS
from vitcourse.data.images import measure
from vitcourse.data.records import Record, in_order, letter, listed, located, number, read_text, record, shown, whole
from vitcourse.errors import DataError

NAME = "data.yaml"
IMAGES, LABELS = "images", "labels"
VALUES = ("class", "centre x", "centre y", "width", "height")
MAX_YAML, MAX_LABELS = 10**5, 10**6  # bytes; real ones have hundreds


def found(folder: Path) -> bool:
    """Whether a split's folder holds this form."""
    return (folder / IMAGES).is_dir() or (folder / LABELS).is_dir()


def read(folder: Path) -> list[Record]:
    """The records of one split.

    Raises:
        DataError: naming the file and the row.
    """
    names = class_names(folder.parent / NAME)
    for part in (IMAGES, LABELS):
        if not (folder / part).is_dir():
            raise DataError(f"there is no folder {part} in it", folder)
    images = listed(folder / IMAGES)
    labels = {}
    for file in listed(folder / LABELS, frozenset({".txt"})):
        if file.stem in labels:
            raise DataError(f"{labels[file.stem].name} is of the same image; one file for each is expected", file)
        labels[file.stem] = file
    if not images and not labels:
        raise DataError("there is no image in it", folder / IMAGES)
    records, seen = [], {}
    for image in images:
        if image.stem in seen:
            raise DataError(f"{seen[image.stem]} has the same label file; one image for each is expected", image)
        seen[image.stem] = image.name
        if image.stem not in labels:
            raise DataError(f"there is no such file, and {IMAGES}/{image.name} needs one", _label_file(folder, image))
        records.append(_record(labels[image.stem], image, names))
    for stem, file in labels.items():
        if stem not in seen:
            raise DataError(f"the image {stem} is missing from {IMAGES}", file)
    return in_order(records, folder / IMAGES)


def class_names(file: Path) -> list[str]:
    """The classes that ``data.yaml`` lists, by their number.

    Everything in it is read as text: to some readers of YAML a bare N is false and a Y is true.

    Raises:
        DataError: the file is missing, no YAML, or holds no list of different names.
    """
    text = read_text(file, "a YAML file", MAX_YAML)
    try:
        content = yaml.load(text, yaml.BaseLoader)  # makes texts, lists and dicts, and runs nothing
    except yaml.MarkedYAMLError as error:
        row = error.problem_mark.line + 1 if error.problem_mark else None
        raise DataError(f"it is not YAML ({error.problem})", file, row) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise DataError("it is not YAML that can be read", file) from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict):  # {0: A, 1: B, …}
        numbers = [str(i) for i in range(len(names))]
        names = [names[i] for i in numbers] if set(numbers) == set(names) else None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise DataError("it must hold names, the list of classes", file)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"the class {shown(twice)} stands twice in names", file)
    if "nc" in content and content["nc"] != str(len(names)):
        raise DataError(f"nc is {shown(content['nc'])}, but names lists {len(names)} classes", file)
    return names


def _label_file(folder: Path, image: Path) -> Path:
    return folder / LABELS / f"{image.stem}.txt"


def _record(file: Path, image: Path, names: list[str]) -> Record:
    lines = read_text(file, "a text", MAX_LABELS).split("\n")
    lines = [(row, line.split()) for row, line in enumerate(lines, start=1) if line.strip()]
    if not lines:
        raise DataError("it holds no box; one box an image is expected", file)
    row, values = lines[0]
    width, height = located(lambda: measure(image), file, row)
    made = located(lambda: _line(values, image, width, height, names), file, row)
    if len(lines) > 1:
        raise DataError(f"a second box for {image.name}; one box an image is expected", file, lines[1][0])
    return made


def _line(values: list[str], image: Path, width: int, height: int, names: list[str]) -> Record:
    if len(values) != len(VALUES):
        raise ValueError(f"{len(VALUES)} values are expected ({', '.join(VALUES)}), got {len(values)}")
    index = whole("class", values[0], least=0)
    if index >= len(names):
        raise ValueError(f"class {index} is not in {NAME}, which lists {len(names)} from 0")
    x, y, w, h = (number(key, text) for key, text in zip(VALUES[1:], values[1:], strict=True))
    corners = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
    return record(image, width, height, letter(names[index]), corners, look=False)


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

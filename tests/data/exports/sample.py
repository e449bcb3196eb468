"""Small exports as Roboflow writes them, typed out here: the package's own writers could hide its readers' faults."""

import csv
import json
from pathlib import Path

import torch
from PIL import Image

from vitcourse.data.asl import load
from vitcourse.data.exports.names import unfit
from vitcourse.data.letters import LETTERS
from vitcourse.errors import DataError

FORMS = ("csv", "coco", "yolo", "voc")
SIZE = (40, 32)
ROWS = [("A1.jpg", "A", (4, 6, 20, 30)), ("Z1.jpg", "Z", (0, 0, 40, 32))]


def write_export(root: Path, rows=None, split: str = "train", size=SIZE, form: str = "csv") -> Path:
    """One split; a row is (name, letter, box in pixels)."""
    rows, folder = ROWS if rows is None else rows, root / split
    images = folder / "images" if form == "yolo" else folder
    images.mkdir(parents=True)
    for index, (name, _, _) in enumerate(rows):
        seeded = torch.Generator().manual_seed(index)
        pixels = torch.randint(0, 255, (size[1], size[0], 3), dtype=torch.uint8, generator=seeded)
        Image.fromarray(pixels.numpy()).save(images / name)
    {"csv": _csv, "coco": _coco, "yolo": _yolo, "voc": _voc}[form](folder, rows, size)
    return root


def _csv(folder, rows, size):
    lines = [[name, *size, letter, *box] for name, letter, box in rows]
    with (folder / "_annotations.csv").open("w", newline="") as stream:
        header = ["filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax"]
        csv.writer(stream).writerows([header, *lines])


def coco_content(rows=ROWS, size=SIZE) -> dict:
    """Annotations stand in another order than their images, and ids start anywhere."""
    categories = [{"id": 0, "name": "Letters", "supercategory": "none"}]
    categories += [{"id": i + 1, "name": name, "supercategory": "Letters"} for i, name in enumerate(LETTERS)]
    images, annotations = [], []
    for i, (name, letter, (xmin, ymin, xmax, ymax)) in enumerate(rows):
        images.append({"id": i, "license": 1, "file_name": name, "height": size[1], "width": size[0]})
        box = [xmin, ymin, xmax - xmin, ymax - ymin]
        entry = {"id": 50 - i, "image_id": i, "category_id": 1 + LETTERS.index(letter), "bbox": box}
        annotations.insert(0, entry | {"area": 1, "segmentation": [], "iscrowd": 0})
    return {"info": {"year": "2020"}, "categories": categories, "images": images, "annotations": annotations}


def _coco(folder, rows, size):
    (folder / "_annotations.coco.json").write_text(json.dumps(coco_content(rows, size)))


def data_yaml(names=LETTERS) -> str:
    return f"train: ../train/images\nval: ../valid/images\n\nnc: {len(names)}\nnames: [{', '.join(names)}]\n"


def _yolo(folder, rows, size):
    (folder / "labels").mkdir()
    for name, letter, (xmin, ymin, xmax, ymax) in rows:
        centre = f"{(xmin + xmax) / 2 / size[0]} {(ymin + ymax) / 2 / size[1]}"
        line = f"{LETTERS.index(letter)} {centre} {(xmax - xmin) / size[0]} {(ymax - ymin) / size[1]}"
        (folder / "labels" / f"{Path(name).stem}.txt").write_text(line)
    (folder.parent / "data.yaml").write_text(data_yaml())


VOC = """<annotation>
	<folder></folder>
	<filename>{name}</filename>
	<path>{name}</path>
	<source><database>roboflow.ai</database></source>
	<size>
		<width>{width}</width>
		<height>{height}</height>
		<depth>3</depth>
	</size>
	<segmented>0</segmented>
	{objects}
</annotation>
"""
OBJECT = """<object>
		<name>{letter}</name>
		<pose>Unspecified</pose>
		<truncated>0</truncated>
		<part><name>finger</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>
		<bndbox>
			<xmin>{xmin}</xmin>
			<xmax>{xmax}</xmax>
			<ymin>{ymin}</ymin>
			<ymax>{ymax}</ymax>
		</bndbox>
	</object>"""


def voc_object(letter, box) -> str:
    """The box is in pixels counted from 0, the document's from 1."""
    xmin, ymin, xmax, ymax = (side + 1 for side in box)
    return OBJECT.format(letter=letter, xmin=xmin, ymin=ymin, xmax=xmax, ymax=ymax)


def _voc(folder, rows, size):
    for name, letter, box in rows:
        document = VOC.format(name=name, width=size[0], height=size[1], objects=voc_object(letter, box))
        (folder / name).with_suffix(".xml").write_text(document)


def refused(root: Path, split: str = "train") -> DataError:
    """The error of an export that must not load, after a look at its form: one line that starts with a path."""
    try:
        load(root, split)
    except DataError as error:
        check_message(error, root)
        return error
    raise AssertionError("it loaded")


def loads(root: Path, images: int) -> bool:
    """Whether an export loads whole; if not, it was named in a DataError. Any other exception is a fault."""
    try:
        dataset = load(root, "train")
    except DataError as error:
        check_message(error, root)
        return False
    boxes = dataset.boxes
    assert len(dataset) == images
    assert ((boxes >= 0) & (boxes <= 1)).all()
    assert (boxes[:, :2] < boxes[:, 2:]).all()
    assert all(0 <= record.label < 26 for record in dataset.records)
    return True


def check_message(error: DataError, root: Path) -> None:
    message = str(error)
    assert len(message.splitlines()) == 1, message
    assert unfit(message) == "", message
    assert message.startswith(str(root)), message
    assert len(message) < len(str(error.file)) + 400, message

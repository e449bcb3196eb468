"""Legitimate spellings of labels, in every form, and files that lie beside labels and are none."""

import json
import re
import warnings

import pytest

from tests.data.exports.sample import FORMS, ROWS, refused, voc_object, write_export
from vitcourse.data.asl import DataNote, load
from vitcourse.data.exports.coco import NAME as COCO_NAME
from vitcourse.data.exports.csv_form import NAME as CSV_NAME

BOX = (4, 6, 20, 30)  # of A1.jpg, which has 40 x 32 pixels


def boxes(root):
    """The first box in pixels, and the notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = load(root, "train")
    width, height = dataset.records[0].width, dataset.records[0].height
    assert all(issubclass(note.category, DataNote) for note in caught)
    pixels = [side * extent for side, extent in zip(dataset.boxes[0].tolist(), (width, height) * 2, strict=True)]
    return pixels, [str(note.message) for note in caught]


def change_coco(root, change):
    file = root / "train" / COCO_NAME
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    return root


@pytest.mark.parametrize("kind", [lambda n: f"{n}.0", lambda n: f"{n:.3e}", lambda n: f"{n}e0", lambda n: f"+{n}"])
@pytest.mark.parametrize("form", ["csv", "voc", "yolo"])
def test_a_whole_number_is_whole_however_it_is_written(tmp_path, form, kind):
    root = write_export(tmp_path, form=form)
    if form == "csv":
        rows = [
            ["A1.jpg", kind(40), kind(32), "A", *map(kind, BOX)],
            ["Z1.jpg", "40.0", "3.2e1", "Z", "0", "0", "4e1", "32"],
        ]
        text = "filename,width,height,class,xmin,ymin,xmax,ymax\n" + "\n".join(map(",".join, rows))
        (root / "train" / CSV_NAME).write_text(text)
    elif form == "voc":
        file = root / "train" / "A1.xml"
        file.write_text(re.sub(r">(\d+)<", lambda found: f">{kind(int(found[1]))}<", file.read_text()))
    else:
        (root / "train" / "labels" / "Z1.txt").write_text(f"{kind(25)} 0.5 5e-1 1.0 1")
        (root / "data.yaml").write_text((root / "data.yaml").read_text().replace("nc: 26", f"nc: {kind(26)}"))
    pixels, notes = boxes(root)
    assert pixels == pytest.approx(BOX)
    assert notes == []
    assert load(root, "train").labels.tolist() == [0, 25]


def test_whole_numbers_of_json_may_have_a_point(tmp_path):
    def change(content):
        for entry in [*content["images"], *content["annotations"], *content["categories"]]:
            for key in ("id", "image_id", "category_id", "width", "height", "iscrowd"):
                if key in entry:
                    entry[key] = float(entry[key])

    root = change_coco(write_export(tmp_path, form="coco"), change)
    assert ".0" in (root / "train" / COCO_NAME).read_text()
    assert boxes(root) == (pytest.approx(BOX), [])


@pytest.mark.parametrize(
    "value", [1.5, "1.5", 416.25, "416,0", "1e-1", "0x20", "4 0", "1e99", "nan", "inf", True, None]
)
def test_what_is_not_whole_is_refused(tmp_path, value):
    root = change_coco(write_export(tmp_path, form="coco"), lambda c: c["images"][0].update(width=value))
    assert "image 0: width must be a whole number of pixels above 0" in str(refused(root))
    if isinstance(value, float):
        change_coco(root, lambda c: c["images"][0].update(width=40, id=value))
        assert "images[0] must have a whole number from 0 as its id" in str(refused(root))


@pytest.mark.parametrize("drop", [[0], [0, 1]])
@pytest.mark.parametrize("null", [False, True])
def test_annotations_need_no_id(tmp_path, drop, null):
    def change(content):
        for place in drop:
            del content["annotations"][place]["id"]
            if null:
                content["annotations"][place]["id"] = None

    root = change_coco(write_export(tmp_path, form="coco"), change)
    assert boxes(root) == (pytest.approx(BOX), [])
    change_coco(root, lambda content: content["annotations"][0].update(bbox=[0, 0, 99, 9]))
    assert "image 1, annotation [0]: the box leaves the image: xmax 99 > width 40" in str(refused(root))


POLYGON = [(4, 6), (20, 10), (12, 30)]
TURNED = [(12, 6), (20, 18), (12, 30), (4, 18)]


@pytest.mark.parametrize("points", [POLYGON, TURNED, [*TURNED, (12, 12)], [*POLYGON, *TURNED] * 20])
@pytest.mark.parametrize("all_of_them", [False, True])
def test_the_box_around_a_polygon_of_yolo_is_said_once(tmp_path, points, all_of_them):
    root = write_export(tmp_path, form="yolo")
    line = " ".join(f"{x / 40} {y / 32}" for x, y in points)
    (root / "train" / "labels" / "A1.txt").write_text(f"0 {line}\n")
    if all_of_them:
        (root / "train" / "labels" / "Z1.txt").write_text(f"25.0 {line}\n")
    pixels, notes = boxes(root)
    assert pixels == pytest.approx(BOX)
    assert notes == [f"{root / 'train'}: {1 + all_of_them} of 2 labels are polygons; each became the box around it"]


@pytest.mark.parametrize("box", [None, [], "absent"])
@pytest.mark.parametrize("polygons", [[POLYGON], [TURNED], [[*POLYGON[:2], (5, 7)], [(5, 30), (4, 29), (6, 8)]]])
def test_the_box_around_polygons_of_coco_is_said_once(tmp_path, box, polygons):
    def change(content):
        for annotation in content["annotations"]:
            annotation["segmentation"] = [[side for point in ring for side in point] for ring in polygons]
            annotation["bbox"] = box
            if box == "absent":
                del annotation["bbox"]

    root = change_coco(write_export(tmp_path, form="coco"), change)
    pixels, notes = boxes(root)
    assert pixels == pytest.approx(BOX)
    assert notes == [f"{root / 'train'}: 2 of 2 labels are polygons; each became the box around it"]


def test_a_box_of_coco_stands_before_its_polygons(tmp_path):
    change = {"segmentation": [[0, 0, 40, 0, 40, 32]]}
    root = change_coco(write_export(tmp_path, form="coco"), lambda c: c["annotations"][1].update(change))
    assert boxes(root) == (pytest.approx(BOX), [])


@pytest.mark.parametrize(
    ("segmentation", "words"),
    [
        ([[4, 6, 20, 10]], "three points or more, an x and a y each; got 4 numbers"),
        ([[4, 6, 20, 10, 12]], "got 5 numbers"),
        ([[4, 6, 20, 10, 12, "x"]], "segmentation must be a number, got 'x'"),
        ([4, 6, 20, 10, 12, 30], "segmentation must be a list of polygons"),
        ({"counts": "abc", "size": [32, 40]}, "bbox must be a list of x, y, width and height, got None"),
        ([], "bbox must be a list"),
        ([[4, 6, 50, 10, 12, 30]], "the box leaves the image: xmax 50 > width 40"),
    ],
)
def test_a_segmentation_that_gives_no_box_is_named(tmp_path, segmentation, words):
    change = {"segmentation": segmentation, "bbox": None}
    root = change_coco(write_export(tmp_path, form="coco"), lambda c: c["annotations"][1].update(change))
    message = str(refused(root))
    assert words in message
    assert "annotation 50: " in message


BESIDE = {
    "classes.txt": "A\nB\nC\n",
    "numbers.txt": "0\n1\n2\n",
    "obj.names.txt": "hand_a 1\nhand_b 2\n",
    "notes.txt": "Taken on 3 May, 12 photos.\n0 of them blurred, 4 5 6\n",
    "README.txt": "",
    "README.dataset.txt": "v1",
    "latin.txt": b"caf\xe9\n",
    "utf16.txt": "classes".encode("utf-16"),
    "train.txt": "images/A1.jpg\nimages/Z1.jpg\n",
    "labels.cache": b"\x80\x04\x95",
    "train.cache.npy": b"\x93NUMPY",
    ".DS_Store": b"\0\0\0\1Bud1",
    "Thumbs.db": b"\xd0\xcf\x11\xe0",
    "desktop.ini": "[.ShellClassInfo]\n",
    "._A1.txt": b"\0\5\x16\7\0\2\0\0Mac OS X",
    "._A1.jpg": b"\0\5\x16\7\0\2\0\0Mac OS X",
    "._A1.xml": b"\0\5\x16\7\0\2\0\0Mac OS X",
    "._annotations.csv": b"\0\5\x16\7\0\2\0\0Mac OS X",
    "labels.csv": "image,label\n",
    "instances.json": "{}",
    "pom.xml": "<project/>",
    "annotations.xml": "<annotations><version>1.1</version></annotations>",
    "broken.xml": "<project",
    "empty.xml": "",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", BESIDE)
def test_a_file_beside_labels_that_is_none_is_passed_over(tmp_path, form, name):
    root = write_export(tmp_path, form=form)
    content = BESIDE[name].encode() if isinstance(BESIDE[name], str) else BESIDE[name]
    folders = [root, root / "train", *(root / "train" / part for part in ("images", "labels") if form == "yolo")]
    for folder in folders:
        (folder / name).write_bytes(content)
        (folder / "__MACOSX").mkdir()
        (folder / "__MACOSX" / "._A1.jpg").write_bytes(b"\0\5\x16\7")
    assert len(load(root, "train")) == len(ROWS)
    assert boxes(root) == (pytest.approx(BOX), [])


@pytest.mark.parametrize("form", ["yolo", "voc"])
@pytest.mark.parametrize("stem", ["classes", "notes", "B1"])
def test_a_label_whose_photo_is_missing_is_named_whatever_its_name_is(tmp_path, form, stem):
    root = write_export(tmp_path, form=form)
    if form == "yolo":
        for text in ("0 0.3 0.5 0.4 0.7\n", "\n7.0 0.1 0.1 0.9 0.1 0.9 0.9", "A\n0 0.3 0.5 0.4 0.7 1"):
            (root / "train" / "labels" / f"{stem}.txt").write_text(text)
            error = refused(root)
            assert f"the image {stem} is missing from images" in str(error)
            assert error.file.name == f"{stem}.txt"
    else:
        whole = (root / "train" / "A1.xml").read_text().replace("A1.jpg", f"{stem}.jpg")
        (root / "train" / f"{stem}.xml").write_text(whole)
        assert f"{stem}.xml, row 3: the image {stem}.jpg is missing" in str(refused(root))
        (root / "train" / f"{stem}.xml").write_text(whole[:200])
        assert f"{stem}.xml, row 9: it is not whole XML" in str(refused(root))


@pytest.mark.parametrize(
    ("form", "name", "words"),
    [("yolo", "labels/A1.txt", "5 values are expected"), ("voc", "A1.xml", "the root must be <annotation>")],
)
def test_a_photos_own_label_is_never_passed_over(tmp_path, form, name, words):
    root = write_export(tmp_path, form=form)
    (root / "train" / name).write_text("<note/>")
    assert words in str(refused(root))


def test_an_xml_file_of_another_kind_is_no_second_form(tmp_path):
    root = write_export(tmp_path)
    for name in ("A1.xml", "clip.xml"):
        (root / "train" / name).write_text("<NonRealTimeMeta/>")  # what some cameras write beside a picture
    assert len(load(root, "train")) == 2
    (root / "train" / "A1.xml").write_text(f"<annotation>{voc_object('A', BOX)}</annotation>")
    assert "several forms (csv, voc)" in str(refused(root))


@pytest.mark.parametrize("form", FORMS)
def test_many_faults_are_told_together(tmp_path, form):
    rows = [(f"{letter}1.jpg", letter, BOX) for letter in "ABCDEFGHIJ"]
    root = write_export(tmp_path, rows, form=form)
    for name, _, _ in rows[2:]:
        next(root.rglob(name)).unlink()
    message = str(refused(root))
    assert "the image C1" in message
    kind = {"csv": "row {}", "coco": "image {}", "yolo": "{}1.txt", "voc": "{}1.xml"}[form]
    places = {"csv": (5, 6, 7, 8), "coco": (3, 4, 5, 6)}.get(form, "DEFG")
    assert f"; there are faults in {', '.join(map(kind.format, places))} and 3 more as well" in message


def test_a_missing_split_or_file_is_named_with_what_is_there(tmp_path):
    root = write_export(tmp_path / "a", split="Train")
    for name in ("A", "B", "C", "D", "E", "F", "__MACOSX", ".git"):
        (root / name).mkdir()
    assert "no split 'train' in it (found: Train, A, B, C, D and 2 more)" in str(refused(root))
    (root / "train").mkdir(exist_ok=True)
    (root / "train" / "annotations.csv").write_text("")
    assert "(what is there: annotations.csv)" in str(refused(root))
    root = write_export(tmp_path / "b", form="yolo")
    (root / "data.yaml").rename(root / "dataset.yml")
    assert str(refused(root)) == f"{root / 'data.yaml'}: there is no such file; dataset.yml is there"

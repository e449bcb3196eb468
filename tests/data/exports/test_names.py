"""Names as cameras and systems write them: found in every form, or refused with the true reason."""

import json
import unicodedata

import pytest
from PIL import Image

from tests.data.exports.sample import FORMS, refused, write_export
from vitcourse.data.asl import load
from vitcourse.data.exports.coco import NAME as COCO_NAME
from vitcourse.data.exports.csv_form import NAME as CSV_NAME
from vitcourse.data.images import SUFFIXES

BOX = (4, 6, 20, 30)
ODD = [
    "Screenshot 2024-01-01 at 1.23.45\u202fPM.png",  # macOS
    "Capture d\u2019e\u0301cran\u00a02.png",
    "Mano\u0301 e\u0301.jpg",
    " A1 .jpg",
    "100% A.jpg",
    "a,b;c.jpg",
    'it\'s \u201cA\u201d "now".jpg',
    "#1 & <2>.jpg",
    "\u624b\u8a71.jpg",
    "\U0001f44d\U0001f3fd\u200d.jpg",  # an emoji of three characters, one of them invisible
    "a\uf022b.jpg",  # what a Mac writes for a quotation mark on a disk of Windows
    "hand.2020.01.jpg",
    "-rf.jpg",
    "[A].jpg",
]


def named(folder, name, form):
    """Names the only photo of an export otherwise than the file is named; in the YOLO form, its label."""
    if form == "yolo":
        (label,) = (folder / "labels").iterdir()
        label.rename(label.with_name(name.rpartition(".")[0] + ".txt"))
    elif form == "coco":
        content = json.loads((folder / COCO_NAME).read_text())
        content["images"][0]["file_name"] = name
        (folder / COCO_NAME).write_text(json.dumps(content))
    else:
        (file,) = [path for path in folder.iterdir() if path.name == CSV_NAME or path.suffix == ".xml"]
        file.write_text(file.read_text().replace("A1.jpg", name))


def one(root, form, suffix=".jpg"):
    """An export of one photo."""
    return write_export(root, [(f"A1{suffix}", "A", BOX)], form=form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ODD)
def test_a_name_of_a_camera_or_a_person_loads(tmp_path, form, name):
    root = write_export(tmp_path, [(name, "A", BOX)], form="yolo" if form == "yolo" else "csv")
    if form in ("coco", "voc"):
        (root / "train" / CSV_NAME).unlink()
        other = one(tmp_path / "other", form) / "train"
        escaped = name.replace("&", "&amp;").replace("<", "&lt;")
        named(other, escaped if form == "voc" else name, form)
        for file in other.iterdir():
            if file.suffix in (".json", ".xml"):
                file.rename(root / "train" / file.name)
    (file,) = load(root, "train").files
    assert file.endswith(name)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("there", "written"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_accent_may_be_composed_or_not(tmp_path, form, there, written):
    root = one(tmp_path, form)
    image = next(root.rglob("A1.jpg"))
    image = image.rename(image.with_name(unicodedata.normalize(there, "ţă é.jpg")))
    named(root / "train", unicodedata.normalize(written, "ţă é.jpg"), form)
    assert load(root, "train").files == [str(image)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("suffix", sorted(SUFFIXES - {".pfm", ".apng", ".avifs"}))  # three of no single 8-bit picture
@pytest.mark.parametrize("upper", [False, True])
def test_every_suffix_loads_in_any_case(tmp_path, form, suffix, upper):
    root = one(tmp_path, form, suffix)
    image = next(path for path in root.rglob("A1*") if path.suffix == suffix)
    if suffix == ".pbm":  # black and white
        Image.new("1", (40, 32)).save(image)
    if upper:
        image = image.rename(image.with_suffix(suffix.upper()))
    assert load(root, "train").files == [str(image)]  # the annotation has the small suffix


@pytest.mark.parametrize("form", ["csv", "coco", "voc"])
@pytest.mark.parametrize("suffix", [".jpg", ".JPG", ".tif", ".jpeg"])
def test_a_name_without_its_suffix_is_found(tmp_path, form, suffix):
    root = one(tmp_path, form)
    image = next(root.rglob("A1.jpg"))
    image = image.rename(image.with_suffix(suffix))
    named(root / "train", "A1", form)
    assert load(root, "train").files == [str(image)]
    (image.with_suffix(".png")).write_bytes(image.read_bytes())
    message = str(refused(root))
    assert f"A1 may be any of {', '.join(sorted([image.name, 'A1.png']))}" in message


def test_blanks_around_a_name_in_xml_are_no_part_of_it(tmp_path):
    root = one(tmp_path, "voc")
    named(root / "train", "\n\t\tA1.jpg\n\t", "voc")
    assert len(load(root, "train")) == 1


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("there", "written"),
    [
        ("A1.jpg", "a1.jpg"),
        ("A1.png", "A1.jpg"),
        ("A1.heic", "A1.jpg"),
        ("A 1\u202fPM.jpg", "A 1 PM.jpg"),
        ("A 1.jpg", "A%201.jpg"),
        ("A1.jpg", "A1.jpg.jpg"),
    ],
)
def test_a_missing_photo_is_named_with_what_is_like_it(tmp_path, form, there, written):
    root = one(tmp_path, form)
    image = next(root.rglob("A1.jpg"))
    image = image.rename(image.with_name(there))
    named(root / "train", written, form)
    if form == "yolo" and there in ("A1.png", written.removesuffix(".jpg")):
        assert len(load(root, "train")) == 1  # a label names no suffix, or A1.jpg.txt the photo as it is
        return
    message = str(refused(root))
    name = written.removesuffix(".jpg") if form == "yolo" else written
    assert f"the image {name} is missing" in message
    assert "; " + (there if there.isprintable() else repr(there)) + " is there" in message
    assert (".tiff, .webp are read" in message) == (there == "A1.heic")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("A\n1.jpg", "it holds U+000A, a character that controls or breaks a line"),
        ("A\x1b[31m1.jpg", "it holds U+001B"),
        ("A\x851.jpg", "it holds U+0085"),
        ("A\u20281.jpg", "it holds U+2028"),
        ("A\u202e1.jpg", "it holds U+202E, which turns the direction"),
        ("A\u20661.jpg", "it holds U+2066, which turns the direction"),
        (b"A\xff1.jpg".decode("utf-8", "surrogateescape"), "it is not written in UTF-8"),
    ],
)
def test_a_name_that_breaks_a_line_is_refused_with_the_reason(tmp_path, form, name, reason):
    root = one(tmp_path, form)
    image = next(root.rglob("A1.jpg"))
    image.rename(image.with_name(name))
    message = str(refused(root))
    assert "cannot be shown" in message
    assert reason in message


def test_a_name_that_an_annotation_breaks_is_refused_with_the_reason(tmp_path):
    root = one(tmp_path, "csv")
    named(root / "train", "A\u202e1.jpg", "csv")
    assert "annotations: it holds U+202E, which turns" in str(refused(root))


def test_a_file_of_exactly_the_name_comes_first(tmp_path):
    """Where the file system tells two spellings apart, so do the annotations."""
    rows = [(unicodedata.normalize(kind, "é.jpg"), letter, BOX) for kind, letter in (("NFC", "A"), ("NFD", "B"))]
    rows += [("A1.jpg", "C", BOX), ("A1.JPG", "D", BOX)]
    dataset = load(write_export(tmp_path, rows), "train")
    if len(set(dataset.files)) == len(rows):
        assert dict(zip(dataset.files, dataset.labels.tolist(), strict=True)) == {
            str(tmp_path / "train" / name): "ABCD".index(letter) for name, letter, _ in rows
        }

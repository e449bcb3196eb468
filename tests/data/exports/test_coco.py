"""COCO exports that hold, and the one line that each broken one gives."""

import copy
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.data.exports.sample import coco_content, loads, refused, write_export
from vitcourse.data.asl import load
from vitcourse.data.exports.coco import NAME


@pytest.fixture
def broken(tmp_path):
    """A function that writes an export whose annotations were changed; gives the export's folder."""

    def write(change):
        content = coco_content()
        root = write_export(tmp_path, form="coco")
        changed = change(content)
        text = changed if isinstance(changed, str) else json.dumps(content)
        (root / "train" / NAME).write_text(text, encoding="utf-8")
        return root

    return write


def setting(*path_and_value):
    """A change that sets one entry, given by its path."""
    *path, last, value = path_and_value

    def change(content):
        for key in path:
            content = content[key]
        content[last] = value

    return change


def dropping(*path):
    def change(content):
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


DEEP = "[" * 100_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dropping("images", 1, "id"), "images[1] must have a whole number from 0 as its id, got None"),
        (setting("images", 1, "id", "1"), "images[1] must have a whole number from 0 as its id, got '1'"),
        (setting("images", 1, "id", True), "images[1] must have a whole number from 0 as its id, got True"),
        (setting("images", 1, "id", 0), "images[1] has the id 0 of an earlier entry"),
        (setting("images", 1, "id", 10**4000), "images[1] must have a whole number"),
        (setting("annotations", 0, "id", 50), "annotations[1] has the id 50 of an earlier entry"),
        (setting("categories", 3, "id", 1), "categories[3] has the id 1 of an earlier entry"),
        (dropping("annotations", 0, "image_id"), "annotation 49: there is no image with the id None"),
        (setting("annotations", 0, "image_id", 7), "annotation 49: there is no image with the id 7"),
        (setting("annotations", 0, "image_id", [1]), "annotation 49: there is no image with the id [1]"),
        (setting("annotations", 0, "category_id", 99), "annotation 49: there is no category with the id 99"),
        (dropping("annotations", 0, "category_id"), "annotation 49: there is no category with the id None"),
        (setting("annotations", 0, "category_id", 0), "annotation 49: unknown letter 'Letters'"),
        (setting("categories", 26, "name", "z"), "annotation 49: unknown letter 'z'; the classes are A to Z"),
        (dropping("categories", 26, "name"), "annotation 49: unknown letter None"),
        (setting("annotations", 0, "iscrowd", 1), "annotation 49: it is marked as a crowd"),
        (setting("annotations", 0, "iscrowd", "no"), "annotation 49: it is marked as a crowd"),
        (setting("annotations", 0, "image_id", 0), "image 0, 'A1.jpg', has two boxes, annotations 49 and 50"),
        (dropping("images", 1), "annotation 49: there is no image with the id 1"),
        (dropping("annotations", 0, "bbox"), "annotation 49: bbox must be a list of x, y, width and height, got None"),
        (setting("annotations", 0, "bbox", [1, 2, 3]), "annotation 49: bbox must be a list"),
        (setting("annotations", 0, "bbox", [1, 2, "x", 3]), "annotation 49: bbox width must be a number, got 'x'"),
        (setting("annotations", 0, "bbox", [float("nan"), 2, 3, 4]), "annotation 49: bbox x must be a number, got nan"),
        (setting("annotations", 0, "bbox", [1, 2, 10**400, 4]), "annotation 49: bbox width must be a number, got 1"),
        (setting("annotations", 0, "bbox", [1, 2, 1e308, 4]), "annotation 49: the box leaves the image"),
        (setting("annotations", 0, "bbox", [30, 2, -9, 4]), "annotation 49: the box is inverted or empty"),
        (setting("images", 1, "file_name", "A1.jpg"), "image 1: A1.jpg is image 0 already"),
        (setting("images", 1, "file_name", "../Z1.jpg"), "image 1: '../Z1.jpg' is not the plain name of a file"),
        (setting("images", 1, "file_name", "/etc/passwd"), "image 1: '/etc/passwd' is not the plain name"),
        (setting("images", 1, "file_name", "..\\Z1.jpg"), "image 1: '..\\\\Z1.jpg' is not the plain name"),
        (setting("images", 1, "file_name", "Z\n1.jpg"), "image 1: 'Z\\n1.jpg' is not the plain name"),
        (setting("images", 1, "file_name", 5), "image 1: 5 is not the plain name"),
        (setting("images", 1, "file_name", "Z2.jpg"), "image 1, annotation 49: the image Z2.jpg is missing"),
        (setting("images", 1, "width", "wide"), "image 1: width must be a whole number of pixels above 0, got 'wide'"),
        (setting("images", 1, "width", 44), "Z1.jpg has 40 x 32 pixels, the annotation says 44 x 32"),
        (setting("images", 1, "width", 10**8), "Z1.jpg has 40 x 32 pixels, the annotation says 100000000 x 32"),
        (setting("images", 1, []), "images[1] must be an object, got []"),
        (setting("images", {}), "images must be a list, got {}"),
        (dropping("categories"), "categories must be a list, got None"),
        (lambda content: content.update(images=[], annotations=[]), "it lists no image"),
        (lambda content: "", "it is not whole JSON (Expecting value at column 1)"),
        (lambda content: json.dumps(content)[:700], "it is not whole JSON"),
        (lambda content: "[1, 2]", "it must hold an object with images, annotations and categories, got [1, 2]"),
        (lambda content: DEEP, "lists are too deep"),
        (lambda content: '{"images": ' + "9" * 5000 + "}", "a number is too long"),
    ],
)
def test_a_fault_is_named(broken, change, words):
    error = refused(broken(change))
    assert words in str(error)
    assert error.file.name == NAME


def test_truncated_json_is_named_with_its_row(broken):
    error = refused(broken(lambda content: json.dumps(content, indent=1)[:300]))
    assert error.row > 5


def test_a_byte_order_mark_is_no_fault(broken):
    assert len(load(broken(lambda content: "\ufeff" + json.dumps(content)), "train")) == 2


def test_categories_in_another_order_are_read_by_name(broken):
    def shuffle(content):
        names = [category["name"] for category in content["categories"]]
        random.Random(0).shuffle(names)
        for category, name in zip(content["categories"], names, strict=True):
            category["name"] = name
        ids = {category["name"]: category["id"] for category in content["categories"]}
        for annotation in content["annotations"]:
            annotation["category_id"] = ids["AZ"[annotation["image_id"]]]
        content["categories"].reverse()

    assert load(broken(shuffle), "train").labels.tolist() == [0, 25]


ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 60), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def paths(node, path=()):
    """Every place in a document."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in entries:
        yield (*path, key)
        yield from paths(child, (*path, key))


WHOLE = coco_content()
WHOLE["categories"] = [WHOLE["categories"][i] for i in (0, 1, 26)]  # few, so that most changes hit what matters


def test_any_change_loads_whole_or_is_named(tmp_path):
    root, outcomes = write_export(tmp_path, form="coco"), []

    @settings(max_examples=200, suppress_health_check=list(HealthCheck), deadline=None, database=None)
    @given(
        places=st.lists(st.sampled_from(list(paths(WHOLE))), min_size=1, max_size=2),
        value=ANYTHING,
        drop=st.booleans(),
        cut=st.none() | st.integers(0, 2000),
    )
    def change(places, value, drop, cut):
        content = copy.deepcopy(WHOLE)
        for place in places:
            if exists(content, place):
                (dropping(*place) if drop else setting(*place, copy.deepcopy(value)))(content)
        (root / "train" / NAME).write_text(json.dumps(content)[:cut], encoding="utf-8", errors="replace")
        outcomes.append(loads(root, 2))

    change()
    assert len(outcomes) >= 150
    assert set(outcomes) == {True, False}


def exists(content, place) -> bool:
    for key in place:
        keys = content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
        if key not in keys:
            return False
        content = content[key]
    return True

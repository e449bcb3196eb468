"""The drawing of the Transformer and the code that its boxes lead to."""

import re
from xml.etree import ElementTree as ET

import pytest

from vitcourse.errors import InputError
from vitcourse.figures.drawings import NAMES, drawing, listings, without_docstrings


def first(x):
    """Not shown."""
    total = x + 1  # shown
    return total < 3


def second(x):
    """Not shown

    either.
    """

    def inner(y):
        """Nor is this."""
        return y

    return inner(x)


def pieces(**changes):
    """Two functions that hold the lines of all boxes."""
    most = " ".join(name for name in NAMES if name not in ("linear", "softmax"))
    marks = {"total": {most: "total = "}, "linear": {"linear": "return total"}, "softmax": {"softmax": "inner(x)"}}
    marks |= changes
    return [(first, marks["total"] | marks["linear"]), (second, marks["softmax"])]


def elements(page, kind):
    """The elements of one kind in the drawing; it must be well-formed."""
    svg = re.search(r"<svg.*</svg>", page._repr_html_(), re.DOTALL)[0]
    return list(ET.fromstring(svg).iter(kind))


def test_every_box_of_the_drawing_has_a_line_of_code():
    links = [link.get("href") for link in elements(drawing(["a", "b"], "c", "d"), "a")]
    html = listings(pieces())._repr_html_()
    ids = re.findall(r'id="(code-[\w-]+)"', html)
    assert {link.removeprefix("#") for link in links} == set(ids) == {f"code-{name}" for name in NAMES}
    assert len(ids) == len(set(ids))
    assert 'href="#the-figure"' in html


def test_a_box_is_named_for_who_cannot_see_it():
    page = drawing(["a"], "b", "c")
    labels = [link.get("aria-label") for link in elements(page, "a")]
    words = [link.find("text").text for link in elements(page, "a")]
    assert len(words) == 19
    assert labels == [f"{text}: to its code" for text in words]
    assert "Every box is a link" in repr(page)


def test_the_example_stands_at_the_ends():
    texts = {text.text: text for text in elements(drawing(["one", "two & three"], "read <it>", "written"), "text")}
    assert float(texts["one"].get("y")) < float(texts["two & three"].get("y"))
    assert float(texts["written"].get("y")) < 60 < 500 < float(texts["read <it>"].get("y"))
    assert texts["one"].get("x") != texts["written"].get("x") == texts["read <it>"].get("x")


def test_all_lies_on_the_paper():
    page = drawing(["one"], "two", "three")
    for box in elements(page, "rect"):
        x, y, width, height = (float(box.get(side)) for side in ("x", "y", "width", "height"))
        assert 0 <= x < x + width <= 412
        assert 0 <= y < y + height <= 560
    points = [point for line in elements(page, "polyline") for point in line.get("points").split()]
    assert all(0 <= float(x) <= 412 and 0 <= float(y) <= 560 for x, y in (point.split(",") for point in points))


def test_docstrings_are_left_out_and_comments_are_not():
    assert without_docstrings(first) == "def first(x):\n    total = x + 1  # shown\n    return total < 3"
    assert without_docstrings(second).splitlines() == [
        *("def second(x):", "", "    def inner(y):", "        return y", "", "    return inner(x)")
    ]


def test_the_line_of_a_box_is_framed_and_code_is_escaped():
    html = listings(pieces())._repr_html_()
    framed = re.search(r'id="code-linear"><span class="is-box">(.*?)</span></span>\s*</pre>', html)[1]
    assert re.sub("<[^>]*>", "", framed).split() == ["return", "total", "&lt;", "3"]
    assert html.count('class="is-box"') == 3
    assert "test_drawings.py" in html


WRONG = {
    "nowhere": ({"linear": {"linear": "x + 9"}}, r"'x \+ 9' must be in one line of first, and is in 0"),
    "twice": ({"linear": {"linear": "total"}}, "'total' must be in one line of first, and is in 2"),
    "no line": ({"linear": {}}, "every box needs one line of code; look at linear"),
    "two lines": ({"softmax": {"softmax linear": "inner(x)"}}, "look at linear"),
    "no such box": ({"softmax": {"softmax dropout": "inner(x)"}}, "look at dropout"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_box_without_its_line_is_refused(case):
    changes, said = WRONG[case]
    with pytest.raises(InputError, match=said):
        listings(pieces(**changes))

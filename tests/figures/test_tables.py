"""Tables of results as a page, a notebook and a terminal show them."""

import re

import pytest

from vitcourse.figures.tables import table

COLUMNS = "form", "weights", "right"
ROWS = [("plain", 1_234, "9.5%"), ("fused <b>", 7, "10.0%")]


def test_a_terminal_aligns_numbers_at_their_end():
    assert repr(table(COLUMNS, ROWS)).splitlines() == [
        "form       weights  right",
        "plain        1,234   9.5%",
        "fused <b>        7  10.0%",
    ]


def test_names_that_begin_with_a_number_stand_to_the_left_as_names_do():
    assert table(("run", "right"), [("3 epochs", "9%"), ("10 epochs", "99%")]).numeric == [False, True]
    assert table(("width", "right"), [("8", "9%"), ("16", "99%")]).numeric == [True, True]


def test_a_page_names_each_row_and_column():
    html = table(COLUMNS, ROWS)._repr_html_()
    assert re.findall(r'<th scope="col"[^>]*>(.*?)</th>', html) == list(COLUMNS)
    assert re.findall(r'<th scope="row"[^>]*>(.*?)</th>', html) == ["plain", "fused &lt;b&gt;"]
    assert re.findall(r'<td style="text-align: right">(.*?)</td>', html) == ["1,234", "9.5%", "7", "10.0%"]


@pytest.mark.parametrize(
    ("columns", "row", "error"),
    [
        (("form", "loss"), ("plain", 0.123456789), TypeError),
        (("form", "loss"), ("plain", True), TypeError),
        (("form", "loss"), ("plain",), ValueError),
        (("form", ""), ("plain", "1"), ValueError),
        (("form", "loss"), ("", "1"), ValueError),
    ],
    ids=["a float", "a truth value", "a cell is missing", "no head", "no name"],
)
def test_what_a_reader_could_not_read_is_refused(columns, row, error):
    with pytest.raises(error):
        table(columns, [row])

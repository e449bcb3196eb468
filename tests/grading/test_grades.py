"""The table of grades, as a spreadsheet and a program read it."""

import csv

import pytest

from vitcourse.errors import InputError
from vitcourse.grading.grades import Row, folder_beside, inert, write

SIGNS = ["=", "+", "-", "@", "＝", "＋", "－", "＠"]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", " \u00a0", "\ufeff", "\u200b "])
def test_what_a_spreadsheet_would_compute_has_an_apostrophe_before_it(sign, before):
    assert inert(f"{before}{sign}1+1") == f"'{before}{sign}1+1"


@pytest.mark.parametrize("text", ["\tx", "\rx", "\nx"])
def test_a_text_that_begins_with_a_tab_or_the_end_of_a_line_has_one_too(text):
    assert inert(text) == f"'{text}"


def test_where_a_semicolon_parts_columns_the_next_column_is_inert_too():
    assert inert("anna;=1+1;b") == "anna;'=1+1;b"


@pytest.mark.parametrize(
    "text", ["", "anna", "Ann-Lee", "a=b", "o'hara", "'quoted", "x@y.org", "1+1", "attention.scores"]
)
def test_other_text_stays_as_it_is(text):
    assert inert(text) == text


def test_the_table_is_read_back_without_the_apostrophe(tmp_path):
    names = [f'{sign}HYPERLINK("http:x"),"y"' for sign in SIGNS]
    write([Row(name, "attention.scores", -1.0, 2.5, "@SUM(1)") for name in names], tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["student"] for row in rows] == [f"'{name}" for name in names]
    assert {row["misconception"] for row in rows} == {"'@SUM(1)"}
    assert {(row["points"], row["max_points"]) for row in rows} == {("-1", "2.5")}  # numbers are numbers


@pytest.mark.parametrize(
    ("out", "given", "again", "words"),
    [
        ("class.csv", ["class.csv"], True, "the table would take the place of what is to be read"),
        ("class.csv", [], True, "is there already, without the folder of a grading"),
        ("work.csv", ["work"], True, "go to the folder work beside it, which holds the submissions"),
        ("work.csv", [], True, "go to the folder work beside it, which is there already and holds something else"),
        ("file.csv", [], True, "go to the folder file beside it, which is there already and holds something else"),
        ("grades.csv", [], False, "go to the folder grades beside it, which is there already; name"),
        ("work", [], True, "must be a .csv file"),
    ],
)
def test_a_table_takes_the_place_of_an_earlier_one_alone(tmp_path, out, given, again, words):
    for file in ("class.csv", "work/anna.ipynb", "file", "grades.csv", "grades/gradebook.db"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(InputError, match=f"^{tmp_path / out}: .*{words}"):
        folder_beside(tmp_path / out, [tmp_path / name for name in given], again)
    for given in ("grades.csv", "new.csv", "work/new.csv"):
        assert folder_beside(tmp_path / given, [tmp_path / "work"]) == (tmp_path / given).with_suffix("")

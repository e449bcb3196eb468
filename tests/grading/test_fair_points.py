"""A class with a late policy, a rubric and several notebooks for one lesson: what counts, and what is said of it."""

import csv

import nbformat
import pytest

from tests.grading.assignment import LESSON, NAME, answered
from vitcourse.grading.settings import COURSE_ID

pytestmark = pytest.mark.grades
LATE = f"""
percent_per_day = 10
[deadlines]
{LESSON} = 2026-11-20T18:00:00
[handed_in.ben]
{LESSON} = 2026-11-22T17:00:00
[extensions.nobody]
{LESSON} = 2026-12-24
"""
WRONG = "return query @ key.transpose(-2, -1)"


@pytest.fixture(scope="module")
def graded(release, course, quick, tmp_path_factory):
    root = tmp_path_factory.mktemp("fair")
    right, partly, stub = answered(release), answered(release, scores=WRONG), release
    notebooks = {"ben/hw": right, "cleo/a": partly, "cleo/b": right, "cleo/c": stub, "dora/hw": partly}
    for name, notebook in notebooks.items():
        (root / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, root / "in" / f"{name}.ipynb")
    (root / "late.toml").write_text(LATE)
    (root / "rubric.toml").write_text('["attention.scores"]\nnot-scaled = 2.5')
    more = {"late": root / "late.toml", "rubric": root / "rubric.toml", "course": course}
    return quick(root / "in", "seed", root / "grades.csv", **more), root


def points_of(graded, student):
    return {row.exercise: row.points for row in graded.rows if row.student == student}


def line_of(graded, student):
    return next((line for line in graded.problems if line.startswith(student)), "")


def page_of(graded, student):
    return next(page for page in graded.pages if student in page.parts).read_text()


def test_what_is_late_loses_points_in_table_page_and_gradebook(graded):
    from nbgrader.api import Gradebook

    found, root = graded
    assert points_of(found, "ben") == {
        "attention.scores": 3,
        "attention.causal_mask": 3,
        "attention.cost": 3,
        f"{LESSON}/late": -1.8,
    }
    assert sum(row.max_points for row in found.rows if row.student == "ben") == 9
    assert line_of(found, "ben") == "ben (hw.ipynb): late by 1 d 23 h: 1.8 points are taken off"
    assert "7.2 of 9 points" in page_of(found, "ben")
    assert "1.8 points are taken off because the work came late" in page_of(found, "ben")
    with Gradebook(f"sqlite:///{root / 'grades' / 'gradebook.db'}", COURSE_ID) as gradebook:
        assert gradebook.find_submission_notebook(NAME, LESSON, "ben").late_submission_penalty == pytest.approx(1.8)


def test_the_totals_say_what_came_late_and_add_up(graded):
    found, root = graded
    with (root / "grades" / "totals.csv").open(newline="") as file:
        totals = {row["student"]: row for row in csv.DictReader(file)}
    assert {name: row["late"] for name, row in totals.items()} == {"ben": LESSON, "cleo": "", "dora": ""}
    for name, row in totals.items():
        assert float(row["total"]) == pytest.approx(sum(points_of(found, name).values()))
        assert row["max"] == "9"


def test_what_lateness_takes_off_is_no_exercise_of_the_class_page(graded):
    page = graded[0].report.read_text()
    assert "Of 9 points" in page
    assert f"{LESSON}/late" not in page


def test_who_is_named_in_the_policy_and_has_handed_in_nothing_is_named(graded):
    assert line_of(graded[0], str(graded[1])).endswith("late.toml: nobody of the class is called nobody")


def test_the_notebook_with_most_points_counts_and_all_are_named(graded):
    found, _ = graded
    assert sum(points_of(found, "cleo").values()) == 9
    words = "of 3 notebooks the one with most points counts, b.ipynb: c.ipynb (0), b.ipynb (9), a.ipynb (8.5)"
    assert line_of(found, "cleo") == f"cleo (b.ipynb): {words}"
    assert f"{words}." in page_of(found, "cleo")


def test_a_rubric_gives_a_mistake_its_points(graded):
    assert points_of(graded[0], "dora")["attention.scores"] == 2.5
    assert line_of(graded[0], "dora") == ""
    assert "8.5 of 9 points" in page_of(graded[0], "dora")

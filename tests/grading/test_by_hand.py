"""Points and comments by hand, when the answer that they were given to may have changed."""

from contextlib import contextmanager
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from vitcourse.grading.by_hand import ByHand

KINDS = dict.fromkeys(("grade", "solution", "task", "locked"), False)


def graded(source="def scores(): pass", misconception=None):
    """A notebook with one answer and its test, as it is when it has been judged."""
    answer = {"nbgrader": KINDS | {"grade_id": "scores", "solution": True}}
    test = {"nbgrader": KINDS | {"grade_id": "test", "grade": True}, "vitcourse": {"misconception": misconception}}
    return new_notebook(cells=[new_code_cell(source, metadata=answer), new_code_cell("checks", metadata=test)])


@pytest.fixture
def course(tmp_path):
    """Grades one submission after the other, and lets somebody give points and comments in between."""
    given = SimpleNamespace(manual_score=None, needs_manual_grade=False, manual_comment=None)
    gradebook = SimpleNamespace(
        find_grade=lambda *_: given, find_comment=lambda *_: given, db=SimpleNamespace(commit=lambda: None)
    )

    @contextmanager
    def opened():
        yield gradebook

    def grade(*args, **kwargs):
        step, now = ByHand(opened, ("a", "b", "c"), tmp_path / "graded.ipynb"), graded(*args, **kwargs)
        step.compare(now, {})
        given.needs_manual_grade = given.manual_score is not None  # as nbgrader does each time
        step.mark(now, {})
        nbformat.write(now, tmp_path / "graded.ipynb")
        return step.changed

    assert grade() == []
    return SimpleNamespace(grade=grade, given=given)


def test_the_same_answer_is_no_news(course):
    course.given.manual_score, course.given.manual_comment = 2.5, "Good."
    assert course.grade() == course.grade() == []
    assert not course.given.needs_manual_grade


@pytest.mark.parametrize("new", [{"source": "def scores(): return 1"}, {"misconception": "not-scaled"}])
def test_another_answer_is_told_of_until_somebody_has_looked(course, new):
    course.given.manual_score = 2.5
    assert course.grade(**new) == course.grade(**new) == ["test"]
    assert course.given.needs_manual_grade
    course.given.needs_manual_grade = False  # "Resolve"
    assert course.grade(**new) == []
    assert course.grade() == ["test"], "points were confirmed for the answer before"


def test_the_answer_that_the_points_were_given_to_is_right_again(course):
    course.given.manual_score = 0.0
    assert course.grade("x = 1") == ["test"]
    assert course.grade() == []


def test_other_points_are_points_for_the_answer_that_is_there(course):
    course.given.manual_score = 2.5
    assert course.grade("x = 1") == ["test"]
    course.given.manual_score = 3.0
    assert course.grade("x = 1") == []


def test_a_comment_alone_is_told_of_too(course):
    course.given.manual_comment = "Why?"
    assert course.grade("x = 1") == course.grade("x = 1") == ["test"]
    assert not course.given.needs_manual_grade
    course.given.manual_comment = "Now I see."
    assert course.grade("x = 1") == []


def test_what_nobody_gave_is_not_told_of(course):
    assert course.grade("x = 1") == []

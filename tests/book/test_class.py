"""The course itself, built for a class: no solution is anywhere in what is written.

The lessons are executed once for both profiles, so this costs only the writing of the pages.
"""

from functools import cache
from pathlib import Path

import pytest
from small_books import build
from solution_text import leaks, marks

from vitcourse.notebooks import source_exercises

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "_build"

pytestmark = pytest.mark.skipif(not source_exercises(ROOT), reason="the course has no exercises yet")
wanted = cache(lambda: marks(ROOT))


@pytest.fixture(scope="module")
def class_output() -> Path:
    done = build(ROOT, "--profile", "class", "--if-stale")
    assert done.returncode == 0, done.stdout
    return BUILD / "class"


def test_every_solution_can_be_told_from_what_is_public():
    assert [exercise for exercise, mark in wanted().items() if not mark.lines] == []


def test_the_book_for_self_study_holds_every_solution():
    """The search finds what there is to find: without this, the next test would prove nothing."""
    assert (BUILD / "html" / "index.html").exists(), "no built book: run `make book`"
    assert [exercise for exercise, files in leaks(BUILD / "html", wanted()).items() if not files] == []


def test_the_book_for_a_class_holds_none(class_output):
    assert len(list((class_output / "html" / "lessons").rglob("*_exercises.html"))) == len(source_exercises(ROOT))
    assert {exercise: files for exercise, files in leaks(class_output, wanted()).items() if files} == {}

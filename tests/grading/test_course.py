"""nbgrader's part: release, gradebook, points by hand, comments, feedback pages."""

import dataclasses
import runpy
import shutil
import sqlite3
from pathlib import Path

import nbformat
import pytest
from traitlets.config import Config

from tests.grading.assignment import LESSON, NAME, answered, cell_of, write_course
from vitcourse.errors import InputError
from vitcourse.grading.course import Course
from vitcourse.grading.master import COURSE, find_master
from vitcourse.grading.run import assign
from vitcourse.grading.settings import COURSE_ID, settings
from vitcourse.notebooks import learner_copy
from vitcourse.notebooks.files import source_exercises

EXERCISES = source_exercises(COURSE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, course_by_hand):
    """Two submissions."""
    root = tmp_path_factory.mktemp("submissions")
    release = nbformat.read(assign(LESSON, root / "handout", course_by_hand), as_version=4)
    for student, body in (("anna", None), ("ben", "return query @ key.T")):
        notebook = answered(release, **({"scores": body} if body else {}))
        cell_of(notebook, "essay").source = f"{student} says: it keeps the softmax <i>soft</i>."
        (root / "in" / student).mkdir(parents=True)
        nbformat.write(notebook, root / "in" / student / f"{NAME}.ipynb")
    return root / "in"


@pytest.fixture(scope="module")
def graded_twice(folder, course_by_hand, quick, tmp_path_factory):
    """Graded, given points and a comment by hand, and graded again."""
    from nbgrader.api import Gradebook

    out = tmp_path_factory.mktemp("out") / "grades.csv"
    first = quick(folder, "seed", out, course=course_by_hand)
    with Gradebook(f"sqlite:///{out.with_suffix('') / 'gradebook.db'}", COURSE_ID) as gradebook:
        for cell, points in (("essay", 3.5), ("scores-check", 2.25)):
            found = gradebook.find_grade(cell, NAME, LESSON, "ben")
            found.manual_score, found.needs_manual_grade = points, False
        gradebook.find_comment("essay", NAME, LESSON, "ben").manual_comment = "Good, but <why>?"
        gradebook.db.commit()
    second = quick(folder, "another seed", out, course=course_by_hand)
    return first, second


def points_of(graded, student):
    return {row.exercise: row.points for row in graded.rows if row.student == student}


def test_an_answer_in_words_is_given_out_without_the_model_answer_and_asks_for_words(course_by_hand, tmp_path):
    release = nbformat.read(assign(LESSON, tmp_path / "handout", course_by_hand), as_version=4)
    assert cell_of(release, "essay").source == "YOUR ANSWER HERE"


def test_answers_in_words_wait_for_points_by_hand(graded_twice):
    first, second = graded_twice
    assert (first.by_hand, second.by_hand) == (2, 1)
    unread = {page.parts[-3]: "not read yet" in page.read_text() for page in second.pages}
    assert unread == {"anna": True, "ben": False}
    assert points_of(first, "anna")[f"{LESSON}/essay"] == 0
    assert sum(points_of(first, "anna").values()) == 9


def test_points_by_hand_are_kept_when_all_is_graded_again(graded_twice):
    first, second = graded_twice
    assert points_of(second, "ben")[f"{LESSON}/essay"] == 3.5
    assert points_of(second, "ben")["attention.scores"] == 2.25 != points_of(first, "ben")["attention.scores"]
    assert points_of(second, "anna") == points_of(first, "anna")


def test_the_page_shows_points_and_comment_of_the_gradebook(graded_twice):
    page = next(page for page in graded_twice[1].pages if "ben" in page.parts).read_text()
    assert "11.75 of 13 points" in page
    assert "Good, but &lt;why&gt;?" in page
    assert "ben says: it keeps the softmax &lt;i&gt;soft&lt;/i&gt;." in page


def test_nbgraders_own_commands_find_their_settings(graded_twice):
    root = graded_twice[0].pages[0].parents[3]
    config = Config()
    runpy.run_path(str(root / "nbgrader_config.py"), {"get_config": lambda: config})
    assert config.CourseDirectory.root == str(root)
    assert config.CourseDirectory.course_id == COURSE_ID
    with sqlite3.connect(root / "gradebook.db") as database:
        assert database.execute("select count(*) from student").fetchone() == (2,)


def test_the_repositorys_settings_point_at_its_lessons():
    config = Config()
    runpy.run_path(str(COURSE / "nbgrader_config.py"), {"get_config": lambda: config})
    assert Path(config.CourseDirectory.root, config.CourseDirectory.source_directory) == COURSE / "lessons"
    assert config.CourseDirectory.notebook_id == "*_exercises"


def test_submissions_of_other_exercises_are_not_mixed_in(graded_twice, folder, course_by_hand, tmp_path):
    root = graded_twice[0].pages[0].parents[3]
    other = write_course(tmp_path)
    with pytest.raises(InputError, match="holds submissions of other exercises than those of today"):
        Course(root).release(find_master(LESSON, other))


def test_only_the_exercises_are_released(course, release, tmp_path):
    file = assign(LESSON, tmp_path / "handout", course)
    assert [path.name for path in (tmp_path / "handout").rglob("*")] == [f"{NAME}.ipynb"]
    text = file.read_text()
    assert "SOLUTION" not in text
    assert "query @ key" not in text
    assert text.count("raise NotImplementedError()") == 3
    assert 'checks.summary(\\"01_attention\\")' in text
    assert text.count("raises-exception") >= 6  # "Run All" goes on, as in a learner's own copy
    assert cell_of(release, "scores-check").metadata.nbgrader.checksum


def test_the_release_reads_well_in_any_program(release):
    (card,) = (cell.source for cell in release.cells if cell.id == "scores-card")
    assert ":::" not in card
    assert "3" in card


@pytest.fixture(scope="module")
def solved(tmp_path_factory, launcher, quick):
    """Every assignment of the course, handed in with its solutions and graded: the grades, and the folder of grades."""
    root = tmp_path_factory.mktemp("solved")
    for path in EXERCISES:
        (root / "in" / path.parent.name).mkdir(parents=True)
        shutil.copy(path, root / "in" / path.parent.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "limits", dataclasses.replace(launcher.limits, cell_seconds=30, memory_gb=2.0))
        return quick(root / "in", "another", root / "grades.csv"), root / "grades"


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_nbgraders_release_is_the_learners_copy(path, solved):
    release = nbformat.read(solved[1] / "release" / path.parent.name / path.name, as_version=4)
    copied = learner_copy(nbformat.read(path, as_version=4))
    code = [[cell.source for cell in notebook.cells if cell.cell_type == "code"] for notebook in (release, copied)]
    assert code[0] == code[1]
    assert "raise NotImplementedError()" in "".join(code[0])


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_the_solutions_of_the_course_get_all_points(path, solved):
    """In the graded class as on the page: with another seed, through the proxy, in an isolated kernel."""
    rows = [row for row in solved[0].rows if row.student == path.parent.name]
    assert len(rows) >= 5
    assert [(row.exercise, row.misconception) for row in rows if row.points < row.max_points] == []
    assert [line for line in solved[0].problems if line.startswith(path.parent.name)] == []


def test_settings_do_not_mind_where_they_are_made_for(tmp_path):
    config = settings(tmp_path / "a" / ".." / "b")
    assert config.CourseDirectory.root == str(tmp_path / "b")


def test_what_cannot_be_recorded_at_all_has_rows_and_a_line_all_the_same(
    folder, course_by_hand, quick, tmp_path, monkeypatch
):
    right = Course.autograde

    def autograde(self, master, student, *rest):
        if student == "anna":
            raise OSError("no room")
        return right(self, master, student, *rest)

    monkeypatch.setattr(Course, "autograde", autograde)
    graded = quick(folder, "seed", tmp_path / "grades.csv", course=course_by_hand)
    assert sum(points_of(graded, "anna").values()) == 0
    assert {row.misconception for row in graded.rows if row.student == "anna"} == {"not-graded"}
    (line,) = graded.problems
    assert line.startswith("anna (attention_exercises.ipynb): The notebook could not be graded: OSError: no room")
    assert sum(points_of(graded, "ben").values()) > 0

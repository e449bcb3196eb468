"""Reading an assignment's source; a fault in it is the instructor's, and is named."""

import nbformat
import pytest

from tests.grading.assignment import LESSON, NAME, cell_of, function, source, write_course
from vitcourse.errors import InputError
from vitcourse.grading.master import COURSE, find_master, load_masters


def test_the_test_cells_say_what_is_asked_for(course):
    master = find_master(LESSON, course)
    facts = [(task.cell, task.exercise, task.name, task.points) for task in master.tasks.values()]
    assert facts == [
        ("scores-check", "attention.scores", "scores", 3.0),
        ("causal_mask-check", "attention.causal_mask", "causal_mask", 3.0),
        ("cost-check", "attention.cost", "cost", 3.0),
    ]
    assert master.tasks["scores-check"].solution == function("scores")


@pytest.mark.parametrize(
    "line",
    [
        "checks.attention.scores(scores, 3)",
        "checks.attention.scores(scores, seed=3)",
        "checks.attention.scores(lambda q, k: q)",
        "checks.attention.scores(scores); 1",
        "attention.scores(scores)",
        "checks.attention.scores",
        "checks.attention.scores(",
    ],
)
def test_a_test_cell_of_another_form_is_refused(tmp_path, line):
    write_course(tmp_path)
    notebook = source()
    cell_of(notebook, "scores-check").source = line
    nbformat.write(notebook, tmp_path / "lessons" / LESSON / f"{NAME}.ipynb")
    with pytest.raises(InputError, match=r"attention_exercises.ipynb: cell scores-check: a test cell is one line"):
        load_masters(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda nb: cell_of(nb, "scores-check").metadata.nbgrader.update(points=4), "4 points, but 3 in checks"),
        (lambda nb: cell_of(nb, "scores-check").update(source="checks.attention.no(scores)"), "'attention.no'"),
        (lambda nb: nb.metadata.vitcourse.update(lesson="02_other"), "the lesson '02_other'"),
    ],
)
def test_a_fault_is_named(tmp_path, change, words):
    write_course(tmp_path)
    notebook = source()
    change(notebook)
    nbformat.write(notebook, tmp_path / "lessons" / LESSON / f"{NAME}.ipynb")
    with pytest.raises(InputError, match=words):
        load_masters(tmp_path)


def test_an_unknown_lesson_is_named_beside_those_there_are(course, tmp_path):
    with pytest.raises(InputError, match="no exercises for '07_x'; there are some for: 01_attention"):
        find_master("07_x", course)
    with pytest.raises(InputError, match="there are no exercises"):
        load_masters(tmp_path)


def test_the_course_is_found():
    assert (COURSE / "lessons").is_dir()

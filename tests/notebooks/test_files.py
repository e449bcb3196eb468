"""What is derived from the notebooks of a course, and what is refused."""

from pathlib import Path

import nbformat
import pytest

from tests.notebooks import sample
from vitcourse.errors import InputError
from vitcourse.notebooks import answer_keys, learner_notebooks, source_exercises


@pytest.fixture
def course(tmp_path) -> Path:
    folder = tmp_path / "lessons" / sample.LESSON
    folder.mkdir(parents=True)
    nbformat.write(sample.lesson_notebook(), folder / "attention.ipynb")
    nbformat.write(sample.exercises_notebook(), folder / "attention_exercises.ipynb")
    return tmp_path


def names(files: list[Path], root: Path) -> list[str]:
    return [file.relative_to(root).as_posix() for file in files]


def test_learners_get_every_notebook_and_the_key_has_the_solutions(course):
    copies, keys = learner_notebooks(course), answer_keys(course)
    exercises = Path("01_attention/attention_exercises.ipynb")
    assert [*copies] == [Path("01_attention/attention.ipynb"), exercises]
    assert [*keys] == [exercises]
    texts = [nbformat.writes(notebook) for notebook in (*copies.values(), *keys.values())]
    assert [sample.SECRET_LINE in text for text in texts] == [False, False, True]
    assert all(":::" not in text for text in texts)


def test_an_address_brings_the_setup_cell(course):
    copies = learner_notebooks(course, "https://github.com/some/course")
    assert [copy.cells[0].id for copy in copies.values()] == ["course-setup", "course-setup"]


def test_a_fault_names_the_notebook_and_the_cell(course):
    path = course / "lessons" / sample.LESSON / "attention_exercises.ipynb"
    nbformat.write(sample.exercises_notebook(sample.SOLUTION.replace("### END SOLUTION", "")), path)
    with pytest.raises(InputError, match=r"attention_exercises\.ipynb: .*END SOLUTION"):
        learner_notebooks(course)


@pytest.mark.parametrize("wrong", ["attention_exercises", "other"])
def test_name_and_metadata_must_agree(course, wrong):
    folder = course / "lessons" / sample.LESSON
    kind = sample.lesson_notebook if wrong == "attention_exercises" else sample.exercises_notebook
    nbformat.write(kind(), folder / f"{wrong}.ipynb")
    with pytest.raises(InputError, match=rf"{wrong}\.ipynb: .*vitcourse\.kind"):
        learner_notebooks(course)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"nbformat": 4}',
        '{"nbformat": 9, "nbformat_minor": 0, "metadata": {}, "cells": []}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": "1"}]}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": [], "cells": []}',
    ],
)
def test_a_file_that_is_no_notebook_is_named(course, text):
    (course / "lessons" / sample.LESSON / "broken.ipynb").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.ipynb: not a notebook"):
        learner_notebooks(course)


def test_exercises_are_found_by_name(course):
    assert names(source_exercises(course), course) == ["lessons/01_attention/attention_exercises.ipynb"]

"""What `make notebooks` writes, and what it refuses."""

from pathlib import Path

import nbformat
import pytest

from tests.notebooks import sample
from vitcourse.errors import InputError
from vitcourse.notebooks import source_exercises, write_derived


@pytest.fixture
def course(tmp_path) -> Path:
    folder = tmp_path / "lessons" / sample.LESSON
    folder.mkdir(parents=True)
    nbformat.write(sample.lesson_notebook(), folder / "attention.ipynb")
    nbformat.write(sample.exercises_notebook(), folder / "attention_exercises.ipynb")
    return tmp_path


def names(files: list[Path], root: Path) -> list[str]:
    return [file.relative_to(root).as_posix() for file in files]


def test_copies_and_keys_have_folders_of_their_own(course):
    files = write_derived(course, course / "out")
    assert names(files, course / "out") == [
        "learner/01_attention/attention.ipynb",
        "learner/01_attention/attention_exercises.ipynb",
        "key/01_attention/attention_exercises.ipynb",
    ]
    texts = [file.read_text(encoding="utf-8") for file in files]
    assert [sample.SECRET_LINE in text for text in texts] == [False, False, True]
    assert all(":::" not in text for text in texts)
    assert list(course.rglob("*.partial")) == []


def test_a_lesson_that_is_gone_leaves_no_copy(course):
    write_derived(course, course / "out")
    (course / "lessons" / sample.LESSON / "attention.ipynb").unlink()
    write_derived(course, course / "out")
    assert names(sorted((course / "out" / "learner").rglob("*.ipynb")), course / "out" / "learner") == [
        "01_attention/attention_exercises.ipynb"
    ]


def test_an_address_brings_the_setup_cell(course):
    files = write_derived(course, course / "out", repository="https://github.com/some/course")
    first = [nbformat.read(file, as_version=4).cells[0].id for file in files]
    assert first == ["course-setup", "course-setup", "title"]


def test_a_fault_names_the_notebook_and_the_cell(course):
    path = course / "lessons" / sample.LESSON / "attention_exercises.ipynb"
    nbformat.write(sample.exercises_notebook(sample.SOLUTION.replace("### END SOLUTION", "")), path)
    with pytest.raises(InputError, match=r"attention_exercises\.ipynb: .*END SOLUTION"):
        write_derived(course, course / "out")
    assert not (course / "out").exists()


@pytest.mark.parametrize("wrong", ["attention_exercises", "other"])
def test_name_and_metadata_must_agree(course, wrong):
    folder = course / "lessons" / sample.LESSON
    kind = sample.lesson_notebook if wrong == "attention_exercises" else sample.exercises_notebook
    nbformat.write(kind(), folder / f"{wrong}.ipynb")
    with pytest.raises(InputError, match=rf"{wrong}\.ipynb: .*vitcourse\.kind"):
        write_derived(course, course / "out")


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
        write_derived(course, course / "out")


def test_exercises_are_found_by_name(course):
    assert names(source_exercises(course), course) == ["lessons/01_attention/attention_exercises.ipynb"]

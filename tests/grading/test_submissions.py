"""Finding and reading what was handed in, of whatever kind."""

import json
import os

import nbformat
import pytest

from tests.grading.assignment import LESSON, NAME, answered
from vitcourse.errors import InputError
from vitcourse.grading import pieces, reading
from vitcourse.grading.master import load_masters
from vitcourse.grading.submissions import MISSING, NO_NOTEBOOK, UNREADABLE, collect


@pytest.fixture
def masters(course):
    return load_masters(course)


@pytest.fixture
def put(tmp_path, release):
    """Writes a file into the folder of submissions: the release, a notebook, a text, or anything for JSON."""

    def put(name, content=None):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = release if content is None else content
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return put


def test_folders_and_files_are_students(put, tmp_path, masters):
    put("anna/attention_exercises.ipynb")
    put("ben/attention_exercises (1).ipynb")
    put("carl.ipynb")
    put("dora/notes.txt", "text")
    (tmp_path / "emil").mkdir()
    put(".DS_Store", "text")
    put("readme.txt", "text")
    put("__MACOSX/x.ipynb")
    put("anna/.ipynb_checkpoints/attention_exercises-checkpoint.ipynb")
    found = collect([tmp_path], masters)
    assert [(entry.student, entry.lesson, entry.problem) for entry in found] == [
        ("anna", LESSON, None),
        ("ben", LESSON, None),
        ("carl", LESSON, None),
        ("dora", LESSON, NO_NOTEBOOK),
        ("emil", LESSON, MISSING),
    ]
    assert [cell.grade_id for cell in found[1].cells if cell.grade_id][:3] == ["imports", "scores", "scores-check"]


@pytest.mark.parametrize("handed_in", ["metadata", "cells", "name"])
def test_the_lesson_is_known_by_what_is_left_of_the_notebook(put, tmp_path, masters, release, handed_in):
    notebook = json.loads(nbformat.writes(answered(release)))
    if handed_in != "metadata":
        del notebook["metadata"]
    if handed_in == "name":
        for cell in notebook["cells"]:
            cell["metadata"] = {}
    put(f"anna/{NAME}_final.ipynb" if handed_in == "name" else "anna/x.ipynb", notebook)
    (entry,) = collect([tmp_path], masters)
    assert (entry.lesson, entry.problem) == (LESSON, None)


def test_a_lesson_among_the_files_is_no_submission(put, tmp_path, masters):
    put("anna/x.ipynb")
    put("anna/attention.ipynb", {"cells": [], "metadata": {"vitcourse": {"lesson": LESSON, "kind": "lesson"}}})
    put("anna/own.ipynb", {"cells": [], "metadata": {}})
    (entry,) = collect([tmp_path], masters)
    assert entry.path.name == "x.ipynb"


def test_of_two_notebooks_the_one_changed_last_counts_and_a_broken_one_does_not(put, tmp_path, masters):
    old, new, broken = put("anna/b.ipynb"), put("anna/a.ipynb"), put(f"anna/{NAME}.ipynb", "{")
    for age, path in enumerate((broken, new, old)):
        os.utime(path, (1_000_000 - age, 1_000_000 - age))
    (entry,) = collect([tmp_path], masters)
    assert entry.path == new
    assert "b.ipynb was left aside" in entry.notes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "it is empty"),
        ("<!DOCTYPE html><html>", "it is a web page"),
        ("%PDF-1.7", "it is a PDF"),
        ("{ not a notebook", "JSONDecodeError"),
        ("[" * 100_000, "RecursionError"),
        ("[1, 2]", "it is no notebook"),
        ('{"cells": 5}', "it has no cells"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "JSONDecodeError"),
    ],
)
def test_what_cannot_be_read_is_named_and_kept(put, tmp_path, masters, content, words):
    put("anna/attention_exercises.ipynb", content)
    (entry,) = collect([tmp_path], masters)
    assert (entry.lesson, entry.problem) == (LESSON, UNREADABLE)
    assert words in entry.detail


def test_a_broken_file_belongs_to_the_lesson_that_the_others_hand_in(put, tmp_path, masters):
    put("anna/x.ipynb", "{")
    put("ben/y.ipynb")
    found = collect([tmp_path], masters)
    assert [(entry.student, entry.lesson) for entry in found] == [("anna", LESSON), ("ben", LESSON)]


def test_links_and_pipes_are_not_opened(put, tmp_path, masters):
    target = put("anna/x.ipynb")
    for name in ("ben", "carl"):
        (tmp_path / name).mkdir()
    (tmp_path / "ben" / f"{NAME}.ipynb").symlink_to(target)
    os.mkfifo(tmp_path / "carl" / f"{NAME}.ipynb")
    (tmp_path / "dora").symlink_to(tmp_path / "anna", target_is_directory=True)
    found = {entry.student: entry for entry in collect([tmp_path], masters)}
    assert found["ben"].problem == UNREADABLE
    assert found["carl"].detail == "it is no file"
    assert "dora" not in found


def test_a_file_that_is_too_large_is_not_read(put, tmp_path, masters, monkeypatch):
    monkeypatch.setattr(pieces, "LARGEST", 2**20)
    put("anna/attention_exercises.ipynb", " " * 2**21)
    (entry,) = collect([tmp_path], masters)
    assert entry.detail == "it has more than 1 MB"


def test_cells_of_every_kind_are_read_as_text(put, tmp_path, masters):
    cells = [
        {"cell_type": "code", "source": ["a\n", "b", 7], "metadata": {"nbgrader": {"grade_id": "scores"}}},
        {"cell_type": "surprise", "source": 5},
        {"source": "half \ud800", "metadata": []},
        "no cell",
        {"cell_type": "code", "source": "x", "metadata": {"nbgrader": {"grade_id": ["list"]}}},
    ]
    put("anna/x.ipynb", {"cells": cells, "worksheets": [{"cells": [{"cell_type": "code", "input": "old"}]}]})
    (entry,) = collect([tmp_path], masters)
    assert [(cell.kind, cell.source, cell.grade_id) for cell in entry.cells] == [
        ("code", "a\nb", "scores"),
        ("raw", "", None),
        ("raw", "half ?", None),
        ("code", "x", None),
        ("code", "old", None),
    ]


def test_a_folder_that_holds_no_submissions_is_refused(tmp_path, masters):
    with pytest.raises(InputError, match="no submissions in it"):
        collect([tmp_path], masters)
    with pytest.raises(InputError, match="no such folder"):
        collect([tmp_path / "none"], masters)


def test_where_nothing_names_a_lesson_and_there_are_several_it_is_refused(put, tmp_path, masters):
    put("anna/x.ipynb", "{")
    with pytest.raises(InputError, match=r"which lesson it is for \(there are: 01_attention, 02_other\)"):
        collect([tmp_path], {**masters, "02_other": masters[LESSON]})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"cells": [{"cell_type": "code", "source": ["x"] * 3000}]}, "it holds more than 2,000 values"),
        ({"cells": [], "other": [{}] * 3000}, "it holds more than 2,000 values"),
        ({"cells": [{"cell_type": "code", "source": "y" * 5000}]}, "its cells, with those of the notebooks before it"),
        ({"cells": [{"source": "x"}] * 60}, "it has 60 cells, more than 50"),
        ("[[" * 90 + "]]" * 90, "RecursionError"),
    ],
)
def test_a_notebook_that_would_grow_in_memory_is_named(put, tmp_path, masters, monkeypatch, content, words):
    for name, most in {"VALUES": 2000, "SOURCES": 4000, "CELLS": 50}.items():
        monkeypatch.setattr(reading, name, most)
    put(f"anna/{NAME}.ipynb", content)
    put("ben/hw.ipynb")
    anna, ben = collect([tmp_path], masters)
    assert (anna.problem, ben.problem) == (UNREADABLE, None)
    assert words in anna.detail


def test_what_is_read_of_a_student_has_an_end_altogether(put, tmp_path, masters, monkeypatch):
    """However many files there are; the notebooks come first, and other students have room of their own."""
    monkeypatch.setattr(pieces, "LARGEST", 300_000)
    for number in range(9):
        put(f"anna/{number}.json", {"data": "x" * 100_000})
    put("anna/z.ipynb")
    put("ben/hw.ipynb")
    anna, ben = collect([tmp_path], masters)
    assert (anna.problem, ben.problem) == (None, None)
    assert anna.notes == [
        "0.json (it has no cells), 1.json (it has no cells), 2.json (it has more than 0 MB, with what was read before "
        "it), 3.json (it has more than 0 MB, with what was read before it), 4.json (it has more than 0 MB, with what "
        "was read before it) and 4 more were passed over"
    ]


def test_a_file_that_cannot_be_looked_at_costs_itself_alone(put, tmp_path, masters, monkeypatch):
    put("anna/hw.ipynb")
    put("ben/hw.ipynb")
    right = reading._parse

    def parse(data):
        if fails:
            fails.pop()
            raise AttributeError("never seen such a thing")
        return right(data)

    fails = [1]
    monkeypatch.setattr(reading, "_parse", parse)
    anna, ben = collect([tmp_path], masters)
    assert (anna.problem, anna.detail) == (UNREADABLE, "its text is damaged (AttributeError)")
    assert ben.problem is None

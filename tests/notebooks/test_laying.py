"""`make notebooks` never writes over what a learner has done."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.notebooks import sample
from vitcourse.notebooks import lay_out

ROOT = Path(__file__).parents[2]
NAME = Path("01_attention/attention.ipynb")
NEW, NEW2 = "attention_new.ipynb", "attention_new2.ipynb"


def version(text: str, tag: str = "a") -> nbformat.NotebookNode:
    cells = [new_markdown_cell("# Attention", id="title"), new_code_cell(text, id="one", metadata={"tags": [tag]})]
    return new_notebook(cells=cells, metadata=sample.KERNEL)


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "notebooks"


def lay(folder: Path, text: str, tag: str = "a"):
    laid = lay_out({NAME: version(text, tag)}, folder)
    assert not list(folder.rglob("*.partial"))
    return laid


def code(folder: Path) -> dict[str, str]:
    """The last code cell of what lies there, by name."""
    found = {}
    for path in sorted(folder.rglob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        found[path.name] = [cell.source for cell in cells if cell.cell_type == "code" and cell.source][-1]
    return found


def edit(folder: Path, source: str | None = None, *, name: str = NAME.name, outputs: bool = False) -> None:
    """What a learner and Jupyter do to a notebook, and that it is saved."""
    path = folder / NAME.parent / name
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["widgets"] = {"state": {}}
    if source is not None:
        notebook.cells[-1].source = source
    if outputs:
        notebook.cells[-1].outputs, notebook.cells[-1].execution_count = [new_output("stream", text="1")], 1
        notebook.cells.append(new_code_cell("", id="empty"))  # JupyterLab's, below the last cell that was run
    nbformat.write(notebook, path)


def told(laid) -> tuple[int, int, list[str]]:
    return laid.written, laid.renewed, laid.notes


def test_what_is_missing_is_written_and_a_second_run_has_nothing_to_do(folder):
    assert told(lay(folder, "1")) == (1, 0, [])
    before = (folder / NAME).stat().st_mtime_ns
    assert told(lay(folder, "1")) == (0, 0, [])
    assert (folder / NAME).stat().st_mtime_ns == before
    (folder / NAME).unlink()
    assert told(lay(folder, "1")) == (1, 0, [])


@pytest.mark.parametrize(("text", "tag"), [("2", "a"), ("1", "raises-exception")])
def test_a_new_version_takes_the_place_of_what_nobody_touched(folder, text, tag):
    lay(folder, "1")
    assert told(lay(folder, text, tag)) == (0, 1, [])
    assert code(folder) == {NAME.name: text}
    assert nbformat.read(folder / NAME, as_version=4).cells[1].metadata.tags == [tag]


def test_work_stays_and_the_new_version_lies_beside_it(folder):
    lay(folder, "1")
    edit(folder, "mine")
    assert told(lay(folder, "1")) == (0, 0, [])
    note = f"{NAME}: it was changed, and stays; the course's new version lies beside it: {NEW}"
    assert told(lay(folder, "2")) == (1, 0, [note])
    assert told(lay(folder, "2")) == (0, 0, [])
    assert told(lay(folder, "3")) == (0, 1, [])
    assert code(folder) == {NAME.name: "mine", NEW: "3"}
    edit(folder, "mine, too", name=NEW)
    assert told(lay(folder, "4"))[:2] == (1, 0)
    assert code(folder) == {NAME.name: "mine", NEW: "mine, too", NEW2: "4"}


def test_a_new_version_that_takes_the_place_of_the_old_is_known(folder):
    lay(folder, "1")
    edit(folder, "mine")
    lay(folder, "2")
    edit(folder, "mine, in the new one", name=NEW)
    (folder / NAME.parent / NEW).replace(folder / NAME)
    assert told(lay(folder, "2")) == (0, 0, [])
    (folder / NAME).rename(folder / NAME.parent / "my own name.ipynb")
    assert told(lay(folder, "2")) == (1, 0, [])
    assert code(folder) == {NAME.name: "2", "my own name.ipynb": "mine, in the new one"}


def test_outputs_alone_are_no_work_and_it_is_said_that_they_are_gone(folder):
    lay(folder, "1")
    edit(folder, outputs=True)
    assert told(lay(folder, "1")) == (0, 0, [])
    note = f"{NAME}: brought up to date; only outputs had been added, which running it brings back"
    assert told(lay(folder, "2")) == (0, 1, [note])
    assert code(folder) == {NAME.name: "2"}


@pytest.mark.parametrize("text", ["", "{", '{"cells": [', "[]", "\x00"])
def test_what_is_no_notebook_stays(folder, text):
    lay(folder, "1")
    (folder / NAME).write_text(text, encoding="utf-8")
    note = f"{NAME}: it is no notebook that can be read, and stays; the course's new version lies beside it: {NEW}"
    assert told(lay(folder, "1")) == (1, 0, [note])
    assert (folder / NAME).read_text(encoding="utf-8") == text
    assert told(lay(folder, "1")) == (0, 0, [])


def test_a_notebook_without_our_record_is_the_learners(folder):
    (folder / NAME).parent.mkdir(parents=True)
    nbformat.write(version("mine"), folder / NAME)
    lay(folder, "1")
    assert code(folder) == {NAME.name: "mine", NEW: "1"}
    nbformat.write(version("2"), folder / NAME)  # but it holds what the course has now
    assert told(lay(folder, "2")) == (0, 0, [])


def test_a_folder_of_the_name_of_a_notebook_is_left_alone(folder):
    (folder / NAME).mkdir(parents=True)
    assert lay(folder, "1").written == 1
    assert (folder / NAME).is_dir()
    assert (folder / NAME.parent / NEW).is_file()


def test_a_link_that_leads_to_work_is_kept(folder, tmp_path):
    (folder / NAME).parent.mkdir(parents=True)
    nbformat.write(version("mine"), tmp_path / "work.ipynb")
    (folder / NAME).symlink_to(tmp_path / "work.ipynb")
    lay(folder, "1")
    assert (folder / NAME).is_symlink()
    assert (folder / NAME.parent / NEW).is_file()


def test_a_file_that_cannot_be_written_is_one_line_and_the_others_are_written(folder, monkeypatch):
    from vitcourse.notebooks import laying

    write = laying.write_whole

    def refuse(file, content):
        if file.name == NAME.name:
            raise PermissionError(13, "Permission denied", str(file))
        write(file, content)

    monkeypatch.setattr(laying, "write_whole", refuse)
    laid = lay_out({NAME: version("1"), NAME.with_name("other.ipynb"): version("2")}, folder)
    assert laid.failed
    assert told(laid) == (1, 0, [f"{NAME}: not written (Permission denied)"])
    assert code(folder) == {"other.ipynb": "2"}


def test_killed_at_any_moment_nothing_is_lost(folder, monkeypatch):
    lay(folder, "1")
    edit(folder, "mine")
    for moment in ("fsync", "replace"):
        with monkeypatch.context() as patch:

            def end(*_):
                raise KeyboardInterrupt

            patch.setattr(os, "fsync", end) if moment == "fsync" else patch.setattr(Path, "replace", end)
            with pytest.raises(KeyboardInterrupt):
                lay(folder, "2")
        assert code(folder) == {NAME.name: "mine"}
    lay(folder, "2")
    assert code(folder) == {NAME.name: "mine", NEW: "2"}


@pytest.mark.starts_programs
def test_the_program_says_what_it_did(tmp_path):
    lessons = tmp_path / "lessons" / sample.LESSON
    lessons.mkdir(parents=True)
    nbformat.write(sample.lesson_notebook(), lessons / "attention.ipynb")
    nbformat.write(sample.exercises_notebook(), lessons / "attention_exercises.ipynb")

    def derive() -> tuple[int, list[str]]:
        command = [sys.executable, ROOT / "book" / "programs" / "derive.py", "--root", tmp_path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()

    keys = "The 1 answer keys lie in _build/keys."
    assert derive() == (0, ["Your 2 notebooks lie in notebooks/ (2 written).", keys])
    assert sample.SECRET_LINE in (tmp_path / "_build/keys/01_attention/attention_exercises.ipynb").read_text()
    mine = tmp_path / "notebooks" / NAME
    mine.write_text(mine.read_text().replace("Attention", "My attention"))
    changed = sample.lesson_notebook()
    changed.cells[0].source = "# Attention, better told"
    nbformat.write(changed, lessons / "attention.ipynb")
    code, lines = derive()
    assert code == 0
    assert lines[0] == (
        "  notebooks/01_attention/attention.ipynb: it was changed, and stays; "
        "the course's new version lies beside it: attention_new.ipynb"
    )
    assert lines[1] == "Your 2 notebooks lie in notebooks/ (1 written)."
    (lessons / "attention.ipynb").write_text("{")
    assert derive()[1][0].startswith("The notebooks are not written.")
    assert "My attention" in mine.read_text()

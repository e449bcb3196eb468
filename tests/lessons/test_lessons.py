"""Every lesson runs from the top, as a reader runs it, within its time.

nbval executes a notebook and fails at the first cell that raises. A passing run is recorded under the notebook's key,
so that an unchanged notebook is not executed a second time.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from notebook_keys import kernel_environment, notebook_key

from vitcourse.notebooks import lesson_notebooks

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "_build"
LIMIT_SECONDS = 90
# Exercises hold no training: with the solutions in place they are checked in less time than a lesson takes.
EXERCISES_SECONDS = 60
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NOTEBOOKS = {path.relative_to(ROOT / "lessons").as_posix(): path for path in lesson_notebooks(ROOT)}


def execute(notebook: Path, build: Path) -> dict:
    """Run nbval on a notebook in the live mode: whether it passed, the seconds, and what pytest printed."""
    options = ["--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={2 * LIMIT_SECONDS}"]
    # The run stands alone: it takes nothing from this project's configuration and leaves no cache beside the notebook.
    alone = ["-q", "--no-header", "-c", os.devnull, f"--rootdir={notebook.parent}", "-p", "no:cacheprovider", "-x"]
    begin = time.monotonic()
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *alone, notebook],
        env=kernel_environment(build, "live"),
        cwd=notebook.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=4 * LIMIT_SECONDS,
    )
    seconds = round(time.monotonic() - begin, 1)
    return {"passed": run.returncode == 0, "seconds": seconds, "output": ANSI_COLOUR.sub("", run.stdout)}


def limit_of(name: str) -> float:
    return EXERCISES_SECONDS if name.endswith("_exercises.ipynb") else LIMIT_SECONDS


def recorded_run(notebook: Path, root: Path, build: Path) -> dict:
    """The run of this very notebook: the recorded one where nothing it depends on has changed, else a new one."""
    key = notebook_key(notebook, root, "live")
    record = build / "nbval" / f"{notebook.stem}.json"
    if record.exists():
        run = json.loads(record.read_text(encoding="utf-8"))
        if run["key"] == key:
            return run
    run = {"key": key, **execute(notebook, build)}
    if run["passed"] and run["seconds"] <= limit_of(notebook.name):  # else it is tried again: the machine was busy
        record.parent.mkdir(parents=True, exist_ok=True)
        unfinished = record.with_suffix(".partial")
        unfinished.write_text(json.dumps(run, indent=1), encoding="utf-8")
        unfinished.replace(record)
    return run


def test_there_are_lessons():
    assert NOTEBOOKS


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_lesson_runs_in_time(name):
    run = recorded_run(NOTEBOOKS[name], ROOT, BUILD)
    if not run["passed"]:
        pytest.fail(f"{name} failed after {run['seconds']} s:\n{run['output']}", pytrace=False)
    limit = limit_of(name)
    assert run["seconds"] <= limit, f"{name} took {run['seconds']} s, the limit is {limit} s"


@pytest.fixture
def small_lesson(tmp_path):
    """Writes a lesson of one cell into a root of its own."""
    (tmp_path / "requirements.txt").write_text("", encoding="utf-8")

    def write(source: str) -> Path:
        cell = {"cell_type": "code", "id": "one", "metadata": {}, "outputs": [], "execution_count": None}
        path = tmp_path / "lessons" / "01_small" / "small.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{**cell, "source": source}]}
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    return write


def test_a_failing_lesson_is_reported_and_not_recorded(small_lesson, tmp_path):
    notebook = small_lesson("assert 1 + 1 == 3, 'wrong on purpose'")
    run = recorded_run(notebook, tmp_path, tmp_path)
    assert not run["passed"]
    assert "assert 1 + 1 == 3" in run["output"]
    assert "wrong on purpose" in run["output"]
    assert not (tmp_path / "nbval").exists()


def test_a_passing_lesson_is_executed_once_and_live(small_lesson, tmp_path):
    mark = tmp_path / "runs.txt"
    source = f"import os\nassert 'VITCOURSE_STATIC' not in os.environ\nopen({str(mark)!r}, 'a').write('run\\n')"
    for _ in range(2):
        assert recorded_run(small_lesson(source), tmp_path, tmp_path)["passed"]
    assert mark.read_text(encoding="utf-8") == "run\n"
    assert recorded_run(small_lesson(source + "\n"), tmp_path, tmp_path)["passed"]
    assert mark.read_text(encoding="utf-8") == "run\nrun\n"

"""Every lesson runs from the top, as a reader runs it, whatever the clocks say; what it costs is recorded.

nbval executes a notebook and fails at the first cell that raises. A passing run is recorded under the notebook's key,
so that an unchanged notebook is not executed a second time.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cost import NAME, cells_key, notebooks
from notebook_keys import kernel_environment, notebook_key

from tests import own_sockets
from tests.helpers import unwritten
from vitcourse import results
from vitcourse.notebooks import lesson_notebooks

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "_build"
CLOCKS = Path(__file__).with_name("wild_clocks.py")
HANGS = 1800  # seconds of the clock for one cell: no judgement of it, but the end of one that will never end
# Seconds of the processor that a notebook may cost, as recorded at rest. Exercises hold no training.
LESSON_SECONDS, EXERCISES_SECONDS = 90, 60
MEAN_SECONDS, ALL_SECONDS = 25, 720
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NOTEBOOKS = {path.relative_to(ROOT / "lessons").as_posix(): path for path in lesson_notebooks(ROOT)}
# What is not written yet is not measured.
MEASURED = {
    name: path for name, path in notebooks(ROOT, []).items() if str(path.relative_to(ROOT)) not in unwritten(ROOT)
}


def execute(notebook: Path, build: Path) -> dict:
    """Run nbval on a notebook in the live mode, with wild clocks: whether it passed, and what pytest printed."""
    options = ["--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={HANGS}"]
    # The run stands alone: it takes nothing from this project's configuration and leaves no cache beside the notebook.
    alone = ["-q", "--no-header", "-c", os.devnull, f"--rootdir={notebook.parent}", "-p", "no:cacheprovider", "-x"]
    env = kernel_environment(build / "wild", "live")
    startup = build / "wild" / "ipython" / "profile_default" / "startup"
    startup.mkdir(exist_ok=True)
    shutil.copy(CLOCKS, startup)
    run = subprocess.run(
        [sys.executable, own_sockets.__file__, *options, *alone, notebook],
        env=env,
        cwd=notebook.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return {"passed": run.returncode == 0, "output": ANSI_COLOUR.sub("", run.stdout)}


def recorded_run(notebook: Path, root: Path, build: Path) -> dict:
    """The run of this very notebook: the recorded one where nothing it depends on has changed, else a new one."""
    key = f"{notebook_key(notebook, root, 'live')} {CLOCKS.read_text(encoding='utf-8')}"
    record = build / "nbval" / f"{notebook.stem}.json"
    if record.exists():
        run = json.loads(record.read_text(encoding="utf-8"))
        if run["key"] == key:
            return run
    run = {"key": key, **execute(notebook, build)}
    if run["passed"]:
        record.parent.mkdir(parents=True, exist_ok=True)
        unfinished = record.with_suffix(".partial")
        unfinished.write_text(json.dumps(run, indent=1), encoding="utf-8")
        unfinished.replace(record)
    return run


def test_there_are_lessons():
    assert NOTEBOOKS


@pytest.mark.at_length  # that it runs from the top, the build of the book has shown
@pytest.mark.timeout(0)  # a busy machine is no fault of a lesson; what hangs is ended by nbval
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_lesson_runs_whatever_the_clocks_say(name):
    run = recorded_run(NOTEBOOKS[name], ROOT, BUILD)
    if not run["passed"]:
        pytest.fail(f"{name} failed:\n{run['output']}", pytrace=False)


@pytest.mark.parametrize("name", MEASURED)
def test_cost_is_recorded_and_within_its_limit(name):
    recorded, path = results.load(NAME).get(name, {}), MEASURED[name]
    measure = f"measure it at rest: python book/programs/cost.py {path.parent.name}"
    assert recorded.get("cells") == cells_key(path), f"the code of {path.name} has changed; {measure}"
    limit = EXERCISES_SECONDS if name.endswith("_exercises") else LESSON_SECONDS
    assert recorded["cpu"]["seconds"] <= limit


def test_all_costs_together_are_within_their_limits():
    recorded = results.load(NAME)
    seconds = [recorded[name]["cpu"]["seconds"] for name in MEASURED]
    assert sum(seconds) <= ALL_SECONDS
    assert sum(seconds) / len(seconds) <= MEAN_SECONDS


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


def test_the_clocks_of_a_lesson_cannot_be_trusted(small_lesson, tmp_path):
    """What a cell measures is nonsense; what its kernel and a library measure is true."""
    source = """
import threading, time
differences = []
for _ in range(50):
    before = time.perf_counter()
    differences.append(time.perf_counter() - before)
assert min(differences) < -1 and max(differences) > 1, differences
threading.Event().wait(0.01)
assert abs(time.monotonic_ns() - time.monotonic_ns()) > 1e6
"""
    run = recorded_run(small_lesson(source), tmp_path, tmp_path)
    assert run["passed"], run["output"]

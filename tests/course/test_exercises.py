"""The exercises under lessons/ and what is derived from them: nothing drifts, and nbgrader releases what we release.

The rules are tried on a small notebook that keeps them, then broken one by one.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks import sample
from vitcourse.checks import CATALOGUE
from vitcourse.notebooks import answer_key, learner_copy, source_exercises
from vitcourse.notebooks.derive import BEGIN, END, is_solution

ROOT = Path(__file__).parents[2]
SOURCES = {path.stem: path for path in source_exercises(ROOT)}
STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")
PARTS = ("card", "solution", "check", "hints", "expected")


def code(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def outside(source: str, begin: str, end: str) -> list[str]:
    """The lines of a cell that stand outside of the regions between two lines."""
    lines, inside = [], False
    for line in source.splitlines():
        if begin in line or (end in line and inside):
            inside = begin in line and begin != end
            continue
        if not inside:
            lines.append(line)
    return lines


def graded_exercises(notebook: nbformat.NotebookNode) -> dict[str, dict[str, nbformat.NotebookNode]]:
    """The cells of each exercise that has a check, by the part that they are."""
    cells = {cell.id: cell for cell in notebook.cells}
    shorts = [name.removesuffix("-check") for name in cells if name.endswith("-check")]
    return {short: {part: cells.get(f"{short}-{part}") for part in PARTS} for short in shorts}


def faults(notebook: nbformat.NotebookNode) -> list[str]:
    """What breaks the layout that book, learner's copy and grader rely on."""
    found = []
    ids = [cell.metadata["nbgrader"]["grade_id"] for cell in notebook.cells if "nbgrader" in cell.metadata]
    if len(set(ids)) < len(ids):
        found.append("two cells share a grade_id")
    for short, parts in graded_exercises(notebook).items():
        found += [f"{short}: no cell {short}-{part}" for part, cell in parts.items() if cell is None]
        if not all(parts.values()):
            continue
        call = ast.parse(parts["check"].source).body
        if len(call) != 1 or "\n" in parts["check"].source or not parts["check"].source.startswith("checks."):
            found.append(f"{short}: the check is not one line 'checks.<topic>.<exercise>(<name>)'")
            continue
        name = parts["check"].source.partition("(")[0].removeprefix("checks.")
        if name not in CATALOGUE:
            found.append(f"{short}: no exercise {name} in the catalogue")
        elif parts["check"].metadata["nbgrader"]["points"] != CATALOGUE[name].points:
            found.append(f"{short}: {name} gives {CATALOGUE[name].points} points")
        if f"{{exercise-card}} {name}\n" not in parts["card"].source:
            found.append(f"{short}: its card is not that of {name}")
        if not is_solution(parts["solution"]) or BEGIN not in parts["solution"].source:
            found.append(f"{short}: no marked solution")
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_a_statement_names_the_call_as_the_stub_has_it(name):
    """All but those that hand over a function to be mended."""
    for short, parts in graded_exercises(nbformat.read(SOURCES[name], as_version=4)).items():
        text = " ".join(parts["card"].source.split())
        stubs = [one for one in ast.parse(parts["solution"].source).body if isinstance(one, ast.FunctionDef)]
        assert short == "repair" or any(f"`{stub.name}({ast.unparse(stub.args)})`" in text for stub in stubs), short


@pytest.mark.parametrize("name", SOURCES)
def test_exercises_keep_the_layout(name):
    notebook = nbformat.read(SOURCES[name], as_version=4)
    assert notebook.metadata.vitcourse.lesson == SOURCES[name].parent.name
    assert graded_exercises(notebook)
    assert faults(notebook) == []


@pytest.mark.parametrize("name", ["sample", *SOURCES])
def test_a_stub_differs_from_its_solution_only_between_the_markers(name):
    notebook = sample.exercises_notebook() if name == "sample" else nbformat.read(SOURCES[name], as_version=4)
    copy, key = learner_copy(notebook), answer_key(notebook)
    for source, stub, solved in zip(notebook.cells, copy.cells, key.cells, strict=True):
        if not is_solution(source):
            assert stub.source == solved.source
            continue
        kept = outside(source.source, BEGIN, END)
        assert [line for line in stub.source.splitlines() if line.strip() not in STUB] == kept
        assert [line for line in source.source.splitlines() if BEGIN not in line and END not in line] == (
            solved.source.splitlines()
        )
        assert stub.source != solved.source


def with_words() -> nbformat.NotebookNode:
    """The sample, with an answer in words that nobody but a person can grade."""
    notebook = sample.exercises_notebook()
    text = "Why is it divided?\n\n#### BEGIN SOLUTION\nThe scores grow.\n#### END SOLUTION"
    cell = nbformat.v4.new_markdown_cell(text, id="why-solution")
    notebook.cells.append(sample.graded(cell, "why", solution=True, grade=True, points=2))
    return notebook


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> dict[str, nbformat.NotebookNode]:
    """What nbgrader's own command releases of the sample and of every exercise of the course, in one run."""
    root = tmp_path_factory.mktemp("nbgrader")
    folder = root / "source" / "all"
    folder.mkdir(parents=True)
    nbformat.write(with_words(), folder / "sample.ipynb")
    for name, path in SOURCES.items():
        nbformat.write(nbformat.read(path, as_version=4), folder / f"{name}.ipynb")
    # Run by module: the console script starts with the path of the environment that it was made in.
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "all", "--create"]
    options = [f"--CourseDirectory.root={root}"]
    # nbgrader looks for alembic among the commands.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([*command, *options], cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.stem: nbformat.read(path, as_version=4) for path in (root / "release" / "all").glob("*.ipynb")}


@pytest.mark.grades
@pytest.mark.parametrize("name", ["sample", *SOURCES])
def test_nbgraders_release_has_the_code_of_the_learners_copy(release, name):
    notebook = with_words() if name == "sample" else nbformat.read(SOURCES[name], as_version=4)
    copy = learner_copy(notebook)
    assert code(release[name]) == code(copy)
    graded = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in copy.cells]
    assert [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in release[name].cells] == graded


@pytest.mark.grades
def test_nbgraders_release_has_the_words_of_the_learners_copy(release):
    assert release["sample"].cells[-1].source == learner_copy(with_words()).cells[-1].source
    assert release["sample"].cells[-1].source == "Why is it divided?\n\nYOUR ANSWER HERE"


def test_the_sample_keeps_the_layout():
    assert faults(sample.exercises_notebook()) == []


def edit(notebook: nbformat.NotebookNode, cell_id: str, **changes) -> None:
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    for name, value in changes.items():
        cell[name] = value


BREAKS = {
    "no cell scores-hints": lambda nb: nb.cells.remove(next(c for c in nb.cells if c.id == "scores-hints")),
    "not one line": lambda nb: edit(nb, "scores-check", source="checks.attention.scores(scores)\nprint(1)"),
    "no exercise attention.nothing": lambda nb: edit(nb, "scores-check", source="checks.attention.nothing(scores)"),
    "points": lambda nb: sample.graded(nb.cells[4], "scores-check", grade=True, locked=True, points=99),
    "its card is not that of": lambda nb: edit(nb, "scores-card", source="## Exercise 1\n\nWithout a card."),
    "no marked solution": lambda nb: edit(nb, "scores-solution", source="scores = None"),
    "share a grade_id": lambda nb: sample.graded(nb.cells[4], "scores", grade=True, points=3),
}


@pytest.mark.parametrize("fault", BREAKS)
def test_a_broken_layout_is_reported(fault):
    notebook = sample.exercises_notebook()
    BREAKS[fault](notebook)
    assert any(fault in line for line in faults(notebook)), faults(notebook)

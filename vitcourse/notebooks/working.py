"""A copy to work in: what Jupyter does with the cells of a learner's notebook, beside what they say.

Helper cells are folded, assertions do not answer a question before its result is seen, a failed check does not stop
"Run All", and exercises end with a table of what is passed.
"""

import ast
import copy
from itertools import groupby

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from vitcourse.exercises import FILES
from vitcourse.notebooks.derive import ANY_SETUP, SETUP_ID, is_exercises, is_solution, learner_copy
from vitcourse.notebooks.markup import Directive, blocks

FOLDED = "hide-input"
GOES_ON = "raises-exception"  # Jupyter's tag: where this cell fails, the next one is run all the same
NOTE = """\
*Run the cells from the top, each with Shift and Enter. A cell of one line with three dots is folded: it draws a \
figure, or helps. Run it as the others; a click on the dots opens it.*"""
ASSERTED = "# What the text says of this, asserted\n"  # Jupyter shows the first line of a folded cell
CHECKS = "# The checks of these exercises, for this notebook\nfrom vitcourse import checks\n\n"
PASSED = """\
## What is passed

Run this cell, or all cells at once (in JupyterLab: menu *Run*, *Run All Cells*; a check that fails does not stop the \
others). It counts what each check said last, since the kernel was started."""


def learner_notebook(source: NotebookNode) -> NotebookNode:
    """What a learner opens of a notebook from ``lessons/``; `learner_copy` says what is refused."""
    return work_copy(learner_copy(source), source)


def work_copy(notebook: NotebookNode, source: NotebookNode) -> NotebookNode:
    """A learner's copy, or nbgrader's release, as a notebook to work in.

    Args:
        notebook: the copy; its code stays as it is, but for the cells in which a prediction is checked.
        source: the notebook under ``lessons/`` that it is made from, in whose text the questions are found.
    """
    result = copy.deepcopy(notebook)
    if is_exercises(source):
        first = next((n for n, cell in enumerate(result.cells) if is_solution(cell)), len(result.cells))
        for cell in result.cells[first:]:
            if cell.cell_type == "code":
                cell.metadata["tags"] = [*cell.metadata.get("tags", []), GOES_ON]
        result.cells += _passed(source.metadata["vitcourse"]["lesson"])
    else:
        result.cells = _assertions_folded(result.cells, {cell.id for cell in source.cells if _asks(cell)})
        if result.cells and result.cells[0].cell_type == "markdown":
            result.cells.insert(1, new_markdown_cell(NOTE, id="course-note"))
    for cell in result.cells:
        if FOLDED in cell.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}
            cell.source = ASSERTED + cell.source if cell.source.startswith("assert ") else cell.source
    return result


def with_checks(notebook: NotebookNode, packed: str) -> NotebookNode:
    """A copy that brings the checks of a teacher's own exercises along; what begins with a setup cell still does."""
    result = copy.deepcopy(notebook)
    cell = new_code_cell(CHECKS + f"checks.unpack({packed!r})", id="course-checks")
    cell.metadata = {"jupyter": {"source_hidden": True}}
    result.cells.insert(1 if result.cells and result.cells[0].get("id") == SETUP_ID else 0, cell)
    return result


def is_ours(source: str) -> bool:
    """Whether a cell's source is what was put around the exercises, which is no part of an answer."""
    brings_checks = source.startswith(CHECKS) and source.count("\n") == CHECKS.count("\n")
    if brings_checks or ANY_SETUP.fullmatch(source.strip()):
        return True
    return source.strip() in (PASSED, *(_summary(path.stem) for path in FILES.values()))


def _passed(lesson: str) -> list[NotebookNode]:
    return [new_markdown_cell(PASSED, id="course-passed-text"), new_code_cell(_summary(lesson), id="course-passed")]


def _summary(lesson: str) -> str:
    return f'from vitcourse import checks\n\nchecks.summary("{lesson}")'


def _asks(cell: NotebookNode) -> bool:
    """Whether the reader is asked to predict what the next cells show: in the text, or by a quiz at its end."""
    if cell.cell_type != "markdown":
        return False
    parts = [part for part in blocks(cell.source) if isinstance(part, Directive) or part.strip()]
    last = parts[-1] if parts else None
    return "**Predict" in cell.source or (isinstance(last, Directive) and last.name == "quiz")


def _assertions_folded(cells: list[NotebookNode], questions: set[str]) -> list[NotebookNode]:
    """The cells, in which those behind a question, up to the next text, are cut where they begin or end to assert."""
    result, asked = [], False
    for cell in cells:
        if cell.cell_type == "markdown":
            asked = cell.id in questions
        shown = cell.cell_type == "code" and FOLDED not in cell.metadata.get("tags", [])
        result += _cut(cell) if asked and shown else [cell]
    return result


def _cut(cell: NotebookNode) -> list[NotebookNode]:
    """The cell in pieces, in order: what it does, and folded what it asserts."""
    lines, pieces, begin = cell.source.split("\n"), [], 0
    statements = ast.parse(cell.source).body
    for asserts, run in groupby(statements, key=lambda statement: isinstance(statement, ast.Assert)):
        *_, last = run
        end = len(lines) if last is statements[-1] else last.end_lineno
        pieces.append((asserts, "\n".join(lines[begin:end]).strip("\n")))
        begin = end
    if not any(asserts for asserts, _ in pieces):
        return [cell]
    cut = []
    for number, (asserts, source) in enumerate(pieces):
        piece = copy.deepcopy(cell)
        piece.source, piece.id = source, cell.id if number == 0 else f"{cell.id}-{number + 1}"
        if asserts:
            piece.metadata = {"tags": [FOLDED]}
        cut.append(NotebookNode(piece))
    return cut

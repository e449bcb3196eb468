"""Puts a submission back into the form of its assignment: the student's answers, the assignment's test cells."""

import re

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from vitcourse.grading.submissions import Cell

NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
TAG = re.compile(r"<(?=[a-zA-Z/!?])")


def restore(cells: list[Cell], release: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The notebook to run, and in words which cells of the assignment were altered or deleted.

    An answer cell keeps the student's text and gets the assignment's metadata; where it stands twice, the last one
    counts. A test cell is the assignment's own, and stands behind the answer that it tests. An answer cell that is
    missing stays so: the answer may stand in another cell, which the empty one would undo. In Markdown of the student's
    own, HTML becomes text: nbgrader's pages would take it for theirs.

    Args:
        cells: as handed in.
        release: the assignment as nbgrader has released it.
    """
    known = {facts["grade_id"]: cell for cell in release.cells if (facts := cell.metadata.get("nbgrader"))}
    order, places = list(known), {cell.grade_id: index for index, cell in enumerate(cells)}
    texts = {cell.source for cell in release.cells}
    result, altered = [], []
    for index, cell in enumerate(cells):
        own = known.get(cell.grade_id)
        if own is None or (_holds_answer(own) and places[cell.grade_id] != index):
            result.append(_students_own(cell, texts))
        elif _holds_answer(own):
            result.append(_copy(own, cell.source if own.cell_type == "code" else _harmless(cell.source, texts)))
        else:
            if cell.source.strip() != own.source.strip():
                altered.append(cell.grade_id)
            answer = _answer_before(cell.grade_id, known)
            if places[cell.grade_id] == index and (answer is None or places.get(answer, index) < index):
                result.append(_copy(own, own.source))
    deleted = [name for name in order if name not in places]
    notes = [f"{what}: {', '.join(names)}" for what, names in (("altered", altered), ("deleted", deleted)) if names]
    present = [_id(cell) for cell in result]
    missing = [name for name in order if name not in present and _must_be_there(known[name])]
    homeless = [name for name in missing if (answer := _answer_before(name, known)) and answer not in present]
    for name in reversed([name for name in missing if name not in homeless]):
        result.insert(_place(name, [_id(cell) for cell in result], known), _copy(known[name], known[name].source))
    # A test whose answer cell is missing goes to the end, because the answer may stand anywhere.
    result += [_copy(known[name], known[name].source) for name in homeless]
    return new_notebook(cells=result, metadata=release.metadata), notes


def _place(name: str, present: list[str | None], known: dict[str, NotebookNode]) -> int:
    """Where a missing cell goes: before the first cell that comes later in the assignment, but behind its answer."""
    order, answer = list(known), _answer_before(name, known)
    start = 0 if answer is None else present.index(answer) + 1
    later = order[order.index(name) + 1 :]
    return next((index for index in range(start, len(present)) if present[index] in later), len(present))


def _answer_before(name: str, known: dict[str, NotebookNode]) -> str | None:
    """The answer cell that a test cell tests; None for other cells."""
    if _holds_answer(known[name]) or not _is_graded(known[name]):
        return None
    order = list(known)
    before = reversed(order[: order.index(name)])
    return next((other for other in before if _holds_answer(known[other])), None)


def _students_own(cell: Cell, texts: set[str]) -> NotebookNode:
    if cell.kind == "code":
        return new_code_cell(cell.source)
    return new_markdown_cell(_harmless(cell.source, texts))


def _harmless(source: str, texts: set[str]) -> str:
    """Markdown without HTML, unless it is the assignment's."""
    return source if source in texts else TAG.sub("&lt;", source)


def _copy(own: NotebookNode, source: str) -> NotebookNode:
    cell = NEW[own.cell_type](source, metadata=own.metadata)
    if "id" in own:
        cell.id = own.id
    return cell


def _id(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _holds_answer(cell: NotebookNode) -> bool:
    return bool(cell.metadata.nbgrader.get("solution") or cell.metadata.nbgrader.get("task"))


def _must_be_there(cell: NotebookNode) -> bool:
    return _is_graded(cell) or not _holds_answer(cell)


def _is_graded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.nbgrader.get("grade") or cell.metadata.nbgrader.get("task"))

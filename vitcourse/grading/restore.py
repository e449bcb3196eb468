"""Puts a submission back into the form of its assignment: the student's answers, the assignment's own given cells."""

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from vitcourse.grading.harmless import as_text
from vitcourse.grading.identify import answer_before, holds_answer, identify, is_given, is_graded, marked
from vitcourse.grading.outputs import listed
from vitcourse.grading.reading import Cell
from vitcourse.grading.statements import extra
from vitcourse.notebooks import is_ours

NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


def restore(cells: list[Cell], release: NotebookNode) -> tuple[NotebookNode, list[str]]:
    """The notebook to run, and in words which cells of the assignment were altered or deleted.

    An answer cell keeps the student's text and gets the assignment's metadata; where it stands twice, the last one
    counts. A test cell is the assignment's own, and stands behind the answer that it tests. An answer cell that is
    missing stays so: the answer may stand in another cell, which the empty one would undo. In Markdown of the student's
    own, tags, links and images become text.

    A given cell (imports, data) is the assignment's own too. What a student has added to it follows as cells of the
    student's own, a statement each: an import or a helper is there for the answers, and a line that works only where
    the student has worked (to mount a drive, say) fails alone. A statement that gives another value to one of the given
    names is dropped, for it would undo what was put back. The table of what is passed, which the learner's copy ends
    with, is left out: the points are the grader's.

    Args:
        cells: as handed in.
        release: the assignment as nbgrader has released it.
    """
    known = marked(release)
    cells = [cell for cell in cells if not is_ours(cell.source)]
    names = identify(cells, known)
    last = {name: index for index, name in enumerate(names)}
    texts = {cell.source for cell in release.cells}
    result, altered = [], []
    for index, (cell, name) in enumerate(zip(cells, names, strict=True)):
        own = known.get(name)
        if own is None or (holds_answer(own) and last[name] != index):
            result.append(_students_own(cell, texts))
            continue
        if holds_answer(own):
            result.append(_copy(own, cell.source if own.cell_type == "code" else _harmless(cell.source, texts)))
            continue
        if cell.source.strip() != own.source.strip():
            altered.append(name)
        if is_given(own):
            result += [_copy(own, own.source)] if names.index(name) == index else []
            if cell.kind == "code":
                result += [new_code_cell(text) for text in extra(cell.source, own.source)]
        else:
            answer = answer_before(name, known)
            if last[name] == index and (answer is None or last.get(answer, index) < index):
                result.append(_copy(own, own.source))
    _put_back(result, known)
    altered = list(dict.fromkeys(altered))
    deleted = [name for name in known if name not in last]
    notes = [f"altered: {listed(altered)} (put back)"] if altered else []
    notes += [f"deleted: {listed(deleted)}"] if deleted else []
    return new_notebook(cells=result, metadata=release.metadata), notes


def _put_back(result: list[NotebookNode], known: dict[str, NotebookNode]) -> None:
    """Adds the cells of the assignment that are missing, and moves given cells that stand behind what needs them."""
    order, present = list(known), [_id(cell) for cell in result]
    for name in [name for name in order if name in present and is_given(known[name])]:
        place = present.index(name)
        if any(order.index(other) > order.index(name) for other in present[:place] if other):
            del result[place], present[place]
    homeless = []
    for name in [name for name in order if name not in present and _must_be_there(known[name])]:
        answer = answer_before(name, known)
        if answer is not None and answer not in present:
            homeless.append(name)
            continue
        place = _place(name, present, known)
        result.insert(place, _copy(known[name], known[name].source))
        present.insert(place, name)
    # A test whose answer cell is missing goes to the end, because the answer may stand anywhere.
    result += [_copy(known[name], known[name].source) for name in homeless]


def _place(name: str, present: list[str | None], known: dict[str, NotebookNode]) -> int:
    """Where a missing cell goes: before the first cell that comes later in the assignment.

    A test goes there at the latest, but behind its answer; a given cell goes up, right behind what comes before it.
    """
    order, answer = list(known), answer_before(name, known)
    start = 0 if answer is None else present.index(answer) + 1
    later = order[order.index(name) + 1 :]
    first = next((index for index in range(start, len(present)) if present[index] in later), len(present))
    if not is_given(known[name]):
        return first
    earlier = [index for index, other in enumerate(present) if other in order[: order.index(name)]]
    return min(first, max(earlier, default=-1) + 1)


def _students_own(cell: Cell, texts: set[str]) -> NotebookNode:
    if cell.kind == "code":
        return new_code_cell(cell.source)
    return new_markdown_cell(_harmless(cell.source, texts))


def _harmless(source: str, texts: set[str]) -> str:
    """Markdown that does nothing, unless it is the assignment's."""
    return source if source in texts else as_text(source)


def _copy(own: NotebookNode, source: str) -> NotebookNode:
    cell = NEW[own.cell_type](source, metadata=own.metadata)
    if "id" in own:
        cell.id = own.id
    return cell


def _id(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _must_be_there(cell: NotebookNode) -> bool:
    return is_graded(cell) or not holds_answer(cell)

"""Which cell of a submission is which cell of the assignment, when programs have taken the marks away."""

from nbformat import NotebookNode

from vitcourse.grading.reading import Cell
from vitcourse.grading.statements import defined, tested

ALIKE = 0.5  # the part of a given cell's lines that another cell must hold to be taken for it


def marked(release: NotebookNode) -> dict[str, NotebookNode]:
    """The cells that nbgrader knows, by their grade_id, in reading order."""
    return {facts["grade_id"]: cell for cell in release.cells if (facts := cell.metadata.get("nbgrader"))}


def holds_answer(cell: NotebookNode) -> bool:
    return bool(cell.metadata.nbgrader.get("solution") or cell.metadata.nbgrader.get("task"))


def is_graded(cell: NotebookNode) -> bool:
    return bool(cell.metadata.nbgrader.get("grade") or cell.metadata.nbgrader.get("task"))


def is_given(cell: NotebookNode) -> bool:
    """Whether it is code of the assignment that tests nothing: imports, data, what is to be repaired."""
    return not holds_answer(cell) and not is_graded(cell)


def answer_before(name: str, known: dict[str, NotebookNode]) -> str | None:
    """The answer cell that a test cell tests; None for other cells."""
    if holds_answer(known[name]) or not is_graded(known[name]):
        return None
    order = list(known)
    before = reversed(order[: order.index(name)])
    return next((other for other in before if holds_answer(known[other])), None)


def identify(cells: list[Cell], known: dict[str, NotebookNode]) -> list[str | None]:
    """The grade_id of the assignment's cell that each cell is; None for a student's own. Copies share theirs.

    By nbgrader's mark, else by the notebook's id, else by what stands in it: the same text, the check that is called,
    the function that is defined, most lines of a given cell.

    Args:
        cells: as handed in.
        known: see `marked`.
    """
    names = [cell.grade_id if cell.grade_id in known else None for cell in cells]
    answers = {answer_before(name, known): name for name in known}
    for fits in (_same_id, _same_text, _same_check, _same_answer, _same_lines):
        for name in [name for name in known if name not in names]:
            test = known.get(answers.get(name))
            places = [index for index, cell in enumerate(cells) if names[index] is None and cell.source.strip()]
            found = next((index for index in places if fits(cells[index], known[name], test)), None)
            if found is not None:
                names[found] = name
    return _answered_elsewhere(cells, names, known, answers)


def _same_id(cell: Cell, own: NotebookNode, _test: NotebookNode | None) -> bool:
    return cell.cell_id is not None and cell.cell_id == own.get("id")


def _same_text(cell: Cell, own: NotebookNode, _test: NotebookNode | None) -> bool:
    return cell.source.strip() == own.source.strip()


def _same_check(cell: Cell, own: NotebookNode, _test: NotebookNode | None) -> bool:
    """An altered test, but no cell that has more in it."""
    is_test = is_graded(own) and not holds_answer(own)
    called = tested(cell.source).keys()
    return is_test and not defined(cell.source) and bool(called) and called == tested(own.source).keys()


def _same_answer(cell: Cell, own: NotebookNode, test: NotebookNode | None) -> bool:
    wanted = set(tested(test.source).values()) if test else set()
    return holds_answer(own) and cell.kind == "code" and bool(wanted & defined(cell.source))


def _same_lines(cell: Cell, own: NotebookNode, _test: NotebookNode | None) -> bool:
    lines = {line.strip() for line in own.source.splitlines()} - {""}
    kept = lines & {line.strip() for line in cell.source.splitlines()}
    return is_given(own) and bool(lines) and len(kept) >= ALIKE * len(lines)


def _answered_elsewhere(
    cells: list[Cell], names: list[str | None], known: dict[str, NotebookNode], answers: dict[str | None, str]
) -> list[str | None]:
    """The same names, but where a stub stands untouched and a later cell of the student's own answers, that is it."""
    result = list(names)
    for name, own in known.items():
        places = [index for index, other in enumerate(names) if other == name]
        test = known.get(answers.get(name))
        if not holds_answer(own) or not places or any(not _same_text(cells[index], own, None) for index in places):
            continue
        later = [
            index
            for index, cell in enumerate(cells)
            if names[index] is None and index > places[-1] and _same_answer(cell, own, test)
        ]
        for index in places if later else ():
            result[index] = None
        if later:
            result[later[-1]] = name
    return result

"""Answers that call the student's answers to exercises before: a fault there shall not cost twice."""

from collections.abc import Iterable, Iterator, Mapping

from nbformat import NotebookNode

from vitcourse.grading.master import Task
from vitcourse.grading.statements import uses


def calling_faulty(
    notebook: NotebookNode, tasks: Mapping[str, Task]
) -> Iterator[tuple[NotebookNode, Task, list[Task]]]:
    """The test cells of answers without all points that call faulty answers before them, in reading order.

    With each come its task and the tasks of the faulty ones. Where the caller gives such an answer more points, it is
    no longer taken for faulty by those below.

    Args:
        notebook: judged; the reports stand in the metadata of its test cells.
        tasks: what the test cells ask for, by grade_id.
    """
    names = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]
    judged = [(cell, tasks[name]) for cell, name in zip(notebook.cells, names, strict=True) if name in tasks]
    if not any(_lacks_points(*pair) for pair in judged[:-1]):
        return
    read = _readers(cell.source for cell in notebook.cells if cell.cell_type == "code")
    wanted = _readers(task.solution for task in tasks.values())
    faulty: dict[str, Task] = {}
    for cell, task in judged:
        if faulty and _lacks_points(cell, task):
            called = _reached(task.name, read) & faulty.keys()
            # What takes the place of a faulty answer may itself call others.
            called |= {other for name in called for other in _reached(name, wanted)} & faulty.keys()
            if called:
                yield cell, task, [other for name, other in faulty.items() if name in called]
        if _lacks_points(cell, task):
            faulty[task.name] = task


def _lacks_points(cell: NotebookNode, task: Task) -> bool:
    return cell.metadata["vitcourse"]["points"] < task.points


def _readers(sources: Iterable[str]) -> dict[str, set[str]]:
    """The names that the definition of each name reads."""
    found: dict[str, set[str]] = {}
    for source in sources:
        for name, others in uses(source).items():
            found.setdefault(name, set()).update(others)
    return found


def _reached(name: str, read: Mapping[str, set[str]]) -> set[str]:
    """What a name reads, and what that reads in turn; without itself."""
    seen, todo = {name}, [name]
    while todo:
        new = read.get(todo.pop(), set()) - seen
        seen |= new
        todo += new
    return seen - {name}

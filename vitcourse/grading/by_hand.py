"""Points and comments by hand, when a submission is graded again: kept, and told of where their answer has changed.

The gradebook keeps what was given, and not to which answer. The graded notebook keeps that, as ``by_hand`` among its
own metadata: for each graded cell what was given, and the fingerprint of the answer that it was given to.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vitcourse.grading.identify import is_graded


class ByHand:
    """What a person has given to one submission; two steps of nbgrader's grading, before and after it records points.

    Args:
        open_gradebook: opens nbgrader's.
        names: notebook, assignment and student, as its `find_grade` takes them.
        file: the graded notebook that points and comments were given to, if there is one.
    """

    def __init__(self, open_gradebook: Callable[[], AbstractContextManager], names: tuple[str, str, str], file: Path):
        self.open, self.names = open_gradebook, names
        self.before = nbformat.read(file, as_version=4) if file.is_file() else None
        self.given: dict[str, tuple[str, str, bool]] = {}
        self.changed: list[str] = []

    def compare(self, now: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Records in ``now`` to which answers points and comments were given; `changed` are the cells with another.

        Whoever has changed or confirmed them since ("Resolve" in formgrader) has given them to the answer of before.
        """
        if self.before is None:
            return now, resources
        self._read()
        earlier, answers, records = _fingerprints(self.before), _fingerprints(now), {}
        for cell, (points, comment, waits) in self.given.items():
            record = self.before.metadata.get("vitcourse", {}).get("by_hand", {}).get(cell)
            new = record is None or record["given"] != [points, comment]
            confirmed = new or (record["changed"] and bool(points) and not waits)
            answer = earlier[cell] if confirmed else record["answer"]
            records[cell] = {"given": [points, comment], "answer": answer, "changed": answers.get(cell) != answer}
        now.metadata.setdefault("vitcourse", {})["by_hand"] = records
        self.changed = [cell for cell, record in records.items() if record["changed"]]
        return now, resources

    def mark(self, now: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Lets formgrader ask for a look at points whose answer has changed, and at no others that were given."""
        if self.given:
            with self.open() as gradebook:
                for cell in [cell for cell, (points, *_) in self.given.items() if points]:
                    gradebook.find_grade(cell, *self.names).needs_manual_grade = cell in self.changed
                gradebook.db.commit()
        return now, resources

    def _read(self) -> None:
        """Points and comments as text, empty where there are none, and whether they wait for a look."""
        with self.open() as gradebook:
            for cell, answers in answers_of(self.before).items():
                grade = gradebook.find_grade(cell, *self.names)
                points = "" if grade.manual_score is None else f"{grade.manual_score:g}"
                comments = [gradebook.find_comment(name, *self.names).manual_comment for name in answers]
                comment = "\n".join(filter(None, comments))
                if points or comment:
                    self.given[cell] = points, comment, bool(grade.needs_manual_grade)


def answers_of(notebook: NotebookNode) -> dict[str, list[str]]:
    """The graded cells, each with the answer cells that belong to it: those since the graded cell before it."""
    result, waiting = {}, []
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader")
        if not marks:
            continue
        if marks.get("solution") or marks.get("task"):
            waiting.append(marks["grade_id"])
        if is_graded(cell):
            result[marks["grade_id"]], waiting = waiting, []
    return result


def _fingerprints(notebook: NotebookNode) -> dict[str, str]:
    """What each answer is, in short: its text, and what its check has found."""
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}
    result = {}
    for graded, answers in answers_of(notebook).items():
        found = cells[graded].metadata.get("vitcourse", {})
        facts = [[cells[name].source for name in answers], found.get("misconception"), found.get("share")]
        result[graded] = hashlib.sha256(json.dumps(facts).encode()).hexdigest()
    return result

"""Which lesson's exercises a notebook holds, by what is left of the signs that it was given out with."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from vitcourse.grading.master import Master
from vitcourse.grading.outputs import listed
from vitcourse.grading.reading import Found
from vitcourse.grading.statements import defined, tested

BY_MARKS, BY_NAME, BY_FUNCTIONS, BY_A_FEW = 3, 2, 1, 0


@dataclass(frozen=True)
class Match:
    """What a notebook is taken for.

    Args:
        lesson: its id; "" where it is of none.
        strength: `BY_MARKS` (metadata, nbgrader's ids), `BY_NAME`, `BY_FUNCTIONS`, or `BY_A_FEW` of these.
        words: what it is instead.
    """

    lesson: str = ""
    strength: int = BY_A_FEW
    words: str = ""


def match(found: Found, masters: Mapping[str, Master]) -> Match:
    """The lesson of a notebook: by its metadata, else by nbgrader's ids, by its name, by the functions in its cells."""
    lesson = found.facts.get("lesson")
    if isinstance(lesson, str) and found.facts.get("kind") != "exercises":
        return Match(words="a lesson of the course, not its exercises")
    if isinstance(lesson, str) and lesson in masters:
        return Match(lesson, BY_MARKS)
    ids = {cell.grade_id for cell in found.cells if cell.grade_id}
    by_ids = _best({name: len(ids & grade_ids(master)) for name, master in masters.items()})
    if len(by_ids) == 1:
        return Match(by_ids[0], BY_MARKS)
    candidates = {name: masters[name] for name in by_ids or masters}
    if by_name := lesson_by_name(found.piece.path.name, candidates):
        return Match(by_name, BY_NAME)
    shares = {name: _share(found, master) for name, master in candidates.items()}
    by_functions = _best(shares)
    if len(by_functions) == 1:
        enough = shares[by_functions[0]] >= 0.5
        return Match(by_functions[0], BY_FUNCTIONS if enough else BY_A_FEW)
    if by_functions:
        return Match(words=f"a notebook whose functions fit {listed(by_functions)} alike")
    return Match(words="a notebook of something else")


def grade_ids(master: Master) -> set[str]:
    return {facts["grade_id"] for cell in master.notebook.cells if (facts := cell.metadata.get("nbgrader"))}


def lesson_by_name(file: str, masters: Mapping[str, Master]) -> str:
    """The lesson whose notebook's name, or whose id, is part of a file's name; the longest one."""
    plain = _plain(file)
    fitting = [
        (len(name), lesson)
        for lesson, master in masters.items()
        for name in (_plain(master.name), _plain(lesson))
        if name in plain
    ]
    return max(fitting, default=(0, ""))[1]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def _share(found: Found, master: Master) -> float:
    """The part of a lesson's exercises that a notebook defines an answer to, or calls the check of."""
    names = {name for cell in found.cells if cell.kind == "code" for name in defined(cell.source)}
    calls = {name for cell in found.cells for name in tested(cell.source)}
    hits = [task for task in master.tasks.values() if task.name in names or task.exercise in calls]
    return len(hits) / max(1, len(master.tasks))


def _best(scores: Mapping[str, float]) -> list[str]:
    """Those with the highest score, if that is any."""
    most = max(scores.values(), default=0)
    return [name for name, score in scores.items() if score == most > 0]

"""What students have handed in: found, read with care, and given to the lesson that it belongs to.

A submission is ``STUDENT/any name.ipynb`` or ``STUDENT.ipynb``. Nothing in it is believed but the text of its cells.
"""

import json
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vitcourse.errors import InputError
from vitcourse.grading.master import Master
from vitcourse.grading.outputs import clean_text

LARGEST = 200 * 2**20  # bytes of a notebook; what it stores of outputs is thrown away
MISSING, UNREADABLE, NOT_GRADED = "nothing-handed-in", "unreadable", "not-graded"


@dataclass
class Cell:
    """A cell as it was handed in: kind ("code", "markdown" or "raw"), text, and nbgrader's id where it has one."""

    kind: str
    source: str
    grade_id: str | None = None


@dataclass
class Submission:
    """One student's work for one lesson.

    Args:
        student: name of the folder or file.
        lesson: the assignment; "" where it cannot be told.
        path: the notebook; None where there is none.
        cells: its content.
        problem: None, `MISSING`, `UNREADABLE` or `NOT_GRADED`.
        detail: the problem in words.
        notes: what the instructor should know besides.
    """

    student: str
    lesson: str = ""
    path: Path | None = None
    cells: list[Cell] = field(default_factory=list)
    problem: str | None = None
    detail: str = ""
    notes: list[str] = field(default_factory=list)


def collect(folder: Path, masters: Mapping[str, Master]) -> list[Submission]:
    """Every student's submissions, one for each lesson, by student and lesson.

    Raises:
        InputError: there are none, or nothing says what they are for.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    found = [_newest(group) for group in _students(folder, masters)]
    lessons = sorted({entry.lesson for group in found for entry in group if entry.lesson})
    if not found:
        raise InputError(f"{folder}: no submissions in it (STUDENT/name.ipynb or STUDENT.ipynb)")
    if not lessons:
        if len(masters) > 1:
            raise InputError(
                f"{folder}: no notebook in it says which lesson it is for (there are: {', '.join(masters)})"
            )
        lessons = list(masters)
    # Who has handed in nothing that can be told apart has handed in nothing for every lesson that the others did.
    return [
        Submission(**{**vars(entry), "lesson": lesson})
        for group in found
        for entry in group
        for lesson in ([entry.lesson] if entry.lesson else lessons)
    ]


def _students(folder: Path, masters: Mapping[str, Master]) -> Iterator[list[Submission]]:
    students: dict[str, list[Submission]] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "__")):
            continue
        if path.is_dir() and not path.is_symlink():
            group = students.setdefault(clean_text(path.name), [])
            files = [file for file in sorted(path.rglob("*.ipynb")) if not _is_hidden(file.relative_to(path))]
            group += [entry for file in files if (entry := _read(clean_text(path.name), file, masters))]
        elif path.suffix == ".ipynb":
            group = students.setdefault(clean_text(path.stem), [])
            group += [entry for entry in [_read(clean_text(path.stem), path, masters)] if entry]
    for student, group in students.items():
        yield group or [Submission(student, problem=MISSING, detail="there is no notebook of an assignment")]


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "__")) for part in path.parts)


def _newest(entries: list[Submission]) -> list[Submission]:
    """One submission for each lesson: a readable one before others, then the one changed last."""
    chosen: dict[str, Submission] = {}
    for entry in sorted(entries, key=lambda entry: (entry.problem is None, _changed(entry.path))):
        entry.notes += [f"{chosen[entry.lesson].path.name} was left aside"] if entry.lesson in chosen else []
        chosen[entry.lesson] = entry
    if len(chosen) > 1 and "" in chosen:
        # A file that says nothing, beside one that does.
        del chosen[""]
    return [chosen[lesson] for lesson in sorted(chosen)]


def _changed(path: Path | None) -> float:
    return path.lstat().st_mtime if path else 0.0


def _read(student: str, path: Path, masters: Mapping[str, Master]) -> Submission | None:
    """A submission from a file; None for a notebook that is no exercise, such as a lesson."""
    entry = Submission(student, path=path, lesson=_lesson_by_name(path, masters))
    try:
        content = _load(path)
        entry.cells = _cells(content)
    except (OSError, ValueError, RecursionError, MemoryError, InputError) as error:
        entry.problem, entry.detail = UNREADABLE, _why_unreadable(error)
        return entry
    metadata = content.get("metadata")
    facts = metadata.get("vitcourse") if isinstance(metadata, dict) else None
    facts = facts if isinstance(facts, dict) else {}
    ids = {cell.grade_id for cell in entry.cells if cell.grade_id}
    matches = {name: len(ids & _grade_ids(master)) for name, master in masters.items()}
    best = max(matches, key=lambda name: matches[name])
    if isinstance(facts.get("lesson"), str) and facts["lesson"] in masters:
        if facts.get("kind") != "exercises":
            return None
        entry.lesson = facts["lesson"]
    elif matches[best]:
        entry.lesson = best
    elif not entry.lesson:
        return None
    return entry


def _why_unreadable(error: BaseException) -> str:
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, OSError):
        return error.strerror or "it cannot be opened"
    return f"its text is damaged ({type(error).__name__})"


def _load(path: Path) -> dict:
    # Not through a link, which may lead to another student's work, and not from a pipe, which would never end.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise InputError("it is no file")
        if facts.st_size > LARGEST:
            raise InputError(f"it has {facts.st_size / 2**20:.0f} MB, more than {LARGEST // 2**20}")
        content = json.loads(file.read())
    if not isinstance(content, dict):
        raise InputError("it is no notebook")
    return content


def _cells(content: dict) -> list[Cell]:
    """The cells of a notebook, of this format or of the one before it.

    Raises:
        InputError: there are none.
    """
    sheets = content.get("worksheets")
    holders = [content, *(sheets if isinstance(sheets, list) else [])]
    lists = [
        holder["cells"] for holder in holders if isinstance(holder, dict) and isinstance(holder.get("cells"), list)
    ]
    if not lists:
        raise InputError("it has no cells")
    return [_cell(cell) for cells in lists for cell in cells if isinstance(cell, dict)]


def _cell(cell: dict) -> Cell:
    source = cell.get("source", cell.get("input", ""))
    text = "".join(part for part in source if isinstance(part, str)) if isinstance(source, list) else source
    metadata = cell.get("metadata")
    facts = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = facts.get("grade_id") if isinstance(facts, dict) else None
    kind = cell.get("cell_type")
    return Cell(
        kind if kind in ("code", "markdown") else "raw",
        clean_text(text),
        grade_id if isinstance(grade_id, str) else None,
    )


def _grade_ids(master: Master) -> set[str]:
    return {facts["grade_id"] for cell in master.notebook.cells if (facts := cell.metadata.get("nbgrader"))}


def _lesson_by_name(path: Path, masters: Mapping[str, Master]) -> str:
    return next((lesson for lesson, master in masters.items() if path.name.startswith(master.name)), "")

"""The table of grades: a row for each student and exercise.

A spreadsheet computes what begins with ``=``, ``+``, ``-`` or ``@``. Before such a text in the table stands an
apostrophe (``'=1+1``), which spreadsheets take for the mark of a text. Who reads the table with a program takes one
apostrophe away where one of these signs, or a blank before it, follows.
"""

import csv
import io
import re
from collections.abc import Collection
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from vitcourse.errors import InputError
from vitcourse.files import write_whole
from vitcourse.grading.course import Points
from vitcourse.grading.master import Master

# At the beginning, also behind blanks and marks that nobody sees, or behind a semicolon, which parts columns in some
# countries; the full-width signs are computed too where East Asian text is typed.
FORMULA = re.compile(r"(^|;)(?=[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*[=+\-@＝＋－＠]|[\t\r\n])")


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        student: as in the folder of submissions.
        exercise: id in ``checks.CATALOGUE``; lesson and cell for an answer that is graded by hand; lesson and ``late``
            for what lateness takes off.
        points: the gradebook's, so manual points count.
        max_points: for a right answer.
        misconception: the mistake that the check found; empty for a right answer.
    """

    student: str
    exercise: str
    points: float
    max_points: float
    misconception: str


COLUMNS = [field.name for field in fields(Row)]


def folder_beside(out: Path, given: Collection[Path], again: bool = True) -> Path:
    """The folder that gradebook and pages go to, beside a table.

    Args:
        out: the table to write.
        given: what is read; ``out`` may lie in it.
        again: whether the folder may be one of grades already.

    Raises:
        InputError: something would be lost that is no earlier grading.
    """
    root = out.with_suffix("")
    if out.suffix != ".csv" or not out.parent.is_dir() or out.is_dir():
        raise InputError(f"{out}: the table must be a .csv file in a folder that exists")
    if out in given:
        raise InputError(f"{out}: the table would take the place of what is to be read; name another --out")
    where = f"{out}: gradebook and pages go to the folder {root.name} beside it, which"
    if root in given and root.is_dir():
        raise InputError(f"{where} holds the submissions; name another --out")
    ours = (root / "gradebook.db").is_file()
    if root.exists() and not (again and (ours or (root.is_dir() and not any(root.iterdir())))):
        raise InputError(f"{where} is there already{' and holds something else' if again else ''}; name another --out")
    if out.exists() and not ours:
        raise InputError(f"{out}: is there already, without the folder of a grading; name another --out")
    return root


def rows(master: Master, student: str, notebook, points: list[Points]) -> list[Row]:
    """The rows of one student, from the graded notebook and the gradebook."""
    found = {
        cell.metadata["nbgrader"]["grade_id"]: cell.metadata["vitcourse"]["misconception"]
        for cell in notebook.cells
        if "vitcourse" in cell.metadata
    }
    result = []
    for entry in points:
        task = master.tasks.get(entry.cell)
        exercise = task.exercise if task else f"{master.lesson}/{entry.cell}"
        result.append(Row(student, exercise, round(entry.points, 2), entry.most, found.get(entry.cell) or ""))
    return result


def zeros(master: Master, student: str, misconception: str) -> list[Row]:
    """The rows of a student of whom the gradebook says nothing."""
    return [Row(student, task.exercise, 0.0, task.points, misconception) for task in master.tasks.values()]


def inert(text: str) -> str:
    """Text that no spreadsheet computes."""
    return FORMULA.sub(r"\1'", text)


def _shown(value: str | float) -> str:
    return inert(value) if isinstance(value, str) else f"{value:g}"


@cache  # the table is written anew with each submission
def _line(row: Row) -> str:
    line = io.StringIO(newline="")
    csv.writer(line).writerow([_shown(getattr(row, name)) for name in COLUMNS])
    return line.getvalue()


def write(table: list[Row], out: Path) -> None:
    """Writes the table as CSV, whole or not at all."""
    text = ",".join(COLUMNS) + "\r\n" + "".join(map(_line, table))
    write_whole(out, text.encode())

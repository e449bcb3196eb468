"""The table of grades: a row for each student and exercise."""

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from vitcourse.grading.course import Points
from vitcourse.grading.master import Master


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Args:
        student: as in the folder of submissions.
        exercise: id in ``checks.CATALOGUE``; lesson and cell for an answer that is graded by hand.
        points: the gradebook's, so manual points count.
        max_points: for a right answer.
        misconception: the mistake that the check found; empty for a right answer.
    """

    student: str
    exercise: str
    points: float
    max_points: float
    misconception: str


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


def write(table: list[Row], out: Path) -> None:
    """Writes the table as CSV, whole or not at all."""
    partial = out.with_name(f".{out.name}.partial")
    with partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)])
        writer.writeheader()
        for row in table:
            writer.writerow(
                {name: f"{value:g}" if isinstance(value, float) else value for name, value in asdict(row).items()}
            )
    partial.replace(out)

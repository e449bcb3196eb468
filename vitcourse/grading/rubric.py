"""A rubric: points for named mistakes, in place of the part of a check that an answer has passed.

["attention.scores"]
not-scaled = 2        # of the 3 points of its card
transposed = 1
"""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from vitcourse.errors import InputError
from vitcourse.exercises import CATALOGUE
from vitcourse.grading.master import Master

GRADERS_OWN = {"not-defined"}  # beside the mistakes of an exercise


def read(path: Path, masters: Mapping[str, Master]) -> dict[str, Master]:
    """The lessons, with the points of a rubric.

    Raises:
        InputError: it cannot be read, names something that is not there, or gives more points than there are.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    asked = {task.exercise: task for master in masters.values() for task in master.tasks.values()}
    for exercise, points in tables.items():
        if exercise not in asked:
            raise InputError(f'{path}: no lesson asks for {exercise!r}; a table is called as ["attention.scores"]')
        if not isinstance(points, dict):
            raise InputError(f"{path}: {exercise} must be a table of mistakes and their points")
        for mistake, value in points.items():
            if mistake not in CATALOGUE[exercise].misconceptions.keys() | GRADERS_OWN:
                raise InputError(f"{path}: {exercise} knows no mistake {mistake!r}")
            most = asked[exercise].points
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
                raise InputError(f"{path}: {exercise} gives {value!r} for {mistake!r}: a number from 0 to {most:g}")
    return {
        name: replace(
            master,
            tasks={
                cell: replace(task, by_mistake=tables.get(task.exercise, {})) for cell, task in master.tasks.items()
            },
        )
        for name, master in masters.items()
    }

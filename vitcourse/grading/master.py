"""The source of an assignment: the exercises of a lesson, and what each of their test cells asks for."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from nbformat import NotebookNode

import vitcourse
from vitcourse import checks
from vitcourse.checks import Report
from vitcourse.errors import InputError, one_line
from vitcourse.exercises import CATALOGUE
from vitcourse.notebooks import is_exercises
from vitcourse.notebooks.derive import is_solution, solution_of
from vitcourse.notebooks.files import read, source_exercises

COURSE = Path(vitcourse.__file__).parents[1]


@dataclass(frozen=True)
class Task:
    """What a test cell asks for.

    Args:
        cell: its grade_id.
        exercise: id in ``checks.CATALOGUE``.
        name: what the notebook calls the student's function or value.
        points: for a right answer.
        solution: the course's own answer, as code.
        by_mistake: points for an answer with this mistake, where a rubric gives them.
    """

    cell: str
    exercise: str
    name: str
    points: float
    solution: str = ""
    by_mistake: Mapping[str, float] = field(default_factory=dict)

    def earned(self, report: Report) -> float:
        """What an answer gets: by the rubric, else the part of the points that it has passed of the check."""
        return self.by_mistake.get(report.misconception, report.earned(self.points))


@dataclass(frozen=True)
class Master:
    """The exercises of one lesson.

    Args:
        lesson: id of the lesson and of the assignment, "01_attention".
        path: the notebook under ``lessons/``.
        notebook: its content.
        tasks: by grade_id of the test cell, in reading order.
    """

    lesson: str
    path: Path
    notebook: NotebookNode
    tasks: dict[str, Task]

    @property
    def name(self) -> str:
        return self.path.stem


def load_masters(course: Path = COURSE, own: Path | None = None) -> dict[str, Master]:
    """Every lesson with exercises, by its id.

    Args:
        course: the folder that holds ``lessons/``; there are none beside a package that is installed alone.
        own: a teacher's folder, which holds some too.

    Raises:
        InputError: there is none, or one has a fault; the message names the notebook.
    """
    paths = [path for root in (course, own) if root for path in source_exercises(root)]
    if own and not source_exercises(own):
        raise InputError(f"{own / 'lessons'}: there are no exercises (*/*_exercises.ipynb)")
    if not paths:
        raise InputError(f"{course / 'lessons'}: there are no exercises (*/*_exercises.ipynb)")
    masters: dict[str, Master] = {}
    for path in paths:
        master = _load(path)
        if other := masters.get(master.lesson):
            raise InputError(f"{path}: {other.path} is of the same lesson: take another number or topic")
        masters[master.lesson] = master
        if own and path.is_relative_to(own):
            _must_have_checks(master)
    return masters


def find_master(lesson: str, course: Path = COURSE, own: Path | None = None) -> Master:
    """The exercises of a lesson.

    Raises:
        InputError: it has none; the message lists the lessons that have.
    """
    masters = load_masters(course, own)
    if lesson not in masters:
        raise InputError(f"there are no exercises for {lesson!r}; there are some for: {', '.join(masters)}")
    return masters[lesson]


def _load(path: Path) -> Master:
    notebook, lesson = read(path), path.parent.name
    named = notebook.metadata["vitcourse"].get("lesson")
    if not is_exercises(notebook) or named != lesson:
        raise InputError(f"{path}: its metadata name the lesson {named!r}, its folder is {lesson!r}")
    _lock_given(notebook, path)
    tasks, answers = {}, []
    for cell in notebook.cells:
        facts = cell.metadata.get("nbgrader", {})
        if is_solution(cell) and cell.cell_type == "code":
            answers.append(solution_of(cell))
        elif facts.get("grade") and not facts.get("solution"):
            task = _task(cell.source, facts, f"{path}: cell {facts['grade_id']}")
            tasks[facts["grade_id"]] = replace(task, solution="\n\n".join(answers))
            answers = []
    return Master(lesson, path, notebook, tasks)


def _must_have_checks(master: Master) -> None:
    """Those of a teacher are loaded before the class is, so that a fault in one costs nobody points."""
    for task in master.tasks.values():
        try:
            checks.find(task.exercise)
        except Exception as error:
            fault = one_line(f"{type(error).__name__}: {error}")
            raise InputError(f"{master.path}: the check of {task.exercise} cannot be loaded ({fault})") from error


def _lock_given(notebook: NotebookNode, path: Path) -> None:
    """Marks the code that is given, such as imports and data: nbgrader locks it, and what is changed is put back."""
    taken = {facts["grade_id"] for cell in notebook.cells if (facts := cell.metadata.get("nbgrader"))}
    for cell in notebook.cells:
        if cell.cell_type == "code" and "nbgrader" not in cell.metadata:
            if cell.id in taken:
                raise InputError(f"{path}: cell {cell.id}: its id is the grade_id of another cell")
            kinds = dict.fromkeys(("grade", "solution", "task"), False)
            cell.metadata["nbgrader"] = {"schema_version": 3, "grade_id": cell.id, "locked": True, **kinds}


def _task(source: str, facts: dict, where: str) -> Task:
    try:
        call = ast.parse(source.strip(), mode="eval").body
        (answer,) = call.args
        name, exercise = answer.id, ast.unparse(call.func).removeprefix("checks.")
        if not ast.unparse(call.func).startswith("checks.") or call.keywords:
            raise ValueError(source)
    except (SyntaxError, ValueError, AttributeError) as error:
        raise InputError(f"{where}: a test cell is one line, checks.TOPIC.EXERCISE(NAME)") from error
    if exercise not in CATALOGUE:
        raise InputError(f"{where}: there is no exercise {exercise!r} in checks.CATALOGUE")
    if facts["points"] != CATALOGUE[exercise].points:
        raise InputError(f"{where}: {facts['points']} points, but {CATALOGUE[exercise].points} in checks.CATALOGUE")
    return Task(facts["grade_id"], exercise, name, float(facts["points"]))

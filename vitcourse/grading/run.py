"""Grades a folder of submissions, and releases an assignment."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from vitcourse.errors import InputError, one_line
from vitcourse.grading import grades
from vitcourse.grading.course import Course
from vitcourse.grading.examine import examine, nothing, record
from vitcourse.grading.keeper import Keeper
from vitcourse.grading.limits import Limits
from vitcourse.grading.master import COURSE, Master, find_master, load_masters
from vitcourse.grading.restore import restore
from vitcourse.grading.submissions import MISSING, NO_NOTEBOOK, NOT_GRADED, Submission, collect
from vitcourse.grading.trial import try_limits
from vitcourse.notebooks import learner_copy


@dataclass
class Graded:
    """What grading gave.

    Args:
        rows: the table.
        problems: one line for each submission that had one.
        pages: the feedback pages.
        by_hand: answers that wait for manual points.
    """

    rows: list[grades.Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    pages: list[Path] = field(default_factory=list)
    by_hand: int = 0


def assign(lesson: str, out: Path, course: Path = COURSE) -> Path:
    """Writes the notebook of an assignment as nbgrader releases it, with Markdown that every program shows.

    Args:
        lesson: "01_attention".
        out: a new or empty folder, to hand out.
        course: the folder that holds ``lessons/``.

    Raises:
        InputError: there are no such exercises, or ``out`` holds something.
    """
    master = find_master(lesson, course)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: not an empty folder")
    with tempfile.TemporaryDirectory() as folder:
        release = Course(Path(folder) / "course").release(master)
    texts = {cell.id: cell.source for cell in learner_copy(master.notebook).cells if cell.cell_type == "markdown"}
    for cell in release.cells:
        cell.source = texts.get(cell.id, cell.source)
    out.mkdir(parents=True, exist_ok=True)
    nbformat.write(release, out / f"{master.name}.ipynb")
    return out / f"{master.name}.ipynb"


def grade(
    folder: Path,
    seed: str,
    out: Path,
    *,
    limits: Limits | None = None,
    isolated: bool = True,
    course: Path = COURSE,
    progress: Callable[[int, int], None] | None = None,
) -> Graded:
    """Grades every submission in a folder.

    Args:
        folder: ``STUDENT/any name.ipynb`` or ``STUDENT.ipynb``; ``out`` may lie in it.
        seed: any text; it draws the inputs of the checks, and stays in this process.
        out: the table to write, ``….csv``; gradebook and feedback go to a folder of the same name beside it.
        limits: on each submission.
        isolated: False lets submissions run with the rights of this process.
        course: the folder that holds ``lessons/``.
        progress: called with the number of submissions done, and of all.

    Raises:
        InputError: something that was given cannot be used, or the platform lacks a limit.
    """
    folder, out = folder.resolve(), out.resolve()
    if not seed:
        raise InputError("the seed is empty")
    if out.suffix != ".csv" or not out.parent.is_dir() or out.is_dir():
        raise InputError(f"{out}: the table must be a .csv file in a folder that exists")
    masters, passed = load_masters(course), []
    # The table may lie among the submissions: what is written is no submission, and passed over the next time.
    submissions = collect(folder, masters, ours=(out, out.with_suffix("")), say=passed.append)
    progress = progress or (lambda *_counts: None)
    with Keeper(limits or Limits(), isolated) as keeper:
        if isolated:
            try_limits(keeper, str(submissions[0].place), os.geteuid())
        book = Course(out.with_suffix(""))
        grader = _Grader(book, keeper, seed, masters)
        grader.graded.problems += passed
        for lesson in sorted({entry.lesson for entry in submissions}):
            grader.releases[lesson] = book.release(masters[lesson])
        for done, submission in enumerate(submissions):
            progress(done, len(submissions))
            grader.grade(submission)
        progress(len(submissions), len(submissions))
    grades.write(grader.graded.rows, out)
    return grader.graded


class _Grader:
    """Grades one submission after the other into one gradebook."""

    def __init__(self, book: Course, keeper: Keeper, seed: str, masters: dict[str, Master]):
        self.book, self.keeper, self.seed, self.masters = book, keeper, seed, masters
        self.releases: dict[str, NotebookNode] = {}
        self.graded = Graded()

    def grade(self, submission: Submission) -> None:
        """Grades a submission, whatever it is: what breaks on the way becomes a line among the problems."""
        try:
            problems = self._grade(submission)
        except Exception as error:
            # nbgrader has refused the notebook, or we have a fault: the student gets a row, the instructor a line.
            submission.problem, submission.detail = NOT_GRADED, one_line(f"{type(error).__name__}: {error}")
            try:
                problems = self._grade(submission)
            except Exception:
                # Not even that can be recorded, such as a name that nbgrader cannot use.
                self.graded.rows += grades.zeros(self.masters[submission.lesson], submission.student, NOT_GRADED)
                problems = [_in_words(submission)]
        name = f" ({submission.name})" if submission.name else ""
        line = f"{submission.student}{name}: {'; '.join(problems)}"
        if problems and line not in self.graded.problems:
            self.graded.problems.append(line)

    def _grade(self, submission: Submission) -> list[str]:
        """Records and reports a submission; returns what the instructor should know of."""
        notebook, problems = self._record(submission)
        master, graded = self.masters[submission.lesson], self.graded
        points = self.book.points(master, submission.student)
        page = self.book.feedback(master, submission.student)
        graded.rows += grades.rows(master, submission.student, notebook, points)
        graded.by_hand += sum(entry.waits for entry in points)
        graded.pages.append(page)
        return problems

    def _record(self, submission: Submission) -> tuple[NotebookNode, list[str]]:
        """The graded notebook, as it stands in the gradebook, and what the instructor should know of."""
        master, release = self.masters[submission.lesson], self.releases[submission.lesson]
        notebook, changes = restore([] if submission.problem else submission.cells, release)
        notes = [_in_words(submission)] if submission.problem else changes
        notebook.metadata["vitcourse"] = {
            **release.metadata["vitcourse"],
            "title": _title(master),
            "judged": not submission.problem,
            "notes": _for_the_page(submission, notes),
        }
        problems = submission.notes + notes

        def run(content: NotebookNode) -> None:
            if not submission.problem:
                problems.extend(examine(content, master.tasks, self.keeper, self.seed))
                return
            for cell in content.cells:
                task = master.tasks.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
                if task is not None:
                    record(cell, task, nothing(task, submission.problem, _in_words(submission)))

        return self.book.autograde(master, submission.student, notebook, run), problems


def _in_words(submission: Submission) -> str:
    if submission.problem == MISSING:
        return "Nothing was handed in."
    if submission.problem == NO_NOTEBOOK:
        return f"{submission.detail}."
    return f"The notebook could not be graded: {submission.detail}."


def _for_the_page(submission: Submission, notes: list[str]) -> list[str]:
    changes = notes if submission.problem else [f"Cells of the assignment were {note}." for note in notes]
    return [*changes, *(f"{note}." for note in submission.notes)]


def _title(master: Master) -> str:
    """The first heading of the notebook."""
    cells = (cell for cell in master.notebook.cells if cell.cell_type == "markdown")
    lines = (line for cell in cells for line in cell.source.splitlines())
    return next((line.lstrip("# ") for line in lines if line.startswith("# ")), master.lesson)

"""Grades one submission after the other into a gradebook, whatever they are."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from nbformat import NotebookNode

from vitcourse.errors import one_line
from vitcourse.grading import grades
from vitcourse.grading.course import Course, Points
from vitcourse.grading.examine import ON_CPU, examine, nothing, record
from vitcourse.grading.late import LATE, Policy, in_words
from vitcourse.grading.master import Master
from vitcourse.grading.outputs import listed
from vitcourse.grading.platforms import called
from vitcourse.grading.restore import restore
from vitcourse.grading.submissions import MISSING, NO_NOTEBOOK, NOT_GRADED, Submission
from vitcourse.grading.walled.launcher import Launcher


@dataclass
class Graded:
    """What grading gave.

    Args:
        rows: the table.
        problems: one line for each submission that had one.
        pages: the feedback pages.
        by_hand: answers that wait for manual points.
        late: whether it came late.
        report: the page about the class, once all are graded.
    """

    rows: list[grades.Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    pages: list[Path] = field(default_factory=list)
    by_hand: int = 0
    late: bool = False
    report: Path | None = None

    def add(self, other: "Graded") -> None:
        self.rows += other.rows
        self.problems += [line for line in other.problems if line not in self.problems]
        self.pages += other.pages
        self.by_hand += other.by_hand


@dataclass(frozen=True)
class Grader:
    """What it takes to grade: the gradebook, kernels, the seed, the assignments as given out, and what is late."""

    book: Course
    launcher: Launcher
    seed: str
    masters: dict[str, Master]
    releases: dict[str, NotebookNode]
    policy: Policy = field(default_factory=Policy)

    def grade(self, submission: Submission) -> Graded:
        """What breaks on the way costs this submission's points, or its page, and becomes a line of its problems."""
        master, graded = self.masters[submission.lesson], Graded()
        kept = self.book.folder("autograded", master, submission.student)
        if submission.problem == MISSING and submission.place is None and not kept.exists():
            # Of whom the roster alone tells there is nothing to record, and no page to read.
            rows = grades.zeros(master, submission.student, MISSING)
            return Graded(rows, [_line(submission, [_in_words(submission)])])
        try:
            submission = self._the_better(submission)
            notebook, points, problems = self._points(submission)
        except (Exception, SystemExit) as error:
            # nbgrader has refused the notebook, or we have a fault: the student gets a row, the instructor a line.
            submission.problem, submission.detail = NOT_GRADED, one_line(f"{type(error).__name__}: {error}")
            try:
                notebook, points, problems = self._points(submission)
            except (Exception, SystemExit):
                # Not even that can be recorded, such as a name that nbgrader cannot use.
                return not_graded(master, submission, submission.detail)
        graded.rows = grades.rows(master, submission.student, notebook, points)
        graded.by_hand, graded.late = sum(entry.waits for entry in points), bool(self.policy.lateness(submission))
        try:
            graded.pages.append(self.book.feedback(master, submission.student))
        except (Exception, SystemExit) as error:
            problems.append(f"its feedback page could not be made ({one_line(f'{type(error).__name__}: {error}')})")
        graded.problems += [_line(submission, problems)] if problems else []
        return graded

    def _the_better(self, submission: Submission) -> Submission:
        """Of a student's notebooks for one lesson the one with most points; which, and how many each has, is noted."""
        if not submission.rivals:
            return submission
        master, release = self.masters[submission.lesson], self.releases[submission.lesson]
        found = []
        for entry in (submission, *reversed(submission.rivals)):
            notebook, _ = restore(entry.cells, release)
            examine(notebook, master.tasks, self.launcher, self.seed)
            found.append((sum(cell.metadata.get("vitcourse", {}).get("points", 0) for cell in notebook.cells), entry))
        # Of equals the first: the one that is meant most.
        best = max(found, key=lambda pair: self.policy.points(pair[0], self.policy.lateness(pair[1])))[1]
        listed = ", ".join(f"{entry.name} ({points:g})" for points, entry in found)
        words = f"of {len(found)} notebooks the one with most points counts, {best.name}: {listed}"
        return replace(best, notes=[words, *submission.notes])

    def _points(self, submission: Submission) -> tuple[NotebookNode, list[Points], list[str]]:
        """The graded notebook and its points, as they stand in the gradebook, and what the instructor should know."""
        master, release = self.masters[submission.lesson], self.releases[submission.lesson]
        notebook, changes = restore([] if submission.problem else submission.cells, release)
        notes = [_in_words(submission)] if submission.problem else changes
        notebook.metadata["vitcourse"] = {
            **release.metadata["vitcourse"],
            "title": _title(master),
            "student": (submission.person and submission.person.name) or submission.student,
            "judged": not submission.problem,
            "notes": _for_the_page(submission, notes),
        }
        problems = submission.notes + notes

        def run(content: NotebookNode) -> None:
            if not submission.problem:
                troubles = examine(content, master.tasks, self.launcher, self.seed)
                content.metadata["vitcourse"]["troubles"] = [line for line in troubles if line != ON_CPU]
                problems.extend(troubles)
                return
            for cell in content.cells:
                task = master.tasks.get(cell.metadata.get("nbgrader", {}).get("grade_id"))
                if task is not None:
                    record(cell, task, nothing(task, submission.problem, _in_words(submission)))

        done, changed = self.book.autograde(master, submission.student, notebook, run)
        if changed:
            cells = [master.tasks[cell].exercise if cell in master.tasks else cell for cell in changed]
            problems.append(f"what was given by hand is for an earlier answer: {listed(cells)}")
        points, late = self.book.points(master, submission.student), self.policy.lateness(submission)
        got = sum(entry.points for entry in points)
        if (taken := round(got - self.policy.points(got, late), 2)) > 0:
            self.book.take_off(master, submission.student, taken)
            points.append(Points(LATE, -taken, 0.0, False))
            problems.append(f"late by {in_words(late)}: {taken:g} points are taken off")
        return done, points, problems


def not_graded(master: Master, submission: Submission, detail: str) -> Graded:
    """The rows of a submission that could not even be recorded."""
    submission.problem, submission.detail = NOT_GRADED, detail
    rows = grades.zeros(master, submission.student, NOT_GRADED)
    return Graded(rows, [_line(submission, [_in_words(submission)])])


def _line(submission: Submission, problems: list[str]) -> str:
    student = called(submission.student, submission.person.name if submission.person else "")
    name = f" ({submission.name})" if submission.name else ""
    return f"{student}{name}: {'; '.join(problems)}"


def _in_words(submission: Submission) -> str:
    if submission.problem == MISSING:
        return submission.detail or "Nothing was handed in."
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

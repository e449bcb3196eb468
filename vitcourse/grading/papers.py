"""What the graded notebooks of a folder of grades say of each student's work, beside the points of the table."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nbformat import NotebookNode, v4

from vitcourse.exercises import CATALOGUE
from vitcourse.grading.by_hand import answers_of
from vitcourse.grading.grades import Row
from vitcourse.grading.harmless import as_id
from vitcourse.grading.identify import marked
from vitcourse.grading.platforms import called
from vitcourse.grading.submissions import MISSING, NO_NOTEBOOK, UNREADABLE
from vitcourse.grading.ways_round import hints, imported

SCANNED = 200_000  # characters of a student's code that are looked at for hints
# What stands in place of work, in words.
NOTHING = {
    MISSING: "nothing handed in",
    NO_NOTEBOOK: "no notebook of an assignment among the files",
    UNREADABLE: "a notebook that cannot be read",
}


@dataclass
class Paper:
    """One student's work for one lesson.

    Args:
        student: whose, as the table calls them.
        lesson: the assignment.
        name: for a human: the student's name, where it is told, and what the table calls them.
        rows: of the table.
        answers: code by exercise, without untouched stubs.
        troubles: what happened while it ran, in words.
        hints: lines that look for a way round, and what is odd about each.
        page: the student's page, seen from the folder of grades; "" where there is none.
    """

    student: str
    lesson: str
    name: str
    rows: list[Row] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)
    hints: list[tuple[str, str]] = field(default_factory=list)
    page: str = ""

    @property
    def points(self) -> float:
        return sum(row.points for row in self.rows)

    @property
    def most(self) -> float:
        return sum(row.max_points for row in self.rows)

    @property
    def handed_in(self) -> bool:
        """Whether there is work that can be read."""
        return not self.instead

    @property
    def instead(self) -> str:
        """What there is in place of work, in words."""
        return next((NOTHING[row.misconception] for row in self.rows if row.misconception in NOTHING), "")

    @property
    def zeros(self) -> list[str]:
        """The exercises without a point."""
        return [row.exercise for row in self.rows if row.points <= 0 < row.max_points]

    @property
    def endless(self) -> list[str]:
        """The functions that did not end, in words."""
        return [f"{row.exercise} did not end" for row in self.rows if row.misconception == "endless-loop"]


def read_papers(root: Path, table: Iterable[Row], names: Mapping[str, str]) -> list[Paper]:
    """The work behind a table, by student and lesson. Where no notebook was kept, there are the points alone.

    Args:
        root: the folder of grades.
        table: its rows.
        names: of students, as far as they are told, by what the table calls them.
    """
    papers: dict[tuple[str, str], Paper] = {}
    for row in table:
        exercise = CATALOGUE.get(row.exercise)
        lesson = exercise.lesson if exercise else row.exercise.partition("/")[0]
        paper = Paper(row.student, lesson, called(row.student, names.get(row.student, "")))
        papers.setdefault((row.student, lesson), paper).rows.append(row)
    releases = cache(lambda lesson: _release(root / "release" / lesson))
    for paper in papers.values():
        for file in (root / "autograded" / as_id(paper.student) / paper.lesson).glob("*.ipynb"):
            _read_into(paper, _load(file), *releases(paper.lesson))
            page = Path("feedback", *file.parts[-3:]).with_suffix(".html")
            paper.page = page.as_posix() if (root / page).is_file() else ""
    return list(papers.values())


def _load(file: Path) -> NotebookNode:
    return v4.reads(file.read_text(encoding="utf-8"))  # without nbformat's validation, which takes most of its time


def _release(folder: Path) -> tuple[dict[str, str], frozenset[str]]:
    """The stubs of an assignment by the id of their cell, and the modules that it imports itself."""
    cells: dict[str, str] = defaultdict(str)
    for file in folder.glob("*.ipynb"):
        cells |= {name: cell.source for name, cell in marked(_load(file)).items() if cell.cell_type == "code"}
    return cells, frozenset().union(*map(imported, cells.values()))


def _read_into(paper: Paper, notebook: NotebookNode, stubs: dict[str, str], given: frozenset[str]) -> None:
    paper.troubles = notebook.metadata.get("vitcourse", {}).get("troubles", [])
    cells = marked(notebook)
    for graded, names in answers_of(notebook).items():
        exercise = cells[graded].metadata.get("vitcourse", {}).get("exercise", f"{paper.lesson}/{graded}")
        source = "\n\n".join(cells[name].source for name in names)
        if source.strip() and source != "\n\n".join(stubs.get(name, "") for name in names):
            paper.answers[exercise] = source
    room = SCANNED
    for cell in notebook.cells:
        own = cell.cell_type == "code" and cell.metadata.get("nbgrader", {"solution": True}).get("solution")
        if own and room > 0:
            paper.hints += hints(cell.source[:room], given)
            room -= len(cell.source)
    paper.hints = list(dict.fromkeys(paper.hints))

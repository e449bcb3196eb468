"""A whole class, of every sort, graded by one call."""

import csv
import dataclasses
import os
import socket
from pathlib import Path

import nbformat
import pytest

from tests.grading.assignment import LESSON, MOST, NAME, answered
from tests.grading.cases import CASES, PART, RIGHT, nothing
from vitcourse import checks

SEED = "seven-plum-trees"
SPY = """
import os, pathlib
print(dict(os.environ))
for path in pathlib.Path("/proc").glob("[0-9]*/*"):
    if path.name in ("environ", "cmdline", "maps", "comm"):
        try:
            print(path, path.read_bytes())
        except OSError as error:
            print(path, error)
import gc, sys
print([text for text in gc.get_objects() if isinstance(text, str) and "trees" in text])
for frame in sys._current_frames().values():
    while frame:
        print(frame.f_locals.keys())
        frame = frame.f_back
"""


class Class:
    """The submissions, and what came of them."""

    def __init__(self, root, course, release, grade):
        self.folder, self.out = root / "submissions", root / "grades.csv"
        self.folder.mkdir()
        self.server = socket.create_server(("127.0.0.1", 0))
        self.server.settimeout(0.1)
        for student, case in CASES.items():
            self.put(f"{student}/{case.file}", case.make(release))
        others, beside = self.folder / "right" / f"{NAME}.ipynb", self.out.with_suffix("") / "gradebook.db"
        reads = "\n".join(f"print(len(open({str(path)!r}).read()))" for path in (others, beside, self.folder))
        self.put("spy/x.ipynb", answered(release, first=SPY))
        for index, line in enumerate(reads.splitlines()):
            self.put(f"thief-{index}/x.ipynb", answered(release, first=line))
        write = f"import os\nos.makedirs({str(beside.parent)!r})\nopen({str(beside.parent / 'mine')!r}, 'w').write('x')"
        self.put("vandal/x.ipynb", answered(release, first=write))
        port = self.server.getsockname()[1]
        call = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), timeout=2).send(b'x')"
        self.put("caller/x.ipynb", answered(release, first=call))
        self.put("single.ipynb", answered(release))
        (self.folder / "empty").mkdir()
        (self.folder / "linked").mkdir()
        (self.folder / "linked" / f"{NAME}.ipynb").symlink_to(others)
        (self.folder / "pipe").mkdir()
        os.mkfifo(self.folder / "pipe" / f"{NAME}.ipynb")
        self.steps = []
        self.graded = grade(
            self.folder,
            SEED,
            self.out,
            course=course,
            jobs=2,
            progress=lambda done, total: self.steps.append((done, total)),
        )

    def put(self, name, content):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else nbformat.writes(content))

    def grades(self, student):
        rows = [row for row in self.graded.rows if row.student == student]
        parts = [PART if 0 < row.points < row.max_points else row.points for row in rows]
        return {
            row.exercise.removeprefix("attention."): (part, row.misconception)
            for row, part in zip(rows, parts, strict=True)
        }

    def line(self, student):
        return next((line for line in self.graded.problems if line.startswith((f"{student} (", f"{student}:"))), "")

    def outputs(self, student):
        """All outputs of the graded notebook, as one text."""
        path = self.out.with_suffix("") / "autograded" / student / LESSON / f"{NAME}.ipynb"
        return str([cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells])


@pytest.fixture(scope="module")
def graded(tmp_path_factory, course, release, launcher, quick):
    with pytest.MonkeyPatch.context() as patch:
        # What a right answer needs is a small part of it; endless ones use all of it.
        patch.setattr(launcher, "limits", dataclasses.replace(launcher.limits, cell_seconds=1.5))
        return Class(tmp_path_factory.mktemp("class"), course, release, quick)


@pytest.mark.parametrize("student", CASES)
def test_every_submission_gets_the_points_that_it_deserves(graded, student):
    assert graded.grades(student) == CASES[student].grades()


@pytest.mark.parametrize("student", CASES)
def test_a_submission_with_a_problem_has_one_line_and_no_other_has(graded, student):
    words, line = CASES[student].words, graded.line(student)
    assert words in line
    assert bool(words) == bool(line)
    assert "\n" not in line


@pytest.mark.parametrize("student", [student for student, case in CASES.items() if case.shown])
def test_what_happened_stands_in_the_graded_notebook(graded, student):
    assert CASES[student].shown in graded.outputs(student)


def test_the_seed_is_nowhere_but_in_the_instructors_file(graded):
    outputs = graded.outputs("spy")
    assert "OMP_NUM_THREADS" in outputs  # it did look
    assert "/proc/2/cmdline" in outputs
    assert "trees" not in outputs.replace('"trees" in text', "")
    assert graded.grades("spy") == RIGHT
    for path in graded.out.parent.rglob("*"):
        if path.is_file() and path.suffix != ".db":
            assert SEED not in path.read_text(errors="replace"), path


@pytest.mark.parametrize("student", ["thief-0", "thief-1", "thief-2"])
def test_others_work_and_the_gradebook_cannot_be_read(graded, student):
    assert "FileNotFoundError" in graded.outputs(student)
    assert graded.grades(student) == RIGHT


def test_nothing_can_be_written_beside_the_gradebook(graded):
    """What a student writes there lands in a file system of its own."""
    assert graded.grades("vandal") == RIGHT
    assert not (graded.out.with_suffix("") / "mine").exists()


def test_nobody_can_be_called(graded):
    assert "ConnectionRefusedError" in graded.outputs("caller")
    with pytest.raises(TimeoutError):
        graded.server.accept()


def test_a_file_of_its_own_is_a_submission(graded):
    assert graded.grades("single") == RIGHT


def test_who_hands_in_nothing_or_what_is_no_file_gets_a_row(graded):
    assert graded.grades("empty") == nothing("nothing-handed-in")
    assert graded.line("empty") == "empty: Nothing was handed in."
    for student in ("linked", "pipe"):
        assert graded.grades(student) == nothing("unreadable")


def test_long_output_is_cut(graded):
    for student in ("long-line", "long-stored"):
        assert len(graded.outputs(student)) < 1.2 * 2**20
        path = graded.out.with_suffix("") / "submitted" / student / LESSON / f"{NAME}.ipynb"
        assert path.stat().st_size < 100_000


def test_every_student_has_rows_and_a_page(graded):
    students = {path.stem for path in graded.folder.iterdir()}
    with graded.out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["student", "exercise", "points", "max_points", "misconception"]
    assert {row["student"] for row in rows} == students
    assert len(rows) == 3 * len(students)
    assert sum(float(row["max_points"]) for row in rows) == MOST * len(students)
    pages = graded.out.with_suffix("") / "feedback"
    assert {page.relative_to(pages) for page in graded.graded.pages} == {
        Path(student, LESSON, f"{NAME}.html") for student in students
    }
    assert all(page.is_file() for page in graded.graded.pages)


def test_an_answer_that_is_right_in_part_gets_that_part_of_the_points(graded):
    report = checks.run("attention.scores", lambda query, key: query @ key.transpose(-2, -1), SEED)
    (points,) = (
        row.points for row in graded.graded.rows if (row.student, row.exercise) == ("partly", "attention.scores")
    )
    assert 0 < points < 3
    assert points == round(3 * report.share, 2)


def test_progress_is_told_from_the_first_to_the_last(graded):
    total = len(list(graded.folder.iterdir()))
    assert graded.steps == [(done, total) for done in range(total + 1)]

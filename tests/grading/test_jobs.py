"""Several submissions at once: the same table, whatever their number, and nothing lost when a process is."""

import csv
import fcntl
import os
import signal
import sys
import time
from contextlib import closing, contextmanager

import nbformat
import psutil
import pytest

from tests.grading.assignment import answered
from vitcourse.errors import InputError
from vitcourse.grading import jobs
from vitcourse.grading.course import Course
from vitcourse.grading.jobs import in_jobs


def starting(work, begin=lambda number: None):
    @contextmanager
    def start(number):
        begin(number)
        yield work

    return start


@pytest.mark.parametrize("count", [1, 3, 20])
def test_every_item_is_worked_on_once_whatever_the_number_of_processes(count):
    with closing(in_jobs(starting(lambda item: (item * item, os.getpid())), range(8), count)) as results:
        found = dict(results)
    assert {place: square for place, (square, _) in found.items()} == {place: place**2 for place in range(8)}
    assert len({process for _, process in found.values()}) <= count
    assert os.getpid() not in {process for _, process in found.values()}


def test_a_process_that_dies_costs_what_it_worked_on():
    def work(item):
        if item in (2, 5):
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    assert dict(in_jobs(starting(work), range(8), 2)) == {
        place: None if place in (2, 5) else place for place in range(8)
    }


def test_processes_that_cannot_begin_are_done_without():
    def begin(number):
        if number > 0:
            os._exit(1)

    assert dict(in_jobs(starting(str, begin), range(5), 3)) == {place: str(place) for place in range(5)}
    with pytest.raises(InputError, match="do not start"):
        list(in_jobs(starting(str, lambda _: os._exit(1)), range(5), 3))


def test_no_process_is_left_when_the_work_is_given_up():
    before = psutil.Process().children()
    with closing(in_jobs(starting(lambda item: time.sleep(900 * (item > 0))), range(5), 3)) as results:
        assert next(results) == (0, None)
    assert psutil.Process().children() == before


def test_outside_linux_it_is_this_process(monkeypatch):
    monkeypatch.setattr(jobs.sys, "platform", "darwin")
    assert list(in_jobs(starting(lambda item: os.getpid()), range(2), 5)) == [(0, os.getpid()), (1, os.getpid())]


STUDENTS = {"anna": {}, "ben": {"scores": "return query @ key.transpose(-2, -1)"}, "two\nlines": {}}


@pytest.fixture(scope="module")
def folder(release, tmp_path_factory):
    """Three students, one of them in a folder whose name has two lines, and one with a broken file."""
    root = tmp_path_factory.mktemp("in")
    for student, bodies in STUDENTS.items():
        (root / student).mkdir()
        nbformat.write(answered(release, **bodies), root / student / "hw.ipynb")
    (root / "zed").mkdir()
    (root / "zed" / "hw.ipynb").write_text("{")
    return root


@pytest.fixture(scope="module")
def table(folder, quick, course, tmp_path_factory):
    """The table, by one process."""
    out = tmp_path_factory.mktemp("out") / "grades.csv"
    quick(folder, "seed", out, course=course)
    return out.read_bytes()


def rows_of(out):
    with out.open(newline="", encoding="utf-8") as file:
        return [(row["student"], float(row["points"]), row["misconception"]) for row in csv.DictReader(file)]


def test_the_table_is_the_same_by_several_processes(folder, table, quick, course, tmp_path):
    graded = quick(folder, "seed", tmp_path / "grades.csv", course=course, jobs=3)
    assert (tmp_path / "grades.csv").read_bytes() == table
    assert [page.parts[-3] for page in graded.pages] == ["anna", "ben", "two lines", "zed"]
    assert graded.problems == [
        "zed (hw.ipynb): The notebook could not be graded: its text is damaged (JSONDecodeError)."
    ]


def test_the_table_grows_and_stays_when_the_grading_is_broken_off(folder, table, quick, course, tmp_path):
    """With each submission, in its place; what was there before the first one stays until then."""
    out, before = tmp_path / "grades.csv", psutil.Process().children()
    Course(tmp_path / "grades")  # of a grading that came before
    out.write_text("old")
    seen = []

    def progress(done, _total):
        seen.append(out.read_bytes())
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quick(folder, "seed", out, course=course, jobs=1, progress=progress)
    assert seen[0] == b"old"
    assert table.startswith(seen[1])
    assert seen[1] < seen[2] == out.read_bytes()
    assert {student for student, _, _ in rows_of(out)} == {"anna", "ben"}
    assert psutil.Process().children() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades", "grades.csv"]


def raises(error):
    raise error


FAULTS = {
    "anna": ("autograde", lambda: raises(OSError("no room"))),
    "ben": ("points", lambda: sys.exit(1)),
    "two lines": ("feedback", lambda: raises(ValueError("no page"))),
    "zed": ("autograde", lambda: os._exit(1)),
}


def test_a_fault_costs_one_row_and_no_more(folder, table, quick, course, tmp_path, monkeypatch):
    """Each student meets another one: nbgrader refuses, the gradebook does, the page fails, the process ends."""
    for name in ("autograde", "points", "feedback"):

        def wrong(self, master, student, *rest, name=name, right=getattr(Course, name)):
            part, fault = FAULTS[student]
            return fault() if part == name else right(self, master, student, *rest)

        monkeypatch.setattr(Course, name, wrong)
    graded = quick(folder, "seed", tmp_path / "grades.csv", course=course)
    lines = dict(line.split(" (hw.ipynb): ") for line in graded.problems)
    zero = "The notebook could not be graded: "
    assert lines == {
        "anna": f"{zero}OSError: no room.",
        "ben": f"{zero}SystemExit: 1.",
        "two lines": "its feedback page could not be made (ValueError: no page)",
        "zed": f"{zero}the process that graded it has died.",
    }
    points = {student: (points, words) for student, points, words in rows_of(tmp_path / "grades.csv")}
    assert points == dict.fromkeys(("anna", "ben", "zed"), (0.0, "not-graded")) | {"two lines": (3.0, "")}
    assert graded.pages == []


def test_of_those_who_grade_into_one_folder_one_is_at_the_gradebook(tmp_path):
    """The others may be while a student's code runs."""
    book = Course(tmp_path / "grades")

    def is_free():
        other = os.open(book.root, os.O_RDONLY)
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(other)
        return True

    assert is_free()
    with book._alone():
        assert not is_free()
        with book._others_may():
            assert is_free()
        assert not is_free()
    assert is_free()

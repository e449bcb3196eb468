"""One small course, and kernels that several tests share."""

import csv
import ctypes
import os
from contextlib import nullcontext

import nbformat
import pytest

from tests.grading import assignment
from vitcourse.grading import run as grading
from vitcourse.grading.hand_back import TOTALS, UPLOAD, hand_back
from vitcourse.grading.roster import read_roster
from vitcourse.grading.walled.launcher import Launcher
from vitcourse.grading.walled.limits import Limits, MissingLimitError


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    return assignment.write_course(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="session")
def course_by_hand(tmp_path_factory):
    """With one answer in words, which is graded by hand."""
    return assignment.write_course(tmp_path_factory.mktemp("course"), by_hand=True)


@pytest.fixture(scope="session")
def release(course, tmp_path_factory):
    """The notebook that students get."""
    return nbformat.read(
        grading.assign(assignment.LESSON, tmp_path_factory.mktemp("out") / "handout", course), as_version=4
    )


@pytest.fixture(scope="session")
def keyring():
    """The name of a key in the session's keyring, as a login puts one there."""
    libc, name = ctypes.CDLL(None), "vitcourse-test-key"
    join, add = {"x86_64": (250, 248), "aarch64": (219, 217)}[os.uname().machine]
    libc.syscall(join, 1, None)  # a keyring of these tests' own
    libc.syscall(add, b"user", name.encode(), b"secret", 6, -3)
    return name


@pytest.fixture(scope="session")
def launcher(keyring):
    """Gives isolated kernels with short limits; without walls the test is skipped, unless it must run."""
    try:
        with Launcher(Limits(cell_seconds=3, seconds=120, memory_gb=0.5, processes=24)) as launcher:
            launcher.start().close()
            yield launcher
    except MissingLimitError as error:
        if os.environ.get("VITCOURSE_REQUIRE_WALLS") == "1":
            pytest.fail(str(error))
        pytest.skip(f"no walls here: {error}")


@pytest.fixture(scope="session")
def quick(launcher):
    """`grade`, one submission after the other, with the shared kernels, which are ready and whose walls are tried."""

    def quick(*args, **kwargs):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(grading, "Launcher", lambda _limits, _isolated: nullcontext(launcher))
            patch.setattr(grading, "try_walls", lambda *_: None)
            return grading.grade(*args, **{"jobs": 1} | kwargs)

    return quick


@pytest.fixture
def kernel(launcher):
    kernel = launcher.start()
    yield kernel
    kernel.close()


@pytest.fixture
def run(kernel):
    """Runs a cell in a kernel of its own; gives what it printed and showed, or raises its error's text."""

    def run(source, seconds=5):
        answer = kernel.ask({"do": "cell", "source": source, "seconds": seconds}, 3 * seconds + 3)
        return answer["outputs"]

    return run


@pytest.fixture
def back(tmp_path):
    """Gives what is written for some entries: tables by name, and the notes."""

    def back(entries, roster=""):
        for one in entries:
            if one.page:
                (tmp_path / one.page).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / one.page).write_text(f"page of {one.person.student}")
        if roster:
            (tmp_path / "theirs.csv").write_text(roster)
        notes = hand_back(tmp_path, entries, read_roster(tmp_path / "theirs.csv") if roster else None)
        tables = {
            file.name: list(csv.reader(file.open(newline="", encoding="utf-8")))
            for file in [tmp_path / TOTALS, *(tmp_path / UPLOAD).glob("*.csv")]
        }
        return tables, notes

    return back

"""``vitcourse assign`` and ``vitcourse grade`` as an instructor meets them."""

import copy
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from vitcourse.grading.master import COURSE, load_masters
from vitcourse.grading.walled import sandbox
from vitcourse.grading.walled.limits import MissingLimitError

LESSON = "01_attention"
BROKEN, STUBS = "{ broken", "attention_exercises.ipynb"
SOMEBODY = 12345  # a user that owns nothing


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A right submission, one that ends its kernel and a broken one."""
    root = tmp_path_factory.mktemp("submissions")
    notebook = copy.deepcopy(load_masters()[LESSON].notebook)
    nbformat.write(notebook, root / "anna.ipynb")
    notebook.cells.append(new_code_cell("import os\nos._exit(7)"))
    nbformat.write(notebook, root / "ben.ipynb")
    (root / "carl.ipynb").write_text(BROKEN)
    return root


def in_own_process(arguments, before=(), **kwargs):
    """The command with next to no environment: nothing may depend on an activated one."""
    return subprocess.run(
        [*map(str, before), sys.executable, "-P", "-m", "vitcourse", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": "/tmp", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(COURSE)},
        check=False,
        **kwargs,
    )


@pytest.mark.parametrize("name", ["assign", "grade", "merge"])
def test_help_has_an_example(command, name):
    status, out, _ = command(name, "--help")
    assert status == 0
    assert f"Example: vitcourse {name}" in " ".join(out.split())


def test_assign_says_what_it_wrote_and_overwrites_nothing(command, tmp_path):
    out = tmp_path / "handout"
    out.mkdir()
    (out / "patches_exercises.ipynb").write_text("another lesson")
    status, printed, _ = command("assign", LESSON, "--out", out)
    assert (status, printed.strip()) == (0, f"wrote {out / STUBS}")
    before = (out / STUBS).read_bytes()
    status, _, error = command("assign", LESSON, "--out", out)
    assert (status, error) == (2, f"error: {out / STUBS}: is there already, and is not overwritten\n")
    assert (out / STUBS).read_bytes() == before
    status, _, error = command("assign", LESSON, "--out", out / STUBS)
    assert (status, error) == (2, f"error: {out / STUBS}: is there already, and is not overwritten\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["assign", "99_none", "--out", "OUT"], "no exercises for '99_none'; there are some for: 01_attention"),
        (["grade", "OUT/none", "--seed", "s", "--out", "OUT/g.csv"], "no such folder"),
        (["grade", "OUT", "--seed", "s", "--out", "OUT/g.csv"], "no submissions in it"),
        (["grade", "IN", "--seed", "", "--out", "OUT/g.csv"], "the seed is empty"),
        (["grade", "IN", "--seed", "s", "--out", "OUT/g.txt"], "must be a .csv file"),
        (["grade", "IN", "--seed", "s", "--out", "OUT/none/g.csv"], "in a folder that exists"),
        (["grade", COURSE, "--seed", "s", "--out", "OUT/g.csv"], "this is the course itself"),
        (["grade", "IN", "--seed", "s", "--out", "OUT/g.csv", "--seconds", "0"], "seconds must be above 0"),
        (["grade", "IN", "--seed", "s", "--out", "OUT/g.csv", "--processes", "3"], "at least 8"),
        (["grade", "IN", "--seed", "s", "--out", "OUT/g.csv", "--jobs", "-1"], "--jobs"),
        (["grade", "IN", "--out", "OUT/g.csv"], "Missing option '--seed'"),
        (["grade", "IN", "--seed", "s", "--out", "OUT/g.csv", "--part", "4/3"], "a part is written as 3/8"),
        (["grade", "IN", "--seed", "s", "--out", "OUT/g.csv", "--student", "zed"], "there are: anna, ben, carl"),
        (["grade", "IN", "--seed", "s", "--out", "OUT/g.csv", "--since", "now"], "a time is written as 2026-01-31"),
        (["grade", "IN", "--seed", "s", "--out", "OUT/g.csv", "--roster", "OUT/r.csv"], "r.csv: No such file"),
        (
            ["grade", "IN", "--seed", "s", "--out", "OUT/g.csv", "--roster", "IN/anna.ipynb"],
            "anna.ipynb, row 1: no column",
        ),
        (["grade", "IN/carl.ipynb", "--seed", "s", "--out", "OUT/g.csv"], "neither a folder nor a zip"),
        (["grade", "IN", "--seed", "s", "--out", "IN.csv"], "beside it, which holds the submissions; name another"),
        (["merge", "OUT/1.csv", "--out", "OUT/g.csv"], "1.csv: there is no folder of grades 1 beside it"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(command, folder, tmp_path, arguments, words):
    arguments = [str(argument).replace("OUT", str(tmp_path)).replace("IN", str(folder)) for argument in arguments]
    before = sorted(folder.iterdir())
    status, printed, error = command(*arguments)
    assert status == 2
    assert printed == ""
    assert len(error.strip().splitlines()) == 1
    assert words in error
    assert list(tmp_path.iterdir()) == []
    assert sorted(folder.iterdir()) == before


def test_the_table_may_lie_among_the_submissions(command, launcher, folder, tmp_path, monkeypatch):
    """``vitcourse grade .`` in the folder of submissions, twice; and from outside, with slashes and a second table."""
    monkeypatch.setattr("vitcourse.grading.run.Launcher", lambda *_: nullcontext(launcher))
    monkeypatch.setattr("vitcourse.grading.run.try_walls", lambda *_: None)
    shutil.copytree(folder, tmp_path / "in")
    monkeypatch.chdir(tmp_path / "in")
    for _ in range(2):
        status, out, _ = command("grade", ".", "--seed", "s", "--out", "grades.csv")
        assert status == 0
        assert "graded 3 submissions;" in out
        assert "passed over" not in out
    monkeypatch.chdir(tmp_path)
    status, out, _ = command("grade", "./in/", "--seed", "s", "--out", "in/../in/other.csv")
    assert status == 0
    assert out.splitlines()[0] == (
        "passed over, at the top of the folder: grades (a folder of grades), grades.csv (a table)"
    )
    tables = [(tmp_path / "in" / name).read_text() for name in ("grades.csv", "other.csv")]
    assert tables[0] == tables[1]


@pytest.fixture(scope="module")
def graded(folder, launcher):
    """The command, ended: run by a user who is not root, in a folder that belongs to that user."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        shutil.copytree(folder, root / "in")
        for path in (root, root / "in", *(root / "in").iterdir()):
            path.chmod(0o755)
            os.chown(path, *([SOMEBODY] * 2 if os.geteuid() == 0 else [-1] * 2))
        before = _somebody() if os.geteuid() == 0 else ()
        yield in_own_process(["grade", "in", "--seed", "s", "--out", "grades.csv"], before, cwd=root), root


def test_grade_ends_well_whatever_was_handed_in(graded):
    done, root = graded
    tasks = load_masters()[LESSON].tasks.values()
    most = sum(task.points for task in tasks)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "ben (ben.ipynb): a process of it is gone: it ended itself with exit status 7",
        "carl (carl.ipynb): The notebook could not be graded: its text is damaged (JSONDecodeError).",
        f"graded 3 submissions; a student has {most * 2 / 3:.1f} of {most:.1f} points on average",
        "wrote grades.csv and grades/feedback",
        "the class at a glance: grades/report.html",
    ]
    assert len((root / "grades.csv").read_text().splitlines()) == 1 + 3 * len(tasks)
    assert len(list(root.rglob("feedback/*/*/*.html"))) == 3


def test_grade_shows_how_long_it_will_take(graded):
    assert "3/3" in graded[0].stderr
    assert "left" in graded[0].stderr


def test_the_grades_are_for_no_other_users_eyes(graded):
    assert (graded[1] / "grades").stat().st_mode & 0o077 == 0


def test_without_isolation_it_warns_and_grades(command, folder, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(folder / "anna.ipynb", tmp_path / "in")
    status, out, _ = command("grade", tmp_path / "in", "--seed", "s", "--out", tmp_path / "g.csv", "--no-isolation")
    assert status == 0
    assert out.startswith("no isolation: submissions run with your rights")
    assert re.search(r"a student has ([\d.]+) of \1 points", out)


def test_without_bubblewrap_it_refuses_and_says_how_to_get_it(folder, tmp_path):
    done = in_own_process(["grade", folder, "--seed", "s", "--out", tmp_path / "g.csv"], ["env", "PATH=/none"])
    assert (done.returncode, done.stderr.strip()) == (
        2,
        "error: this machine cannot give a submission walls (the program bwrap is missing: apt install bubblewrap, "
        "dnf install bubblewrap, or the like); --no-isolation grades without, for submissions that you trust",
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up a right")
def test_where_the_system_forbids_namespaces_it_refuses_and_says_what_to_do(launcher, folder, tmp_path):
    """As in a plain container, whose root has no right to make them; nor has another user here."""
    nobodys = ["bwrap", "--unshare-user", "--disable-userns", "--uid", "0", "--dev-bind", "/", "/", "--cap-drop", "ALL"]
    done = in_own_process(["grade", folder, "--seed", "s", "--out", tmp_path / "g.csv"], nobodys)
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: this machine cannot give a submission walls (bwrap: ")
    assert "grade as root, or allow them: on Ubuntu 24.04 and later by sysctl kernel.apparmor_restrict" in line
    assert list(tmp_path.iterdir()) == []


def test_on_another_system_it_refuses_and_names_it(command, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    status, _, error = command("grade", folder, "--seed", "s", "--out", tmp_path / "g.csv")
    assert status == 2
    assert error.startswith("error: this machine cannot give a submission walls (this is darwin; the walls need Linux:")
    assert list(tmp_path.iterdir()) == []


def _somebody():
    """The beginning of a command line for another user, for whom the folders above Python and the course are open."""
    needed = [Path(path).resolve() for path in (sys.base_prefix, sys.prefix, COURSE)]
    closed = {next((p for p in reversed(path.parents) if not p.stat().st_mode & 1), None) for path in needed} - {None}
    words = ["bwrap", "--cap-add", "ALL", "--dev-bind", "/", "/"]
    for folder in closed:
        words += ["--perms", "0755", "--tmpfs", folder]
        for path in needed:
            above = [parent for parent in reversed(path.parents) if folder in parent.parents]
            words += [word for parent in above for word in ("--perms", "0755", "--dir", parent)]
            words += ["--bind", path, path] if folder in path.parents else []
    return [*words, "setpriv", "--reuid", SOMEBODY, "--regid", SOMEBODY, "--clear-groups"]


def test_a_missing_limit_is_an_error_that_names_it():
    error = MissingLimitError("a network of its own", "not allowed")
    assert (error.limit, error.reason) == ("a network of its own", "not allowed")
    assert "a submission a network of its own (not allowed); --no-isolation" in str(error)

"""The quick start leaves out what grading never uses, and nothing else."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import nbformat
import pytest

from tests.grading import assignment
from vitcourse.grading.lean import begin_gradebook

PROGRAM = """
import sys
from vitcourse.grading.lean import lean
with lean():
    import nbformat, nbgrader.converters
    import vitcourse.commands.terminal, vitcourse.grading.run
from vitcourse import checks
for answer in (lambda x, dim=-1: (x - x.amax(dim, True)).exp() / (x - x.amax(dim, True)).exp().sum(dim, True), abs):
    checks.run("attention.softmax", answer)
slow = "rfc3987_syntax.syntax_helpers", "arrow", "jupyter_server.serverapp", "setuptools", "requests", "sympy"
slow += "soupsieve", "rapidfuzz.fuzz", "nbconvert.postprocessors.serve"
print(*(name for name in (*slow, "torchvision", "matplotlib", "scipy", "pandas") if name in sys.modules))
"""
IN_A_KERNEL = """
import sys
loaded = set(sys.modules)
import math, torch, vitcourse.checks
torch.testing.assert_close(torch.ones(1, requires_grad=True).sum(), torch.tensor(1.0))
print(*sorted(name for name in set(sys.modules) - loaded if name.startswith(("torch.", "sympy"))))
"""


def test_nothing_slow_is_loaded_that_grading_does_not_use():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.grades
def test_a_kernel_has_loaded_what_every_submission_uses(run):
    (printed,) = run(IN_A_KERNEL) or [{"text": ""}]
    assert printed["text"].strip() == ""


@pytest.mark.grades
def test_no_kernel_carries_what_no_submission_uses(run):
    (printed,) = run("import sys\nprint('loaded', 'sympy' in sys.modules)")
    assert printed["text"].strip() == "loaded False"


@pytest.mark.grades
def test_a_submission_starts_no_program(release, course, quick, tmp_path, monkeypatch):
    def refused(*words, **_options):
        raise AssertionError(f"started {words}")

    nbformat.write(assignment.answered(release), tmp_path / "anna.ipynb")
    monkeypatch.setattr(subprocess.Popen, "__init__", refused)
    graded = quick(tmp_path, "seed", tmp_path / "grades.csv", course=course)
    assert sum(row.points for row in graded.rows) == assignment.MOST
    assert graded.problems == []


@pytest.mark.grades
def test_a_gradebook_begins_in_the_form_that_nbgrader_gives_it(tmp_path, monkeypatch):
    from nbgrader.api import Gradebook, get_alembic_version
    from sqlalchemy import text

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    begin_gradebook(tmp_path / "gradebook.db")
    with closing(Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}")) as gradebook:
        (version,) = gradebook.db.execute(text("SELECT version_num FROM alembic_version")).scalars()
    assert version == get_alembic_version()

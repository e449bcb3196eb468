"""The quick start leaves out what grading never uses, and nothing else."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from vitcourse.grading.lean import begin_gradebook

PROGRAM = """
import sys
from vitcourse.grading.lean import lean
with lean():
    import nbformat, nbgrader.converters
    import vitcourse.commands.terminal, vitcourse.grading.run
slow = "rfc3987_syntax.syntax_helpers", "jupyter_server.serverapp", "torchvision", "matplotlib", "scipy", "pandas"
print(*(name for name in slow if name in sys.modules))
"""


def test_nothing_slow_is_loaded_that_grading_does_not_use():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.grades
def test_a_gradebook_begins_in_the_form_that_nbgrader_gives_it(tmp_path, monkeypatch):
    from nbgrader.api import Gradebook, get_alembic_version
    from sqlalchemy import text

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    begin_gradebook(tmp_path / "gradebook.db")
    with closing(Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}")) as gradebook:
        (version,) = gradebook.db.execute(text("SELECT version_num FROM alembic_version")).scalars()
    assert version == get_alembic_version()

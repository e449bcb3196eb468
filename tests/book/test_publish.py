"""`make publish`: the branch that Colab and Binder open, written without touching anything else."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from publish import binder_requirements
from small_books import write_book

from tests.notebooks import sample

ROOT = Path(__file__).parents[2]
LESSON, EXERCISES = "lessons/01_attention/attention", "lessons/01_attention/attention_exercises"


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(
        ["git", "-C", root, *who, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def course(tmp_path):
    """A course in a repository with one commit, a change that is not committed, and a file that git ignores."""
    root = tmp_path / "course"
    root.mkdir()
    write_book(root, {LESSON: sample.lesson_notebook(), EXERCISES: sample.exercises_notebook()})
    (root / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    (root / ".gitignore").write_text("_build/\n__pycache__/\n", encoding="utf-8")
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "A")
    git(root, "config", "user.email", "a@example.org")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=One")
    (root / "vitcourse" / "new.py").write_text("", encoding="utf-8")
    (root / "vitcourse" / "__pycache__").mkdir()
    (root / "vitcourse" / "__pycache__" / "new.pyc").write_text("", encoding="utf-8")
    return root


def publish(root: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "book" / "programs" / "publish.py", "--root", root]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def test_the_branch_holds_what_learners_need_and_no_solution(course):
    before = [git(course, *command) for command in (["status", "--porcelain"], ["rev-parse", "HEAD"])]
    done = publish(course)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].strip() == "git push origin learner"
    assert [git(course, *command) for command in (["status", "--porcelain"], ["rev-parse", "HEAD"])] == before
    assert git(course, "branch", "--show-current") == "main"

    names = git(course, "ls-tree", "-r", "--name-only", "learner").splitlines()
    assert {f"{LESSON}.ipynb", f"{EXERCISES}.ipynb", "vitcourse/__init__.py", "vitcourse/new.py"} <= set(names)
    assert {"README.md", "pyproject.toml", "binder/requirements.txt", "binder/runtime.txt"} <= set(names)
    assert not [name for name in names if "pycache" in name or "key" in name]
    everything = "\n".join(git(course, "show", f"learner:{name}") for name in names)
    assert sample.SECRET_NAME not in everything
    nbformat.validate(nbformat.reads(git(course, "show", f"learner:{EXERCISES}.ipynb"), as_version=4))

    # Once more: nothing has changed. Then a change: one commit on top.
    first = git(course, "rev-parse", "learner")
    assert publish(course).stdout == "The branch learner is up to date.\n"
    assert git(course, "rev-parse", "learner") == first
    (course / "vitcourse" / "new.py").unlink()
    assert publish(course).returncode == 0
    assert git(course, "rev-parse", "learner^") == first
    assert "vitcourse/new.py" not in git(course, "ls-tree", "-r", "--name-only", "learner")


def test_a_branch_that_is_checked_out_is_left_alone(course):
    git(course, "checkout", "--quiet", "-b", "learner")
    before = git(course, "rev-parse", "learner")
    done = publish(course)
    assert done.returncode == 1
    assert done.stdout == "Nothing is published. The branch learner is checked out: switch to another one first.\n"
    assert git(course, "rev-parse", "learner") == before


def test_a_folder_without_git_says_so(tmp_path):
    write_book(tmp_path, {LESSON: sample.lesson_notebook()})
    done = publish(tmp_path)
    assert done.returncode == 1
    assert "Nothing is published. git worktree: fatal: not a git repository" in done.stdout


def test_binder_gets_pytorch_without_cuda_in_the_versions_of_the_lock():
    lock = "# made by make lock\ntorch==2.15.0\nnumpy==2.1 ; python_version < '4'\ntorchvision==0.29.2\n"
    assert binder_requirements(lock).splitlines() == [
        "--extra-index-url https://download.pytorch.org/whl/cpu",
        "torch==2.15.0",
        "torchvision==0.29.2",
        "-e .",
    ]
    names = [line.partition("==")[0] for line in binder_requirements((ROOT / "requirements.txt").read_text()).split()]
    assert {"torch", "torchvision", "jupyterlab", "ipywidgets"} <= set(names)

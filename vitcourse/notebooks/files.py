"""The notebooks of the course on disk: where the sources lie, and what is derived from all of them."""

from collections.abc import Callable
from pathlib import Path

import nbformat

from vitcourse.errors import InputError, one_line
from vitcourse.files import write_whole
from vitcourse.notebooks.derive import answer_key, is_exercises, with_setup
from vitcourse.notebooks.working import learner_notebook

LEARNER_BRANCH = "learner"


def lesson_notebooks(root: Path) -> list[Path]:
    """Every notebook under ``lessons/``: lessons and their exercises, in reading order."""
    return sorted(root.glob("lessons/*/*.ipynb"))


def source_exercises(root: Path) -> list[Path]:
    """The notebooks that hold exercises with their solutions."""
    return [path for path in lesson_notebooks(root) if path.stem.endswith("_exercises")]


def read(path: Path) -> nbformat.NotebookNode:
    """A notebook from disk.

    Raises:
        InputError: it cannot be read, or its name and its metadata disagree about what it is.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (ValueError, AttributeError, TypeError, nbformat.ValidationError) as error:  # the file may hold anything
        raise InputError(f"{path}: not a notebook ({one_line(error, 100)})") from error
    if path.stem.endswith("_exercises") != is_exercises(notebook):
        raise InputError(f"{path}: *_exercises.ipynb, and no other, has the metadata vitcourse.kind = 'exercises'")
    return notebook


def write(notebook: nbformat.NotebookNode, path: Path) -> Path:
    """Writes a notebook, whole or not at all."""
    write_whole(path, f"{nbformat.writes(notebook).rstrip()}\n".encode())
    return path


def learner_notebooks(root: Path, repository: str | None = None) -> dict[Path, nbformat.NotebookNode]:
    """What learners open, by its path below ``lessons/``, in reading order.

    Args:
        root: folder of the course, with ``lessons/``.
        repository: address of the repository, where a first cell shall install the course, as on Colab.

    Raises:
        InputError: a notebook that cannot be derived from; the message names it.
    """
    copies = _derived(root, lesson_notebooks(root), learner_notebook)
    if not repository:
        return copies
    return {name: with_setup(copy, repository, LEARNER_BRANCH) for name, copy in copies.items()}


def answer_keys(root: Path) -> dict[Path, nbformat.NotebookNode]:
    """The exercises with their solutions, by their path below ``lessons/``; raises as `learner_notebooks`."""
    return _derived(root, source_exercises(root), answer_key)


def _derived(root: Path, paths: list[Path], derive: Callable) -> dict[Path, nbformat.NotebookNode]:
    derived = {}
    for path in paths:
        try:
            derived[path.relative_to(root / "lessons")] = derive(read(path))
        except InputError as error:
            raise error if str(error).startswith(str(path)) else InputError(f"{path}: {error}") from error
    return derived

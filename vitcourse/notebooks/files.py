"""The notebooks of the course on disk: where the sources lie, and the folders of what is derived from them."""

import shutil
from pathlib import Path

import nbformat

from vitcourse.errors import InputError, one_line
from vitcourse.files import write_whole
from vitcourse.notebooks.derive import answer_key, is_exercises, learner_copy, with_setup

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


def write_derived(root: Path, out: Path, *, repository: str | None = None) -> list[Path]:
    """Writes the learner's copies and the answer keys, in place of what was there.

    Args:
        root: folder of the course, with ``lessons/``.
        out: receives ``learner/NN_topic/…`` (lessons and exercises) and ``key/NN_topic/…`` (exercises).
        repository: address of the repository, where a first cell shall fetch the course on Colab.

    Returns:
        The files, in reading order.

    Raises:
        InputError: a notebook that cannot be derived from; the message names it.
    """
    derived: dict[Path, nbformat.NotebookNode] = {}
    for path in lesson_notebooks(root):
        notebook, name = read(path), path.relative_to(root / "lessons")
        try:
            copy = learner_copy(notebook)
            derived[out / "learner" / name] = with_setup(copy, repository, LEARNER_BRANCH) if repository else copy
            if is_exercises(notebook):
                derived[out / "key" / name] = answer_key(notebook)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    for folder in ("learner", "key"):
        shutil.rmtree(out / folder, ignore_errors=True)
    return [write(notebook, path) for path, notebook in derived.items()]

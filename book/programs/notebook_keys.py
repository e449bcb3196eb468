"""What the outputs of a notebook depend on: its key, and the environment that it is executed in.

execute.py keeps an executed notebook under its key, and executes it again when the key has changed; tests/lessons
records a passing run under its key.
"""

import hashlib
import json
import os
import platform
import tomllib
from collections.abc import Iterable
from pathlib import Path

from reach import EXERCISES, files_under, reached

from vitcourse.errors import InputError, one_line
from vitcourse.threads import NOTEBOOK

# What the built pages are made from, beside the keys of the notebooks.
BOOK_INPUTS = (
    "_config.yml",
    "_toc.yml",
    "index.md",
    "CITATION.cff",
    "requirements.txt",
    "book",
    "lessons",
    "vitcourse",
)


def hash_files(paths: Iterable[Path], root: Path, *extra: str) -> str:
    """One hash of the names and contents of files, and of further strings."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"\0{path.relative_to(root).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    for text in extra:
        digest.update(f"\0{text}".encode())
    return digest.hexdigest()


def read_code(notebook: Path) -> list[dict]:
    """The code cells of a notebook, as they stand in the file.

    Raises:
        InputError: it is no notebook.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return [{**cell, "source": "".join(cell["source"])} for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{notebook}: not a notebook ({one_line(error)})") from error


def rules(reached: Iterable[Path], root: Path) -> dict[str, list]:
    """What the checks that are reached take from the files of their exercises: the names that an answer may not use."""
    topics = {path.parent.name for path in reached if path.parent.parent == root / "vitcourse" / "checks"}
    files = [path for path in (root / EXERCISES).glob("*.toml") if path.stem.partition("_")[2] in topics]
    tables = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(files)}
    return {
        lesson: [usual := table.pop("forbidden", []), *(entry.get("forbidden", usual) for entry in table.values())]
        for lesson, table in tables.items()
    }


def notebook_key(notebook: Path, root: Path, mode: str) -> str:
    """A hash of all that the outputs of a notebook depend on.

    Args:
        notebook: Path of the notebook.
        root: Folder of the repository.
        mode: ``"static"`` (for the book) or ``"live"`` (as a reader runs it).

    Only its code cells count, and of their metadata only the tags: a change of prose executes nothing. Of the package,
    the recorded runs and the weights, what the code reaches counts (`reach.reached`), with the modules that lie beside
    the notebook, and how its threads work.

    Raises:
        InputError: it is no notebook.
    """
    cells = read_code(notebook)
    code = [[cell["source"], cell.get("metadata", {}).get("tags", [])] for cell in cells]
    beside = sorted(notebook.parent.glob("*.py"))
    sources = [source for source, _ in code] + [path.read_text(encoding="utf-8") for path in beside]
    reach = reached(sources, root)
    inputs = [*reach, *beside, root / "requirements.txt"]
    settings = json.dumps([code, NOTEBOOK, rules(reach, root)])
    return hash_files(inputs, root, platform.python_version(), mode, settings)


def book_key(root: Path, *settings: str) -> str:
    """A hash of all that the built pages depend on: files, and further settings such as the profile."""
    paths = [path for name in BOOK_INPUTS for path in files_under(root / name)]
    return hash_files(paths, root, platform.python_version(), *settings)


def kernel_environment(build: Path, mode: str) -> dict[str, str]:
    """The environment variables for a process that starts kernels.

    Args:
        build: Folder for what is built; an IPython configuration is written into it.
        mode: ``"static"`` or ``"live"``, see `notebook_key`.
    """
    profile = build / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    # Each kernel would else warn that it listens on TCP, which on one machine is no news.
    (profile / "ipython_kernel_config.py").write_text("c.IPKernelApp.log_level = 40\n", encoding="utf-8")
    env = {**os.environ, **NOTEBOOK, "IPYTHONDIR": str(build / "ipython")}
    # A kernel "python3" that the user has installed elsewhere must not win over that of the environment.
    env["JUPYTER_PREFER_ENV_PATH"] = "1"
    # A backend set in the shell would hide the figures, which need the kernel's own.
    for name in ("MPLBACKEND", "VITCOURSE_STATIC"):
        env.pop(name, None)
    if mode == "static":
        env["VITCOURSE_STATIC"] = "1"
    return env

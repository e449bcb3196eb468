"""Execute the notebooks of the book whose key has changed, and keep each with its outputs under _build/executed.

Run by build.py, which makes the pages of both profiles from the same executed notebooks. One that fails is kept up
to the cell that failed, for its page, and tried again by the next build.
"""

import quicker  # noqa: F401 - first, see there

# isort: split
import argparse
import copy
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import yaml
import zmq
from faults import ANSI_COLOUR, FAULT, Fault, cell_fault, code_cells, keep_fault, kept_fault, unread
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from notebook_keys import kernel_environment, notebook_key
from traitlets.config import Config

from vitcourse.errors import InputError, one_line
from vitcourse.notebooks.files import lesson_notebooks, read, write

# Against what hangs, and nothing else: on a busy machine a cell may take many times its time.
CELL_SECONDS = 1800
# Notebooks compute on one thread (`vitcourse.threads`), and one may hold 1.5 GB.
AT_ONCE = 2
KEY = "course_key"


def say(text: str = "") -> None:
    print(text, flush=True)


def pages(contents) -> set[str]:
    """The pages that a table of contents names, without their endings."""
    if isinstance(contents, list):
        return set().union(*map(pages, contents))
    if not isinstance(contents, dict):
        return set()
    own = {contents[name] for name in ("root", "file") if name in contents}
    return own.union(*(pages(part) for part in contents.values()))


def book_notebooks(root: Path) -> list[Path]:
    """The notebooks that are pages of the book."""
    listed = pages(yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8")))
    return [path for path in lesson_notebooks(root) if path.relative_to(root).with_suffix("").as_posix() in listed]


def executed_path(notebook: Path, root: Path) -> Path:
    return root / "_build" / "executed" / notebook.relative_to(root)


def kept(notebook: Path, root: Path) -> nbformat.NotebookNode | None:
    """The notebook with its outputs, as it was last executed; None where that is missing or damaged."""
    try:
        return nbformat.read(executed_path(notebook, root), as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):
        return None


def is_executed(notebook: Path, root: Path) -> bool:
    """Whether the outputs that are kept are those of this notebook, with all that it depends on, and whole."""
    found = kept(notebook, root)
    if found is None or kept_fault(found):  # what failed is tried again
        return False
    try:
        return found.metadata.get(KEY) == notebook_key(notebook, root, "static")
    except InputError:
        return False


def with_outputs(notebook: Path, root: Path) -> tuple[nbformat.NotebookNode, Fault | None]:
    """The notebook as it stands now, prose and all, with the outputs that are kept of its cells; and what failed in it.

    Raises:
        InputError: it cannot be read.
    """
    result, found = read(notebook), kept(notebook, root)
    if found is None:
        return result, Fault("it was not executed", "it was not executed")
    ours, theirs = code_cells(result), code_cells(found)
    if [cell.source for cell in ours] != [cell.source for cell in theirs]:
        return without_record(found), kept_fault(found)  # it was edited meanwhile: the next build executes it again
    for cell, executed in zip(ours, theirs, strict=True):
        cell.outputs, cell.execution_count = executed.outputs, executed.execution_count
    return result, kept_fault(found)


def without_record(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy without what is noted beside the outputs."""
    result = copy.deepcopy(notebook)
    for name in (KEY, FAULT):
        result.metadata.pop(name, None)
    return result


def own_sockets(folder: str) -> Config:
    """Let a kernel listen on files in a folder, where the system and the length of the name allow it.

    The number of a free TCP port is found here and taken later by the kernel; in between another program, or the
    kernel of another notebook, may get the same one.
    """
    name = f"{folder}/kernel"
    if os.name != "posix" or len(os.fsencode(name)) + len("-5") > zmq.IPC_PATH_MAX_LEN:
        return Config()
    return Config(KernelManager={"transport": "ipc", "ip": name})


def execute(notebook: Path, root: Path, cell_seconds: int = CELL_SECONDS) -> Fault | None:
    """Execute one notebook in its own folder, and keep it with its outputs, or with those up to the cell that failed.

    Raises:
        InputError: it cannot be read, so there is nothing to keep.
    """
    key = notebook_key(notebook, root, "static")  # taken first: what is edited meanwhile is executed again
    content = read(notebook)
    for cell in code_cells(content):
        cell.outputs, cell.execution_count = [], None
    begun: list[int] = []
    fault = None
    try:
        with tempfile.TemporaryDirectory(prefix="vitcourse-", ignore_cleanup_errors=True) as sockets:
            client = NotebookClient(
                content,
                timeout=cell_seconds,
                store_widget_state=False,
                record_timing=False,
                resources={"metadata": {"path": str(notebook.parent)}},
                on_cell_execute=lambda cell, cell_index: begun.append(cell_index),  # noqa: ARG005 - nbclient's names
                config=own_sockets(sockets),
            )
            client.execute(env=dict(os.environ))
    except Exception as error:  # whatever it is, it ends this notebook and no other
        kind, message = describe(error, cell_seconds)
        say(ANSI_COLOUR.sub("", str(error)).strip() or kind)
        fault = cell_fault(content, begun[-1], kind, message, root) if begun else Fault(kind, f"{kind}: {message}")
        keep_fault(content, fault)
    content.metadata[KEY] = key
    write(content, executed_path(notebook, root))
    return fault


def describe(error: Exception, cell_seconds: int) -> tuple[str, str]:
    """The kind of an error, and what it says."""
    if isinstance(error, CellExecutionError):
        return error.ename, error.evalue
    if isinstance(error, CellTimeoutError):
        return "Timeout", f"the cell took more than {cell_seconds} s"
    if isinstance(error, DeadKernelError):
        return "The kernel died", "its process ended while this cell ran"
    return type(error).__name__, one_line(error)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="folder of the book's _config.yml")
    root = parser.parse_args().root.resolve()
    environment = kernel_environment(root / "_build", "static")
    os.environ.clear()  # this process finds the kernel, so the environment is its own, too
    os.environ.update(environment)

    waiting = [path for path in book_notebooks(root) if not is_executed(path, root)]

    def try_one(number: int, notebook: Path) -> None:
        name = notebook.relative_to(root).as_posix()
        say(f"  executing {name} ({number} of {len(waiting)})")
        begin = time.monotonic()
        try:
            fault = execute(notebook, root)
        except InputError as error:
            fault = unread(error, notebook)
            say(fault.error)
        say(f"    {'failed' if fault else 'done'} in {time.monotonic() - begin:.1f} s: {name}")

    with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1)) as pool:
        list(pool.map(try_one, range(1, len(waiting) + 1), waiting))
    return 0


if __name__ == "__main__":
    sys.exit(main())

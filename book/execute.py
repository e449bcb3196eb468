"""Execute the notebooks of the book whose key has changed, and keep each with its outputs under _build/executed.

Run by book/build.py, which makes the pages of both profiles from the same executed notebooks.
"""

import argparse
import os
import re
import sys
import time
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from notebook_keys import kernel_environment, notebook_key

from vitcourse.notebooks.files import lesson_notebooks, read, write

ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
CELL_SECONDS = 600
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


def is_executed(notebook: Path, root: Path) -> bool:
    """Whether the outputs that are kept are those of this notebook, with all that it depends on."""
    try:
        kept = nbformat.read(executed_path(notebook, root), as_version=4)
    except (OSError, ValueError, nbformat.ValidationError):  # missing or damaged: executing again is right
        return False
    return kept.metadata.get(KEY) == notebook_key(notebook, root, "static")


def with_outputs(notebook: Path, root: Path) -> nbformat.NotebookNode:
    """The notebook as it stands now, prose and all, with the outputs that are kept of its cells."""
    result = read(notebook)
    kept = nbformat.read(executed_path(notebook, root), as_version=4)
    # The key covers every code cell, so both have the same ones in the same order.
    ours, theirs = ([cell for cell in nb.cells if cell.cell_type == "code"] for nb in (result, kept))
    for cell, executed in zip(ours, theirs, strict=True):
        cell.outputs, cell.execution_count = executed.outputs, executed.execution_count
    return result


def execute(notebook: Path, root: Path) -> str:
    """Execute one notebook in its own folder and keep the result; return what went wrong, in words."""
    key = notebook_key(notebook, root, "static")  # taken first: what is edited meanwhile is executed again
    content = read(notebook)
    client = NotebookClient(
        content,
        timeout=CELL_SECONDS,
        store_widget_state=False,
        record_timing=False,
        resources={"metadata": {"path": str(notebook.parent)}},
    )
    try:
        client.execute(env=dict(os.environ))
    except CellTimeoutError:
        return f"a cell took more than {CELL_SECONDS} s"
    except (CellExecutionError, DeadKernelError) as error:
        return ANSI_COLOUR.sub("", str(error)).strip()
    content.metadata[KEY] = key
    write(content, executed_path(notebook, root))
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="folder of the book's _config.yml")
    root = parser.parse_args().root.resolve()
    environment = kernel_environment(root / "_build", "static")
    os.environ.clear()  # this process finds the kernel, so the environment is its own, too
    os.environ.update(environment)

    waiting = [path for path in book_notebooks(root) if not is_executed(path, root)]
    failed = []
    for number, notebook in enumerate(waiting, start=1):
        name = notebook.relative_to(root).as_posix()
        say(f"  executing {name} ({number} of {len(waiting)})")
        begin = time.monotonic()
        if problem := execute(notebook, root):
            failed.append(name)
            say(problem)
        else:
            say(f"    done in {time.monotonic() - begin:.1f} s")
    for name in failed:
        say(f"  failing notebook: {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""The source tree of one profile of the book, and what of it goes beside the pages.

Pages are never built from lessons/ itself: what the built book holds of a notebook (page, source copy, download,
search index) is made from a tree that, for the class profile, has no solution in it.
"""

import re
import shutil
import subprocess
from pathlib import Path

import yaml
from execute import book_notebooks, with_outputs
from nbformat import NotebookNode

from vitcourse.errors import InputError
from vitcourse.notebooks import learner_copy, page, with_setup
from vitcourse.notebooks.files import LEARNER_BRANCH, read, write

GITHUB = re.compile(r"(?:https://|git@|ssh://git@)github\.com[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?")
IGNORED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.ipynb")


def repository(root: Path) -> str | None:
    """The address of the course on GitHub: that of the configuration, else of the remote ``origin``; or None.

    A fork or a copy so gets launch buttons of its own, and a folder that is nowhere public gets none.
    """
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    address = config.get("repository", {}).get("url")
    if not address and (root / ".git").exists():
        command = ["git", "-C", root, "remote", "get-url", "origin"]
        address = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    match = GITHUB.fullmatch(address or "")
    return f"https://github.com/{match[1]}/{match[2]}" if match else None


def staged_config(root: Path, profile: str) -> str:
    """The configuration of the book, with the profile and the address that this build has."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["sphinx"]["config"]["course_profile"] = profile
    address = repository(root)
    if address:
        config["repository"] = {"url": address, "branch": LEARNER_BRANCH}
    else:
        config.pop("repository", None)
        config.pop("launch_buttons", None)
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def make_source(root: Path, source: Path, profile: str) -> None:
    """Write the tree that Jupyter Book reads: every notebook as its page, with outputs, to be executed no more."""
    shutil.rmtree(source, ignore_errors=True)
    for folder in ("book", "lessons"):
        shutil.copytree(root / folder, source / folder, ignore=IGNORED)
    for path in [root / "_toc.yml", *root.glob("*.md")]:
        shutil.copy(path, source)
    (source / "_config.yml").write_text(staged_config(root, profile), encoding="utf-8")
    for notebook in book_notebooks(root):
        try:
            write(page(with_outputs(notebook, root), profile), source / notebook.relative_to(root))
        except InputError as error:
            raise InputError(f"{notebook}: {error}") from error


def downloads(root: Path) -> dict[Path, NotebookNode]:
    """The learner's copies, which replace those that Sphinx puts beside the pages: stubs, and plain Markdown."""
    address = repository(root)
    copies = {}
    for notebook in book_notebooks(root):
        copy = learner_copy(read(notebook))
        copies[notebook.relative_to(root)] = with_setup(copy, address, LEARNER_BRANCH) if address else copy
    return copies

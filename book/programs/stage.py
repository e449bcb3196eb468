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
from faults import Fault, failed_page, unread, unread_page
from figures import Figures
from nbformat import NotebookNode

from vitcourse.errors import InputError
from vitcourse.notebooks import learner_notebook, page, with_setup
from vitcourse.notebooks.files import LEARNER_BRANCH, read, write

GITHUB = re.compile(r"(?:https://|git@|ssh://git@)github\.com[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?")
HTTPS = re.compile(r"https://(?:[^@/\s]*@)?([\w.:-]+/[^\s?#@]+)")
SSH = re.compile(r"ssh://(?:[\w.-]+@)?[\w.:-]+/[^\s?#]+|[\w.-]+@[\w.-]+:[^\s?#]+")
IGNORED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.ipynb")


def origin(root: Path) -> str:
    """The address of the course: that of the configuration, else of the remote ``origin``; empty where there is none.

    A fork or a copy so gets an address and launch buttons of its own, and a folder that is nowhere public gets none.
    """
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    address = config.get("repository", {}).get("url")
    if not address and (root / ".git").exists():
        command = ["git", "-C", root, "remote", "get-url", "origin"]
        address = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return address or ""


def repository(root: Path) -> str | None:
    """The address of the course on GitHub, or None."""
    match = GITHUB.fullmatch(origin(root))
    return f"https://github.com/{match[1]}/{match[2]}" if match else None


def clone_address(root: Path) -> str:
    """What a reader can clone: an https or ssh address without the name and password of who built; else nothing."""
    address = origin(root)
    if match := HTTPS.fullmatch(address):
        return f"https://{match[1]}"
    return address if SSH.fullmatch(address) else ""


def staged_config(root: Path, profile: str) -> str:
    """The configuration of the book, with the profile and the address that this build has."""
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["sphinx"]["config"] |= {"course_profile": profile, "course_clone": clone_address(root)}
    address = repository(root)
    if address:
        config["repository"] = {"url": address, "branch": LEARNER_BRANCH}
    else:
        config["repository"] = {"url": ""}  # else it is Jupyter Book's own
        config.pop("launch_buttons", None)
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def page_of(notebook: Path, root: Path, profile: str) -> tuple[NotebookNode, Fault | None]:
    """The page of a notebook, and what failed in it. A page that cannot be made says why."""
    try:
        content, fault = with_outputs(notebook, root)
        return (failed_page(content, fault, profile) if fault else page(content, profile)), fault
    except InputError as error:
        fault = unread(error, notebook)
        return unread_page(notebook.name, fault, profile), fault


def make_source(root: Path, source: Path, profile: str) -> dict[str, Fault]:
    """Write the tree that Jupyter Book reads: every notebook as its page, with outputs, to be executed no more.

    Returns:
        what failed, by notebook; its page says so.
    """
    shutil.rmtree(source, ignore_errors=True)
    for folder in ("book", "lessons"):
        shutil.copytree(root / folder, source / folder, ignore=IGNORED)
    for path in [root / "_toc.yml", root / "CITATION.cff", *root.glob("*.md")]:
        shutil.copy(path, source)
    (source / "_config.yml").write_text(staged_config(root, profile), encoding="utf-8")
    faults, figures = {}, Figures(source)
    for notebook in book_notebooks(root):
        content, fault = page_of(notebook, root, profile)
        name = notebook.relative_to(root)
        write(figures.dress(content, name), source / name)
        if fault:
            faults[name.as_posix()] = fault
    figures.write_style()
    return faults


def downloads(root: Path) -> tuple[dict[Path, NotebookNode], dict[str, Fault]]:
    """The learner's notebooks, which replace those that Sphinx puts beside the pages.

    Returns:
        the copies, and why one could not be made, by notebook; a note then stands in its place.
    """
    address = repository(root)
    copies, faults = {}, {}
    for notebook in book_notebooks(root):
        name = notebook.relative_to(root)
        try:
            copy = learner_notebook(read(notebook))
        except InputError as error:
            fault = faults[name.as_posix()] = unread(error, notebook)
            copy = unread_page(notebook.name, fault, "class")
        copies[name] = with_setup(copy, address, LEARNER_BRANCH) if address else copy
    return copies, faults

"""Small books with the real configuration, extensions and templates, for the tests that build."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).parents[2]


def write_book(root: Path, notebooks: dict[str, nbformat.NotebookNode], *pages: str) -> Path:
    """Write the sources of a book.

    Args:
        notebooks: notebooks by the name of their page, such as ``lessons/01_first/first``.
        pages: further pages of the real book, such as ``book/exercises``.
    """
    shutil.copytree(ROOT / "book", root / "book", ignore=shutil.ignore_patterns("results", "*.md", "__pycache__"))
    for name in ("_config.yml", "CITATION.cff"):
        shutil.copy(ROOT / name, root)
    for name in pages:
        shutil.copy(ROOT / f"{name}.md", root / f"{name}.md")
    chapters: list[dict] = []
    for name in (*notebooks, *pages):
        # Exercises stand below their lesson, as in the real contents.
        place = chapters[-1].setdefault("sections", []) if name.endswith("_exercises") and chapters else chapters
        place.append({"file": name})
    contents = {"format": "jb-book", "root": "index", "chapters": chapters}
    (root / "_toc.yml").write_text(yaml.safe_dump(contents, sort_keys=False), encoding="utf-8")
    (root / "index.md").write_text("# A small book\n\nIt has $d_k$ pages.\n", encoding="utf-8")
    (root / "requirements.txt").write_text("einops==0.8\n", encoding="utf-8")
    (root / "vitcourse").mkdir()
    (root / "vitcourse" / "__init__.py").write_text("", encoding="utf-8")
    (root / "book" / "results").mkdir()
    for name, notebook in notebooks.items():
        path = root / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, path)
    return root


def build(root: Path, *options: str) -> subprocess.CompletedProcess:
    """Run the driver of the book on it."""
    command = [sys.executable, ROOT / "book" / "programs" / "build.py", "--root", root, *options]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

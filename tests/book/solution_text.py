"""What only a solution says, and where in a folder of built files it is said.

Used to prove that the book for a class gives no solution away; the same search must find them in the other book.
"""

import ast
import html
import json
import re
from pathlib import Path
from typing import NamedTuple

import nbformat

from vitcourse.notebooks import learner_copy, source_exercises
from vitcourse.notebooks.derive import BEGIN, END, is_solution
from vitcourse.notebooks.files import lesson_notebooks, read

TAG = re.compile(r"<[^>]*>")
SPACES = re.compile(r"\s+")
WORD = re.compile(r"\w+")


class Marks(NamedTuple):
    """What gives one exercise's solution away: lines of code and names of variables that nothing public has."""

    lines: frozenset[str]
    names: frozenset[str]


def plain(text: str) -> str:
    return SPACES.sub(" ", text).strip()


def regions(source: str) -> list[str]:
    """The lines between the markers of a cell; the whole cell where it has none."""
    if BEGIN not in source:
        return source.splitlines()
    parts = source.split(BEGIN)[1:]
    return [line for part in parts for line in part.split(END)[0].splitlines()[1:] if line.strip(" #")]


def variables(source: str) -> set[str]:
    """The names that a cell gives to values, but for short ones, which stand everywhere."""
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name) and is_stored(node)}
    return {name for name in names if len(name) > 5}


def is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def public_text(root: Path) -> str:
    """All that a learner may read: the pages in prose, the copies of all notebooks, and the package."""
    files = [*root.glob("*.md"), *root.glob("book/*.md"), *root.rglob("vitcourse/**/*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    for path in lesson_notebooks(root):
        texts += [cell.source for cell in learner_copy(read(path)).cells]
    return plain("\n".join(texts))


def marks(root: Path) -> dict[str, Marks]:
    """What gives away each solution of the course, by notebook and cell."""
    public = public_text(root)
    known = set(WORD.findall(public))
    found = {}
    for path in source_exercises(root):
        for cell in nbformat.read(path, as_version=4).cells:
            if is_solution(cell):
                lines = {plain(line) for line in regions(cell.source)}
                own = frozenset(line for line in lines if len(line) >= 12 and line not in public)
                names = frozenset(variables(cell.source) - known)
                found[f"{path.stem}: {cell.id}"] = Marks(own, names)
    return found


def strings(value) -> str:
    """Every string in a JSON value."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return "\n".join([*value, *map(strings, value.values())])
    return "\n".join(map(strings, value)) if isinstance(value, list) else ""


def readable(path: Path) -> str:
    """The text of a file of any kind, as a reader could put it together."""
    text = path.read_bytes().decode("utf-8", errors="replace")
    if path.suffix == ".html":
        # Code is cut up by the tags that colour it; without them it is whole.
        text = f"{html.unescape(TAG.sub('', text))}\n{text}"
    elif path.suffix in (".ipynb", ".json"):
        text = strings(json.loads(text))
    return plain(text)


def leaks(folder: Path, wanted: dict[str, Marks]) -> dict[str, set[str]]:
    """The files that give a solution away, by exercise; names are looked for outside of libraries alone."""
    found: dict[str, set[str]] = {exercise: set() for exercise in wanted}
    for path in (path for path in folder.rglob("*") if path.is_file()):
        text, name = readable(path), path.relative_to(folder).as_posix()
        library = "_static" in path.parts
        for exercise, mark in wanted.items():
            if any(line in text for line in mark.lines) or (
                not library and any(re.search(rf"\b{name.lower()}\b", text.lower()) for name in mark.names)
            ):
                found[exercise].add(name)
    return found

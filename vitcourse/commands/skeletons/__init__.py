"""Skeletons for those who carry on: an exercise or a lesson of which every file exists and runs.

The texts lie beside this file. What is left to write says ``TO BE WRITTEN``; tests/test_to_be_written.py names it.
"""

import builtins
import json
import keyword
import re
from pathlib import Path

import vitcourse
from vitcourse.errors import InputError
from vitcourse.exercises import TOPICS
from vitcourse.files import write_all

ROOT = Path(vitcourse.__file__).parents[1]
TEXTS = Path(__file__).parent
WORD = r"[a-z][a-z0-9_]{0,39}"
# Names that Python, a check's file, a lesson's table, its notebook or the package `checks` has for something else.
TAKEN = {*keyword.kwlist, *dir(builtins), "right", "wrong", "draw", "draw_batch", "torch", "forbidden", "common"}
TAKEN |= {"add", "checks", "engine", "find", "math", "pack", "query", "run", "unpack", "values"}


def new_exercise(lesson: str, name: str, root: Path = ROOT, own: Path | None = None) -> list[Path]:
    """Writes the files of an exercise, in the order in which they are filled in; all of them or none.

    Args:
        lesson: the folder of its lesson, "01_attention".
        name: of the exercise, and of the function that a learner writes.
        root: of the course.
        own: a teacher's folder, where it goes instead; a lesson that is not there yet is begun.

    Raises:
        InputError: there is no such lesson, or the name will not do or is taken.
    """
    number, topic = _lesson(lesson, root) if own is None else _own_lesson(lesson)
    _refuse_name(name)
    words = {"LESSON": lesson, "NUMBER": number, "TOPIC": topic, "NAME": name, "SHORT": name.replace("_", "-")}
    base = own or root
    package, bank = own or root / "vitcourse", bank_of(f"{topic}.{name}", own, root)
    table, checks = package / "exercises" / f"{lesson}.toml", package / "checks" / topic
    check = checks / f"{name}.py"
    notebook = base / "lessons" / lesson / f"{topic}_exercises.ipynb"
    known = table.read_text(encoding="utf-8") if table.exists() or not own else _text("lesson.toml", words)
    if re.search(rf"^\[{name}\]", known, re.MULTILINE):
        raise InputError(f"{table.relative_to(base)} has an exercise {name!r} already")
    _refuse_present(base, check, bank)
    files = {
        table: known.rstrip("\n") + "\n" + _text("exercise.toml", words),
        check: _text("check.py.txt", words),
        bank: _text("bank.py.txt", words),
        notebook: _with_cells(notebook, words, base),
    }
    if own and not (checks / "__init__.py").exists():
        files[checks / "__init__.py"] = _text("topic.py.txt", words)
    if not own and not notebook.exists():
        contents = root / "_toc.yml"
        files[contents] = _with_section(contents.read_text(encoding="utf-8"), f"lessons/{lesson}/{topic}")
    return write_all(files)


def new_question(lesson: str, name: str, own: Path) -> list[Path]:
    """Adds a question that is answered in words to a lesson of a teacher's folder, which is begun if it is not there.

    Args:
        lesson: as for `new_exercise`.
        name: of the question.

    Raises:
        InputError: a name will not do, or is taken.
    """
    number, topic = _own_lesson(lesson)
    _refuse_name(name)
    words = {"LESSON": lesson, "NUMBER": number, "TOPIC": topic, "NAME": name, "SHORT": name.replace("_", "-")}
    table, package = own / "exercises" / f"{lesson}.toml", own / "checks" / topic / "__init__.py"
    notebook = own / "lessons" / lesson / f"{topic}_exercises.ipynb"
    files = {notebook: _with_cells(notebook, words, own, question=True)}
    files |= {} if table.exists() else {table: _text("lesson.toml", words)}
    files |= {} if package.exists() else {package: _text("topic.py.txt", words)}
    return write_all(files)


def bank_of(id: str, own: Path | None = None, root: Path = ROOT) -> Path:
    """The file with an exercise's right and wrong answers, in the course or in a teacher's folder."""
    return (own / "bank" if own else root / "tests" / "checks" / "bank") / f"{id.replace('.', '_')}.py"


def _lesson(lesson: str, root: Path) -> tuple[str, str]:
    """Number and topic of a lesson of the course."""
    lessons = sorted(path.name for path in (root / "lessons").glob("[0-9][0-9]_*"))
    if lesson not in lessons:
        raise InputError(f"there is no lesson {lesson!r}; there are: {', '.join(lessons) or 'none'}")
    return lesson[:2], lesson.partition("_")[2]


def _own_lesson(lesson: str) -> tuple[str, str]:
    """Number and topic of a lesson of a teacher, which may not be one of the course."""
    number, topic = _split(lesson)
    if topic in TOPICS:
        raise InputError(f"the course has a lesson on {topic!r} already: take another topic for yours")
    return number, topic


def _split(lesson: str) -> tuple[str, str]:
    named = re.fullmatch(rf"(?!00)(\d\d)_({WORD})", lesson, re.ASCII)
    if not named or named[2] in TAKEN:
        raise InputError(f"a lesson cannot be called {lesson!r}: two digits, _ and its topic, as in 05_patches")
    return named[1], named[2]


def _refuse_name(name: str) -> None:
    if not re.fullmatch(WORD, name) or name in TAKEN:
        raise InputError(
            f"an exercise cannot be called {name!r}: small letters, digits and _, no word of Python, and no name that "
            "checks or notebooks use for something else"
        )


def new_lesson(lesson: str, root: Path = ROOT) -> list[Path]:
    """Writes the files of a lesson without exercises, and enters it into the contents; all of it or nothing.

    Args:
        lesson: its number and its topic, "05_patches".

    Raises:
        InputError: the name will not do, or the number or the topic is taken.
    """
    number, topic = _split(lesson)
    if others := [path.name for path in (root / "lessons").glob(f"{number}_*")]:
        raise InputError(f"lesson {number} is {others[0]}")
    topics = root / "vitcourse" / "checks"
    table, notebook = (
        root / "vitcourse" / "exercises" / f"{lesson}.toml",
        root / "lessons" / lesson / f"{topic}.ipynb",
    )
    _refuse_present(root, table, topics / topic, topics / f"{topic}.py")
    words, contents = {"LESSON": lesson, "NUMBER": number, "TOPIC": topic}, root / "_toc.yml"
    return write_all(
        {
            notebook: _text("lesson.ipynb", words),
            table: _text("lesson.toml", words),
            topics / topic / "__init__.py": _text("topic.py.txt", words),
            contents: _with_chapter(contents.read_text(encoding="utf-8"), lesson, topic),
        }
    )


def _refuse_present(root: Path, *paths: Path) -> None:
    for path in paths:
        if path.exists():
            raise InputError(f"{path.relative_to(root)} exists already")


def _text(name: str, words: dict[str, str]) -> str:
    return re.sub("|".join(words), lambda word: words[word[0]], (TEXTS / name).read_text(encoding="utf-8"))


def _with_cells(notebook: Path, words: dict[str, str], root: Path, question: bool = False) -> str:
    """The notebook with the cells of an exercise, or of a question, behind the last; a new one where there is none."""
    old = json.loads(notebook.read_text(encoding="utf-8")) if notebook.exists() else None
    words = words | {"COUNT": str(sum(cell["id"].endswith("-card") for cell in old["cells"]) + 1 if old else 1)}
    lesson = notebook.with_name(f"{words['TOPIC']}.ipynb")
    words["FROM_LESSON"] = f", from which part of [the lesson]({lesson.name})" if lesson.exists() else ""
    made = json.loads(_text("exercises.ipynb", words))
    cells = [cell for cell in made["cells"] if cell["id"].startswith(f"{words['SHORT']}-")]
    around = [cell for cell in made["cells"] if cell not in cells]
    cells = json.loads(_text("question.json", words)) if question else cells
    if old:
        around = old["cells"]
        taken = {name for cell in around for name in (cell["id"], cell["metadata"].get("nbgrader", {}).get("grade_id"))}
        if clash := taken & {words["SHORT"], *(cell["id"] for cell in cells)}:
            raise InputError(f"{notebook.relative_to(root)} has a cell {min(clash)!r} already")
    ends = [place for place, cell in enumerate(around, 1) if cell["id"].endswith(("-expected", "-answer"))]
    after = max(ends, default=0 if old else len(around))
    made = {**(old or made), "cells": [*around[:after], *cells, *around[after:]]}
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _with_chapter(contents: str, lesson: str, topic: str) -> str:
    """The contents of the book with a lesson in its place among the others."""
    entries = list(re.finditer(r"^( *)- file: lessons/(\w+)/.*\n", contents, re.MULTILINE))
    if not entries:
        raise InputError("_toc.yml has no lesson to put this one beside")
    place = next((entry.start() for entry in entries if entry[2] > lesson), entries[-1].end())
    return f"{contents[:place]}{entries[0][1]}- file: lessons/{lesson}/{topic}\n{contents[place:]}"


def _with_section(contents: str, page: str) -> str:
    """The contents of the book with the exercises of a lesson below it."""
    entry = re.search(rf"^( *)- file: {page}\n(\1  sections:\n(?:\1    .*\n)*)?", contents, re.MULTILINE)
    if not entry:
        raise InputError(f"_toc.yml has no line '- file: {page}' to put the exercises below")
    head = "" if entry[2] else f"{entry[1]}  sections:\n"
    return f"{contents[: entry.end()]}{head}{entry[1]}    - file: {page}_exercises\n{contents[entry.end() :]}"

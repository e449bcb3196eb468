"""What a student's feedback page shows, put together from a graded notebook for the page's template."""

import builtins
import html
import re

from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_output
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from vitcourse.checks import Report
from vitcourse.checks.engine.display import as_html
from vitcourse.exercises import CATALOGUE
from vitcourse.grading.harmless import as_written
from vitcourse.notebooks.derive import is_solution

SHOWN = 4000  # characters of one output
# Characters of code that are set in colours, in one cell and on one page: the time for it grows with their square.
COLOURED, COLOURED_IN_ALL = 20_000, 200_000
LEFT_OUT = "What a cell shows behind the first check is left out."
LIGHT, DARK = "default", "github-dark"


class PageExporter(HTMLExporter):
    """Writes the page; its settings are its own, and not those of formgrader's pages."""

    def from_notebook_node(self, nb: NotebookNode, resources: dict | None = None, **more: object) -> tuple[str, dict]:
        # Without what HTMLExporter does to its own pages: it reads each again to describe pictures; ours say theirs.
        return super(HTMLExporter, self).from_notebook_node(nb, resources, **more)


def add_page(notebook: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
    """An nbconvert preprocessor: adds what the template needs as ``resources["page"]``; nbgrader's points are there."""
    facts = notebook.metadata.get("vitcourse", {})
    numbers = resources["nbgrader"]
    parts, waiting, others, room = [], [], [], [COLOURED_IN_ALL]
    judged, unread = False, _unread(notebook, numbers)
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if judged and cell.cell_type == "code":
            cell.outputs = _without_inputs(cell)
        judged = judged or "vitcourse" in cell.metadata
        if marks.get("grade") or marks.get("task"):
            own = [cell] if marks.get("solution") or marks.get("task") else waiting
            parts.append(_part(cell, own, room))
            if marks["grade_id"] in unread:
                parts[-1] |= {"verdict": "not read yet", "colour": ""}
            waiting = []
        elif marks.get("solution"):
            waiting = [*waiting, cell]
        elif cell.cell_type == "code" and cell.source.strip():
            others.append(cell)
    resources["page"] = {
        "title": facts.get("title") or numbers["assignment"],
        "student": facts.get("student") or numbers["student"],
        "points": f"{numbers['score']:g}",
        "most": f"{numbers['max_score']:g}",
        "percent": round(100 * max(0.0, numbers["score"]) / (numbers["max_score"] or 1)),
        "penalty": f"{numbers['late_penalty']:g}" if numbers["late_penalty"] else "",
        "notes": facts.get("notes", []),
        "judged": facts.get("judged", True),
        "parts": parts,
        "others": [_cell(cell, room) for cell in others],
        "code_style": _code_style(),
    }
    return notebook, resources


def _unread(notebook: NotebookNode, numbers: dict) -> set[str]:
    """The answers that wait for points by hand."""
    by_hand = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade") and is_solution(cell)]
    if not by_hand:
        return set()
    from nbgrader.api import Gradebook

    with Gradebook(numbers["db_url"]) as gradebook:
        graded = gradebook.find_submission_notebook(*(numbers[name] for name in ("notebook", "assignment", "student")))
        return {grade.name for grade in graded.grades if grade.auto_score is None is grade.manual_score}


def _part(cell: NotebookNode, answers: list[NotebookNode], room: list[int]) -> dict:
    """One exercise: its points, what the check found, and the student's cells for it."""
    marks, found = cell.metadata["nbgrader"], cell.metadata.get("vitcourse")
    points, most = float(marks["score"] or 0), float(marks["points"])
    part = {
        "anchor": re.sub(r"[^\w-]", "-", marks["grade_id"]),
        "exercise": "",
        "title": marks["grade_id"],
        "points": f"{points:g}",
        "most": f"{most:g}",
        "report": "",
        "headline": "",
        "helped": "",
        "verdict": "all points" if points >= most else "some points" if points > 0 else "no points",
        "comments": [answer.metadata["nbgrader"].get("comment") for answer in answers],
        "cells": [_cell(answer, room) for answer in answers],
    }
    part["comments"] = [comment for comment in part["comments"] if comment]
    if found:
        names = ("exercise", "misconception", "message", "detail")
        report = Report(results=tuple(map(tuple, found["results"])), **{name: found[name] for name in names})
        exercise = CATALOGUE.get(report.exercise)
        part["helped"] = _helped(found.get("with_right", ()))
        part |= {"exercise": report.exercise, "report": as_html(report), "headline": _inline(report.headline)}
        part["title"] = exercise.title if exercise else report.exercise
        part["verdict"] = (
            "right" if report.misconception is None else "partly right" if report.passed else "not right yet"
        )
    part["colour"] = "right" if points >= most else "wrong"
    return part


def _helped(names: list[str]) -> str:
    """Why an answer has more points than it has earned with the student's other functions."""
    if not names:
        return ""
    listed = " and ".join(f"`{name}`" for name in names)
    return _inline(
        f"This answer calls {listed}, where there was a mistake already. It was judged a second time with a right "
        f"{listed}: that gives more points, and they count."
    )


def _without_inputs(cell: NotebookNode) -> list[NotebookNode]:
    """The outputs of a cell that ran after a check had called the notebook's functions.

    These can have kept what the check has drawn, and a cell can show it: a table of it would pass the next time.
    """
    errors = [output.ename for output in cell.get("outputs", ()) if output.output_type == "error"]
    names = [name if hasattr(builtins, name) else "an error" for name in errors]
    text = f"[It ended with {names[0]}. " if names else "[" if cell.get("outputs") else ""
    return [new_output("stream", text=f"{text}{LEFT_OUT}]")] if text else []


def _inline(words: str) -> str:
    """Escaped for HTML, with `code` between backquotes set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(words))


def _cell(cell: NotebookNode, room: list[int]) -> dict:
    if cell.cell_type == "code":
        code = _code(cell.source, room)
    else:
        code = f'<div class="words">{html.escape(as_written(cell.source))}</div>'
    return {"code": code, "outputs": [_output(output) for output in cell.get("outputs", ())]}


def _code(source: str, room: list[int]) -> str:
    """Code in colours, as long as there is ``room``."""
    # Blank lines with blanks in them, which nobody sees, are what the lexer is slow at.
    source = "\n".join(line if line.strip() else "" for line in source.split("\n"))
    if len(source) > min(COLOURED, room[0]):
        return f'<div class="highlight"><pre>{html.escape(source)}</pre></div>'
    room[0] -= len(source)
    return highlight(source, PythonLexer(stripnl=False), HtmlFormatter())


def _output(output: NotebookNode) -> dict:
    if output.output_type == "stream":
        text = output.text
    elif output.output_type == "error":
        text = f"{output.ename}: {output.evalue}"
    else:
        if picture := output.data.get("image/png"):
            return {"picture": "".join(picture).replace("\n", "")}
        text = output.data.get("text/plain", "")
    text = "".join(text)
    return {"text": text if len(text) <= SHOWN else text[:SHOWN] + "\n[…]"}


def _code_style() -> str:
    """Colours for code, on a light and on a dark page."""
    light, dark = (HtmlFormatter(style=style).get_style_defs(".highlight") for style in (LIGHT, DARK))
    # Only the colours of words: the rest of a style sets the page's own background.
    light, dark = (re.findall(r"^\.highlight \.\w.*$", style, re.MULTILINE) for style in (light, dark))
    return "\n".join([*light, "@media (prefers-color-scheme: dark) {", *dark, "}"])

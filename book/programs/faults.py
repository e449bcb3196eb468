"""A notebook that failed: what is said of it, and the page that says so in place of the lesson's results.

A page shows nothing of this machine, and for a class nothing that a solution could say: an error's text may quote it.
"""

import copy
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook, new_output

from vitcourse.errors import InputError, one_line
from vitcourse.notebooks import is_exercises, page
from vitcourse.notebooks.derive import is_solution, stub_of

FAULT = "course_fault"
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
# An absolute path of at least two parts, which no word, address or relative path precedes.
PATH = re.compile(r"(?:file://|(?<![\w.:/~-]))(?:/[\w@.+~-]+){2,}")
# Where IPython says that an error arose: the number of the cell's execution, and the line in it.
PLACE = re.compile(r"Cell In\[(\d+)\], line (\d+)")
SHOWN_LINES = 10
FOLDED = {"hide-cell", "hide-output", "remove-cell", "remove-output"}
NOTICE = """\
:::{{admonition}} This notebook failed when the book was built
:class: danger

{what}
:::"""
FENCE = "````````"


@dataclass(frozen=True)
class Fault:
    """What made a notebook fail.

    Args:
        kind: the type of the error, or a few words: all that is said where a solution must not be told.
        error: the last line of what the error says.
        number, total: the place of the cell among the code cells, counted from 1; 0 where no cell is at fault.
        cell: its id.
        line: its first line, as a learner finds it.
    """

    kind: str
    error: str
    number: int = 0
    total: int = 0
    cell: str = ""
    line: str = ""

    @property
    def sentence(self) -> str:
        return f"code cell {self.number} of {self.total} ({self.cell}): {self.error}" if self.number else self.error


def clean(text: str, root: Path) -> str:
    """A text without colours, and with paths below the repository, or the names of files alone."""
    text = ANSI_COLOUR.sub("", text).replace(f"{root}/", "")
    return PATH.sub(lambda path: f"…/{Path(path[0]).name}", text)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def cell_fault(notebook: NotebookNode, index: int, kind: str, message: str, root: Path) -> Fault:
    """What is said of a cell that ended a run; its outputs, in place, become fit to be shown.

    Args:
        notebook: with the outputs that it has got so far.
        index: of the cell among all cells.
        kind, message: of the error.
    """
    cell, code = notebook.cells[index], code_cells(notebook)
    place, outputs = "", []
    for output in cell.outputs:
        if output.output_type == "error":
            if output.ename == kind:  # else it is of the interrupt that ended a cell which hung
                places = dict(PLACE.findall(ANSI_COLOUR.sub("", "\n".join(output.traceback))))
                place = places.get(str(cell.execution_count), "")
            continue
        if output.output_type == "stream":
            output.text = clean(output.text, root)
        outputs.append(output)
    message = clean(message, root).strip()
    source = cell.source.splitlines()
    where = [f"line {place}: {source[int(place) - 1].strip()}"] if place and int(place) <= len(source) else []
    lines = f"{kind}: {message}".splitlines() if message else [", ".join([kind, *where])]  # a bare assert says nothing
    shown = [one_line(line) if line.strip() else "" for line in lines[:SHOWN_LINES]]
    cut = ["…"] if len(lines) > SHOWN_LINES else []
    where = where if message else []
    cell.outputs = [*outputs, new_output("error", ename=kind, evalue=message, traceback=[*where, *shown, *cut])]
    first = (stub_of(cell) if is_solution(cell) else cell.source).strip().partition("\n")[0]
    last = lines[0] if len(lines) == 1 else f"{kind}: {lines[-1]}"
    return Fault(kind, one_line(last), code.index(cell) + 1, len(code), cell.get("id", ""), first)


def keep_fault(notebook: NotebookNode, fault: Fault) -> None:
    notebook.metadata[FAULT] = asdict(fault)


def kept_fault(notebook: NotebookNode) -> Fault | None:
    found = notebook.metadata.get(FAULT)
    return Fault(**found) if found else None


def failed_page(notebook: NotebookNode, fault: Fault, profile: str) -> NotebookNode:
    """The page of a notebook that failed: a notice at its top, then what it shows up to the cell at fault."""
    notebook = copy.deepcopy(notebook)
    secret = profile == "class" and is_exercises(notebook)
    if fault.number:
        cell = code_cells(notebook)[fault.number - 1]
        cell.metadata["tags"] = [tag for tag in cell.metadata.get("tags", []) if tag not in FOLDED]
        # Coloured as Python, a message in words would be a warning of Sphinx.
        cell.metadata["mystnb"] = {**cell.metadata.get("mystnb", {}), "error_lexer": "none"}
        if secret:
            cell.outputs = [new_output("error", ename=fault.kind, evalue="", traceback=[fault.kind])]
    result = page(notebook, profile)
    result.cells.insert(0, notice(fault, secret))
    return result


def unread_page(name: str, fault: Fault, profile: str) -> NotebookNode:
    """The page of a notebook of which nothing can be shown."""
    return new_notebook(cells=[notice(fault, profile == "class"), new_markdown_cell(f"# {name}", id="title")])


def notice(fault: Fault, secret: bool) -> NotebookNode:
    """What failed, in words.

    Args:
        secret: the error's text may quote a solution, which must not be told.
    """
    error = f"{FENCE} {fault.kind if secret else fault.error} {FENCE}"
    if fault.number:
        what = (
            f"Code cell {fault.number} of {fault.total} (`{fault.cell}`), which begins with\n\n"
            f"{FENCE}python\n{fault.line}\n{FENCE}\n\nended with the error {error}\n\n"
            "The cells before it show their outputs. The cells after it did not run."
        )
    else:
        what = f"Nothing of it can be shown as it should be: {error}"
    return new_markdown_cell(NOTICE.format(what=what), id="course-fault")


def unread(error: InputError, notebook: Path) -> Fault:
    """A notebook that cannot be read, or not be made into a page; the message may quote it."""
    return Fault("the notebook cannot be read", one_line(str(error).removeprefix(f"{notebook}: ")))

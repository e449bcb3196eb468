"""From a source notebook to what others see of it. Every function takes a notebook and returns a new one.

A source holds solutions in cells that nbgrader knows as such, between two markers. `learner_copy` has exactly the code
that nbgrader's own release has.
"""

import copy
import re
from collections.abc import Callable

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from vitcourse.errors import InputError
from vitcourse.notebooks.plain import plain_markdown

PROFILES = ("self-study", "class")
BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"
SETUP_ID = "course-setup"
SETUP = """\
# Installs the course where it is missing, as on Colab; elsewhere this cell does nothing.
import importlib.util
import subprocess
import sys
from pathlib import Path

if importlib.util.find_spec("vitcourse") is None:
    course = Path("vitcourse-course").absolute()
    address = "REPOSITORY"
    clone = ["git", "clone", "--quiet", "--depth=1", "--branch=BRANCH"]
    if not course.exists():
        subprocess.run([*clone, address, course], check=True)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "-e"]
    subprocess.run([*install, course], check=True)
    sys.path.insert(0, str(course))"""
# A row of a check's report that was passed, as `vitcourse/checks/engine/display.py` writes it.
PROPERTY = re.compile(r'<span class="badge passed">.*?</td><td>(.*?)</td>')
ANY_SETUP = re.compile(re.sub("REPOSITORY|BRANCH", r'[^"\\n]*', re.escape(SETUP)))


def is_exercises(notebook: NotebookNode) -> bool:
    """Whether a notebook holds exercises, and so solutions."""
    return notebook.metadata.get("vitcourse", {}).get("kind") == "exercises"


def is_solution(cell: NotebookNode) -> bool:
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_check(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.metadata.get("nbgrader", {}).get("grade")) and not is_solution(cell)


def stub_of(cell: NotebookNode) -> str:
    """A solution cell as a learner finds it: nbgrader's stub for code or for text, in place of each marked region.

    Raises:
        InputError: markers that do not pair.
    """
    # Imported here: it takes a second, and most of what is done to notebooks does not need it.
    from nbgrader.preprocessors import ClearSolutions

    _check_markers(cell)
    return ClearSolutions().preprocess_cell(copy.deepcopy(cell), {"language": "python"}, 0)[0].source


def solution_of(cell: NotebookNode) -> str:
    """The source of a solution cell without its markers."""
    return "\n".join(line for line in cell.source.split("\n") if BEGIN not in line and END not in line)


def _check_markers(cell: NotebookNode) -> None:
    marks = [BEGIN if BEGIN in line else END for line in cell.source.split("\n") if BEGIN in line or END in line]
    if marks and not is_solution(cell):
        raise InputError(f"cell {cell.id}: a marked solution, but its nbgrader metadata do not say so")
    if marks != [BEGIN, END] * (len(marks) // 2):
        raise InputError(f"cell {cell.id}: {BEGIN!r} and {END!r} do not pair")


def _checked_copy(notebook: NotebookNode) -> NotebookNode:
    """A copy to change; a solution that would stay in every copy is refused."""
    for cell in notebook.cells:
        _check_markers(cell)
    return copy.deepcopy(notebook)


def _without_outputs(cell: NotebookNode) -> None:
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None


def learner_copy(notebook: NotebookNode) -> NotebookNode:
    """The notebook that a learner works in: stubs, no outputs, and Markdown that any program shows.

    Args:
        notebook: a lesson or its exercises, from ``lessons/``.

    Raises:
        InputError: markers that do not pair or stand in a cell that is no solution, or a directive with a fault.
    """
    return _plain(notebook, stub_of)


def answer_key(notebook: NotebookNode) -> NotebookNode:
    """The learner's copy with the solutions in place of the stubs, and without their markers."""
    return _plain(notebook, solution_of)


def _plain(notebook: NotebookNode, answer: Callable[[NotebookNode], str]) -> NotebookNode:
    result = _checked_copy(notebook)
    for cell in result.cells:
        _without_outputs(cell)
        if is_solution(cell):
            cell.source = answer(cell)
        if cell.cell_type == "markdown":
            try:
                cell.source = plain_markdown(cell.source)
            except InputError as error:
                raise InputError(f"cell {cell.id}: {error}") from error
    return result


def page(notebook: NotebookNode, profile: str) -> NotebookNode:
    """The notebook as the book shows it. Outputs stay with their cells; solution cells become text.

    What a check says of the solution would contradict the stub above it: it stands with the solution, or nowhere.

    Args:
        notebook: a lesson, or exercises executed with their solutions.
        profile: ``"self-study"``: the solution is folded away at the end of its exercise; ``"class"``: it is nowhere.

    Raises:
        InputError: an unknown profile, or markers that do not pair.
    """
    if profile not in PROFILES:
        raise InputError(f"no profile {profile!r} (there are: {', '.join(PROFILES)})")
    result = _checked_copy(notebook)
    cells, solved, said = [], None, ""

    def solution() -> list[NotebookNode]:
        if solved is None or profile == "class":
            return []
        head = "{dropdown} Solution\n:class-container: solution\n\n"
        return [new_markdown_cell(_boxed(head, solved, solution_of(solved), said), id=solved.id)]

    for cell in result.cells:
        if solved is not None and not cell.id.startswith(solved.id.removesuffix("solution")):
            cells += solution()
            solved, said = None, ""
        if is_solution(cell):
            cells += solution()  # of another cell with the same beginning
            stub = _boxed("{div} stub\n", cell, stub_of(cell))
            cells.append(new_markdown_cell(stub, id=f"{cell.id.removesuffix('solution')}stub"))
            solved, said = cell, ""
            continue
        tested = _tested(cell) if is_check(cell) else []
        said += _taken_outputs(cell) if is_check(cell) else ""
        cells += [cell, *tested]
    result.cells = [*cells, *solution()]
    return result


def _tested(cell: NotebookNode) -> list[NotebookNode]:
    """What a check asks of an answer, as a list without marks: nothing is passed yet."""
    properties = [
        one for output in cell.outputs for one in PROPERTY.findall(output.get("data", {}).get("text/html", ""))
    ]
    if not properties:
        return []
    items = "".join(f"<li>{one}</li>\n" for one in properties)
    body = f'<div class="will-test">\n<p>The check will test:</p>\n<ul>\n{items}</ul>\n</div>\n'
    return [new_markdown_cell(_fenced("`" * 3, "{raw} html\n", body).removesuffix("\n"), id=f"{cell.id}-tests"[:64])]


def _taken_outputs(cell: NotebookNode) -> str:
    """What a check has shown, as Markdown; it stands below the cell no longer, unless the cell has failed."""
    if any(output.output_type == "error" for output in cell.outputs):
        return ""
    shown = [output.data for output in cell.outputs if "data" in output]
    cell.outputs = []
    return "".join(
        _fenced("`" * 3, "{raw} html\n", f"{data['text/html']}\n")
        if "text/html" in data
        else _fenced("`" * 3, "text\n", f"{data.get('text/plain', '')}\n")
        for data in shown
    )


def _boxed(head: str, cell: NotebookNode, source: str, said: str = "") -> str:
    """A directive that holds a cell's source: code as a block of its own, an answer in words as it is; and more."""
    body = f"{source}\n" if cell.cell_type == "markdown" else _fenced("`" * 3, "python\n", f"{source}\n")
    body += f"\nWhat the check says of it:\n\n{said}" if said else ""
    return _fenced(":" * 4, head, body).removesuffix("\n")


def _fenced(fence: str, head: str, body: str) -> str:
    """A block of Markdown, in a fence that is longer than any in its body."""
    fence = fence[0] * max([len(fence), *(len(run) + 1 for run in re.findall(f"{fence[0]}{{3,}}", body))])
    return f"{fence}{head}{body}{fence}\n"


def with_setup(notebook: NotebookNode, repository: str, branch: str) -> NotebookNode:
    """A copy that begins with a cell which installs the course where it is missing, as on Colab.

    Args:
        repository: address of the repository on GitHub.
        branch: the branch that holds the learner's notebooks.
    """
    source = SETUP.replace("REPOSITORY", repository).replace("BRANCH", branch)
    result = copy.deepcopy(notebook)
    result.cells.insert(0, new_code_cell(source, id=SETUP_ID))
    return result

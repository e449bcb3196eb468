"""A small course to derive from: one lesson and its exercises, written as the real ones are."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vitcourse.exercises import CATALOGUE, Exercise

LESSON = "01_attention"
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
# A name and a line that stand in the solution alone.
SECRET_NAME = "hidden_divisor"
SECRET_LINE = f"return query @ key.transpose(-2, -1) / {SECRET_NAME}"

STUB = '''\
def scores(query, key):
    """Scaled scores, shape (..., L, S)."""
    # YOUR CODE HERE
    raise NotImplementedError()'''
SOLUTION = f'''\
def scores(query, key):
    """Scaled scores, shape (..., L, S)."""
    ### BEGIN SOLUTION
    {SECRET_NAME} = math.sqrt(query.shape[-1])
    {SECRET_LINE}
    ### END SOLUTION'''

QUIZ = """\
:::{quiz}
Three scores are $0$, $0$ and $10$. How much of the third value ends up in the output?

- [ ] One third: it is an average `mean`.
  It is a *weighted* average.
- [x] Nearly all of it.
  The weights are $e^0 : e^0 : e^{10}$.

  And that is all.
:::"""
SLIDER = """\
from matplotlib import pyplot as plt

from vitcourse.figures import interactive


def draw(number):
    figure, axes = plt.subplots(figsize=(4, 2))
    axes.bar(range(3), [number, 1, 1])
    return figure, f"The first of three bars has height {number}."


interactive.frames(
    draw, range(1, 9), "height of the first bar", "Three bars."
)"""


def exercise_ids() -> list[str]:
    """The exercises of the lesson, the one with a solution first."""
    return sorted((name for name, one in CATALOGUE.items() if one.lesson == LESSON), key="attention.scores".__ne__)


def objectives() -> list[str]:
    return sorted({CATALOGUE[name].objective for name in exercise_ids()})


def graded(cell: nbformat.NotebookNode, grade_id: str, **values) -> nbformat.NotebookNode:
    """The cell with nbgrader's metadata."""
    fields = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}
    cell.metadata["nbgrader"] = {**fields, "grade_id": grade_id, **values}
    return cell


def exercises_notebook(solution: str = SOLUTION) -> nbformat.NotebookNode:
    """One whole exercise, and the cards of the lesson's other ones."""
    check = new_code_cell("checks.attention.scores(scores)", id="scores-check")
    cells = [
        new_markdown_cell("# Exercises: attention\n\nRun the cells from the top.", id="title"),
        new_code_cell("import math\n\nimport torch\n\nfrom vitcourse import checks", id="imports"),
        new_markdown_cell(
            "## Exercise 1: Scores\n\n:::{exercise-card} attention.scores\n:::\n\nAs in {cite}`vaswani2017`.",
            id="scores-card",
        ),
        graded(new_code_cell(solution, id="scores-solution"), "scores", solution=True),
        graded(check, "scores-check", grade=True, locked=True, points=CATALOGUE["attention.scores"].points),
        new_markdown_cell(":::{dropdown} Hint 1\nWhich axes does `@` multiply?\n:::", id="scores-hints"),
        new_markdown_cell(
            ":::{dropdown} What you should see\n```text\n0.71 0.00\n```\n:::",
            id="scores-expected",
        ),
    ]
    for number, name in enumerate(exercise_ids()[1:], start=2):
        card = f"## Exercise {number}\n\n:::{{exercise-card}} {name}\n:::"
        cells.append(new_markdown_cell(card, id=f"{name.split('.')[1].replace('_', '-')}-card"))
    return new_notebook(cells=cells, metadata={**KERNEL, "vitcourse": {"lesson": LESSON, "kind": "exercises"}})


def lesson_notebook(ids: list[str] | None = None, *, named: str | None = None) -> nbformat.NotebookNode:
    """A lesson with a card, a section for an objective, a quiz and a slider.

    Args:
        ids: the objectives on its card; those of its exercises where it is not given.
        named: the objective that its section names; the first one where it is not given.
    """
    ids = objectives() if ids is None else ids
    listed = "\n".join(f"- **{name}** say what $x_{{{name[-1]}}}$ is;" for name in ids)
    cells = [
        new_markdown_cell("# Attention\n\nWhat is read from what?", id="title"),
        new_markdown_cell(
            f":::{{lesson-card}}\n:needs: [Python](https://www.python.org) and `@`\n:minutes: 25\n\n{listed}\n:::",
            id="card",
        ),
        new_markdown_cell(f"## Build it\n\n{{objective}}`{named or ids[0]}` A section.", id="build"),
        new_markdown_cell(QUIZ, id="quiz"),
        new_code_cell(SLIDER, id="slider"),
    ]
    return new_notebook(cells=cells, metadata=KERNEL)


def exercise(**fields) -> Exercise:
    """An exercise for a catalogue of a test's own."""
    known = {"id": "topic.one", "lesson": "01_topic", "title": "One", "objective": "01.1"}
    return Exercise(**{**known, "difficulty": 2, "minutes": 10, "points": 4, **fields})

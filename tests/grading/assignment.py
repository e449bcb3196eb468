"""A small assignment in the form of the course's own, and what students may make of it."""

import copy
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

LESSON, NAME = "01_attention", "attention_exercises"
IMPORTS = "import math\n\nimport torch\n\nfrom vitcourse import checks"
# name: (signature, right body, points)
EXERCISES = {
    "scores": ("(query, key)", "return query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])", 3),
    "causal_mask": ("(n)", "return torch.ones(n, n, dtype=torch.bool).tril()", 3),
    "cost": (
        "(num_tokens, num_heads, head_width, bytes_per_number)",
        "pairs = num_heads * num_tokens**2\n    return pairs * bytes_per_number, 2 * pairs * head_width",
        3,
    ),
}
QUESTION = "Why is there a root? (two sentences)"
BY_HAND = {"schema_version": 3, "grade_id": "essay", "grade": True, "solution": True, "locked": False, "task": False}
MOST = sum(points for _, _, points in EXERCISES.values())


def function(name: str, body: str | None = None) -> str:
    """The source of an exercise's function, with the right body unless another is given."""
    signature, right, _ = EXERCISES[name]
    return f"def {name}{signature}:\n    {body or right}"


def write_course(root: Path, by_hand: bool = False) -> Path:
    """A folder with ``lessons/01_attention``: a lesson, and its exercises with solutions.

    Args:
        root: where.
        by_hand: whether they end with a question that is answered in words, for 4 points.
    """
    folder = root / "lessons" / LESSON
    folder.mkdir(parents=True)
    lesson = new_notebook(cells=[new_markdown_cell("# A lesson")])
    nbformat.write(lesson, folder / "attention.ipynb")
    notebook = source()
    if by_hand:
        notebook.cells.append(new_markdown_cell(QUESTION, metadata={"nbgrader": BY_HAND | {"points": 4}}))
    nbformat.write(notebook, folder / f"{NAME}.ipynb")
    return root


def source() -> NotebookNode:
    cells = [new_markdown_cell("# Exercises: attention\n\nFill in the stubs.", id="title")]
    cells += [new_code_cell(IMPORTS, id="imports")]
    for name, (signature, right, points) in EXERCISES.items():
        cells += [
            new_markdown_cell(f"## {name}\n\n:::{{exercise-card}} attention.{name}\n:::", id=f"{name}-card"),
            new_code_cell(
                f"def {name}{signature}:\n    ### BEGIN SOLUTION\n    {right}\n    ### END SOLUTION",
                id=f"{name}-solution",
                metadata={"nbgrader": _facts(name, solution=True)},
            ),
            new_code_cell(
                f"checks.attention.{name}({name})",
                id=f"{name}-check",
                metadata={"nbgrader": _facts(f"{name}-check", grade=True, locked=True) | {"points": points}},
            ),
        ]
    python = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": python, "vitcourse": {"lesson": LESSON, "kind": "exercises"}}
    return new_notebook(cells=cells, metadata=metadata)


def _facts(grade_id: str, **true: bool) -> dict:
    kinds = dict.fromkeys(("grade", "solution", "locked", "task"), False)
    return {"schema_version": 3, "grade_id": grade_id, **kinds, **true}


def answered(release: NotebookNode, first: str = "", last: str = "", **bodies: str) -> NotebookNode:
    """The release with every answer right, except those given here.

    Args:
        first: source of a cell to run before the answers.
        last: source of a cell to run after all.
        bodies: body of a function, or, with a ``def`` in it, the whole cell.
    """
    notebook = copy.deepcopy(release)
    for name in EXERCISES:
        body = bodies.get(name)
        cell_of(notebook, name).source = body if body and "def " in body else function(name, body)
    if first:
        notebook.cells.insert(2, new_code_cell(first))
    if last:
        notebook.cells.append(new_code_cell(last))
    return notebook


def cell_of(notebook: NotebookNode, grade_id: str) -> NotebookNode:
    (cell,) = (cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id)
    return cell

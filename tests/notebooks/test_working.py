"""What Jupyter does with a learner's notebook: what it folds, where it goes on, and that no question is answered."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.notebooks import sample
from vitcourse.notebooks import is_ours, learner_copy, learner_notebook, lesson_notebooks
from vitcourse.notebooks.working import ASSERTED

ROOT = Path(__file__).parents[2]
SOURCES = {path.stem: path for path in lesson_notebooks(ROOT)}


def lesson(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return learner_notebook(new_notebook(cells=[new_markdown_cell("# T", id="title"), *cells], metadata=sample.KERNEL))


def folded(cell: nbformat.NotebookNode) -> bool:
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def pieces(copy: nbformat.NotebookNode) -> list[tuple[str, str, bool]]:
    return [(cell.id, cell.source, folded(cell)) for cell in copy.cells if cell.cell_type == "code"]


CELL = "a = 1\nprint(a)\n# so it is\nassert a == 1\nassert a < 2\n\na = 2\nassert a == 2"
CUT = [
    ("one", "a = 1\nprint(a)", False),
    ("one-2", "# so it is\nassert a == 1\nassert a < 2", True),
    ("one-3", "a = 2", False),
    ("one-4", f"{ASSERTED}assert a == 2", True),  # Jupyter shows its first line
]


@pytest.mark.parametrize("question", ["**Predict:** how many?", f"How many?\n\n{sample.QUIZ}"])
def test_an_assertion_behind_a_question_is_folded_in_its_order(question):
    ask, cell = new_markdown_cell(question, id="ask"), new_code_cell(CELL, id="one")
    text, other = new_markdown_cell("It was one.", id="text"), new_code_cell("assert a == 2", id="other")
    assert pieces(lesson(ask, cell, text, other)) == [*CUT, ("other", "assert a == 2", False)]
    assert pieces(lesson(text, cell)) == [("one", CELL, False)]


def test_a_folded_cell_stays_whole():
    cell = new_code_cell(CELL, id="one", metadata={"tags": ["hide-input"]})
    assert pieces(lesson(new_markdown_cell("**Predict**", id="ask"), cell)) == [("one", CELL, True)]


def test_a_lesson_says_what_a_folded_cell_is():
    first, second = lesson(new_code_cell("1", id="one")).cells[:2]
    assert first.id == "title"
    assert "folded" in second.source


@pytest.mark.parametrize("name", SOURCES)
def test_notebooks_of_the_course_run_the_code_of_their_sources(name):
    source = nbformat.read(SOURCES[name], as_version=4)
    copy = learner_notebook(source)
    nbformat.validate(copy)
    code = [cell.source for cell in copy.cells if cell.cell_type == "code" and not is_ours(cell.source)]
    plain = [cell.source for cell in learner_copy(source).cells if cell.cell_type == "code"]
    assert ast.dump(ast.parse("\n".join(code))) == ast.dump(ast.parse("\n".join(plain)))
    for cell in copy.cells:
        if "hide-input" in cell.metadata.get("tags", []):
            assert folded(cell)
            assert not cell.source.startswith("assert")


@pytest.mark.parametrize("name", [name for name in SOURCES if not name.endswith("_exercises")])
def test_no_assertion_is_seen_between_a_prediction_and_its_result(name):
    asked = False
    for cell in learner_notebook(nbformat.read(SOURCES[name], as_version=4)).cells:
        if cell.cell_type == "markdown":
            asked = "**Predict" in cell.source
        elif asked and not folded(cell):
            assert not [one for one in ast.parse(cell.source).body if isinstance(one, ast.Assert)], cell.id


def run_all(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    """Every cell with its outputs; as in Jupyter, an error ends the run where the cell's tags do not say otherwise."""
    NotebookClient(notebook, timeout=600, kernel_name="python3").execute()
    return {cell.id: cell for cell in notebook.cells}


def answered(*answers: str) -> nbformat.NotebookNode:
    """The sample's exercises as a learner has them, with answers to the first in their cells."""
    source = sample.exercises_notebook()
    again = [("again", "checks.attention.scores(scores)"), ("later", "'the rest is run'")]
    source.cells += [new_code_cell(text, id=name) for name, text in again]
    copy = learner_notebook(source)
    for name, answer in zip(("scores-solution", "scores-hints"), answers, strict=False):
        (cell,) = (cell for cell in copy.cells if cell.id == name)
        cell.update(new_code_cell(answer, id=name, metadata={"tags": ["raises-exception"]}))
    return copy


WRONG = "def scores(query, key):\n    return query @ key.transpose(-2, -1)"
RIGHT = sample.SOLUTION.replace("### BEGIN SOLUTION", "").replace("### END SOLUTION", "")


@pytest.mark.executes_notebooks
@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ((), "not tried     0 of 3"),
        ((WRONG,), "failed        1 of 3"),
        ((RIGHT,), "passed        3 of 3"),
        ((RIGHT, WRONG), "failed        1 of 3"),  # checked twice: the last counts
        ((WRONG, RIGHT), "passed        3 of 3"),
        (("def scores(:",), "not run       0 of 3"),
    ],
)
def test_run_all_goes_on_and_ends_with_what_is_passed(answers, line):
    cells = run_all(answered(*answers))
    assert cells["later"].outputs[0].data["text/plain"] == "'the rest is run'"
    (table,) = cells["course-passed"].outputs
    assert line in table.data["text/plain"]
    assert "passed" in table.data["text/html"]


@pytest.mark.executes_notebooks
def test_an_error_before_the_exercises_ends_the_run():
    copy = answered(RIGHT)
    copy.cells[1].source = "import nothing_of_this_name"
    with pytest.raises(Exception, match="nothing_of_this_name"):
        run_all(copy)


def test_what_is_added_is_known_again():
    copy = learner_notebook(sample.exercises_notebook())
    assert [cell.id for cell in copy.cells if is_ours(cell.source)] == ["course-passed-text", "course-passed"]

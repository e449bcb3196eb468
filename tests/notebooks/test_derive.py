"""Stub, key and page come from one source: they differ where the markers say, and nowhere else."""

import json
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from tests.notebooks import sample
from vitcourse.errors import InputError
from vitcourse.notebooks import answer_key, learner_copy, page, with_setup
from vitcourse.notebooks.derive import solution_of, stub_of


@pytest.fixture
def source() -> nbformat.NotebookNode:
    notebook = sample.exercises_notebook()
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="shown")]
    notebook.cells[1].execution_count = 3
    return notebook


def by_id(notebook: nbformat.NotebookNode) -> dict[str, str]:
    return {cell.id: cell.source for cell in notebook.cells}


def code(source: str) -> nbformat.NotebookNode:
    return sample.graded(new_code_cell(source, id="one"), "one", solution=True)


@pytest.mark.parametrize(
    "derive", [learner_copy, answer_key, lambda nb: page(nb, "class"), lambda nb: with_setup(nb, "u", "b")]
)
def test_the_source_is_not_changed_and_the_result_is_a_notebook(source, derive):
    before = json.dumps(source)
    nbformat.validate(derive(source))
    assert json.dumps(source) == before


def test_a_stub_replaces_each_region_at_its_own_indent():
    text = (
        "a = 1\n### BEGIN SOLUTION\na = 2\n### END SOLUTION\ndef f():\n    # BEGIN SOLUTION\n    b\n    # END SOLUTION"
    )
    assert stub_of(code(text)) == (
        "a = 1\n# YOUR CODE HERE\nraise NotImplementedError()\ndef f():\n"
        "    # YOUR CODE HERE\n    raise NotImplementedError()"
    )
    assert solution_of(code(text)) == "a = 1\na = 2\ndef f():\n    b"


def test_a_solution_cell_without_markers_is_a_solution_as_a_whole():
    assert stub_of(code("answer = 42")) == "# YOUR CODE HERE\nraise NotImplementedError()"


@pytest.mark.parametrize(
    "text",
    [
        "### BEGIN SOLUTION\na",
        "### END SOLUTION\na",
        "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
        "### BEGIN SOLUTION\n### END SOLUTION\n### END SOLUTION",
        "### BEGIN SOLUTION, END SOLUTION",
    ],
)
@pytest.mark.parametrize("derive", [learner_copy, answer_key, lambda notebook: page(notebook, "class")])
def test_markers_that_do_not_pair_are_refused(source, derive, text):
    source.cells.append(code(text))
    with pytest.raises(InputError, match="cell one: 'BEGIN SOLUTION' and 'END SOLUTION' do not pair"):
        derive(source)


WORDS = "Why?\n\n#### BEGIN SOLUTION\nBecause of {cite}`dao2022`.\n#### END SOLUTION"


@pytest.mark.parametrize(("text", "stub"), [(WORDS, "Why?\n\nYOUR ANSWER HERE"), ("Because.", "YOUR ANSWER HERE")])
def test_an_answer_in_words_has_a_stub_in_words(source, text, stub):
    cell = sample.graded(new_markdown_cell(text, id="why-solution"), "why", solution=True, grade=True, points=2)
    source.cells.append(cell)
    assert by_id(learner_copy(source))["why-solution"] == stub
    shown = by_id(page(source, "self-study"))
    assert shown["why-stub"] == f"::::{{div}} stub\n{stub}\n::::"
    assert "Because" in shown["why-solution"]
    assert "```python" not in shown["why-solution"]
    assert "Because" not in nbformat.writes(page(source, "class"))


def test_the_key_has_an_answer_in_words_as_any_program_shows_it(source):
    source.cells.append(sample.graded(new_markdown_cell(WORDS, id="why"), "why", solution=True))
    assert by_id(answer_key(source))["why"] == "Why?\n\nBecause of (Dao 2022)."


@pytest.mark.parametrize("derive", [learner_copy, answer_key, lambda notebook: page(notebook, "class")])
def test_a_solution_outside_of_a_solution_cell_is_refused(source, derive):
    source.cells.append(new_code_cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", id="stray"))
    with pytest.raises(InputError, match="cell stray"):
        derive(source)


def test_the_learners_copy_has_stubs_plain_text_and_no_outputs(source):
    copy = learner_copy(source)
    assert by_id(copy)["scores-solution"] == sample.STUB
    assert by_id(copy)["scores-check"] == "checks.attention.scores(scores)"
    assert copy.cells[1].outputs == []
    assert copy.cells[1].execution_count is None
    assert copy.metadata.vitcourse == {"lesson": sample.LESSON, "kind": "exercises"}
    assert sample.SECRET_NAME not in nbformat.writes(copy)
    assert ":::" not in nbformat.writes(copy)
    assert [cell.metadata for cell in copy.cells] == [cell.metadata for cell in source.cells]


def test_the_key_is_the_copy_with_the_solutions(source):
    copy, key = learner_copy(source), answer_key(source)
    different = [mine.id for mine, theirs in zip(copy.cells, key.cells, strict=True) if mine != theirs]
    assert different == ["scores-solution"]
    assert sample.SECRET_LINE in by_id(key)["scores-solution"]
    assert "SOLUTION" not in by_id(key)["scores-solution"]


def test_the_page_for_self_study_ends_each_exercise_with_its_folded_solution(source):
    shown = page(source, "self-study")
    ids = [cell.id for cell in shown.cells]
    start = ids.index("scores-card")
    expected = ["card", "stub", "check", "hints", "expected", "solution"]
    assert ids[start : start + 6] == [f"scores-{part}" for part in expected]
    texts = by_id(shown)
    assert sample.STUB in texts["scores-stub"]
    assert texts["scores-solution"].startswith("::::{dropdown} Solution\n")
    assert sample.SECRET_LINE in texts["scores-solution"]
    assert all("SOLUTION" not in text for text in texts.values())
    assert shown.cells[1].outputs == source.cells[1].outputs


REPORT = nbformat.v4.new_output("display_data", data={"text/html": "<b>holds</b>", "text/plain": "holds"})
PLAIN = nbformat.v4.new_output("display_data", data={"text/plain": "holds ```"})
FAILED = nbformat.v4.new_output("error", ename="CheckFailed", evalue="", traceback=[])


def test_what_the_check_says_of_the_solution_stands_with_it_or_nowhere(source):
    source.cells[4].outputs = [REPORT, PLAIN]
    shown = page(source, "self-study")
    assert shown.cells[4].outputs == []
    told = by_id(shown)["scores-solution"]
    end = "What the check says of it:\n\n```{raw} html\n<b>holds</b>\n```\n````text\nholds ```\n````\n::::"
    assert told.endswith(end)
    assert "holds" not in nbformat.writes(page(source, "class"))


def test_a_check_that_failed_shows_it_in_its_place(source):
    source.cells[4].outputs = [REPORT, FAILED]
    assert page(source, "self-study").cells[4].outputs == [REPORT, FAILED]


def test_the_page_for_a_class_is_the_other_without_the_solution(source):
    shown = page(source, "class")
    assert sample.SECRET_NAME not in nbformat.writes(shown)
    rest = [cell for cell in page(source, "self-study").cells if cell.id != "scores-solution"]
    assert shown.cells == rest


def test_code_that_holds_a_fence_stays_in_its_own():
    fenced = sample.SOLUTION.replace("Scaled scores, shape (..., L, S).", "Scores.\n\n    ```\n    x\n    ```\n    ")
    assert "\n````python\ndef scores" in by_id(page(sample.exercises_notebook(fenced), "self-study"))["scores-stub"]
    fenced = fenced.replace("```", "::::")
    shown = by_id(page(sample.exercises_notebook(fenced), "self-study"))["scores-stub"]
    assert shown.startswith(":::::{div} stub\n```python\n")
    assert shown.endswith("\n```\n:::::")


def test_an_unknown_profile_is_named(source):
    with pytest.raises(InputError, match="no profile 'exam'"):
        page(source, "exam")


def test_the_setup_cell_is_plain_python_and_does_nothing_here(source):
    first = with_setup(learner_copy(source), "https://github.com/some/course", "learner").cells[0]
    assert "https://github.com/some/course" in first.source
    done = subprocess.run([sys.executable, "-c", first.source], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""

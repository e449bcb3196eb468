"""What is put back into a submission, and where."""

import copy

import pytest

from tests.grading.assignment import EXERCISES, cell_of, function
from vitcourse.grading.restore import restore
from vitcourse.grading.submissions import Cell


def ids(notebook):
    return [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]


@pytest.fixture
def cells(release):
    """The release as a student hands it in, with every answer given."""
    handed_in = [Cell(c.cell_type, c.source, c.metadata.get("nbgrader", {}).get("grade_id")) for c in release.cells]
    for cell in handed_in:
        if cell.grade_id in EXERCISES:
            cell.source = function(cell.grade_id)
    return handed_in


def by_id(cells, grade_id):
    return next(cell for cell in cells if cell.grade_id == grade_id)


def test_an_untouched_submission_stays_as_it_is(cells, release):
    notebook, notes = restore(cells, release)
    assert notes == []
    assert [cell.source for cell in notebook.cells] == [cell.source for cell in cells]
    assert ids(notebook) == [cell.grade_id for cell in cells]
    assert notebook.metadata == release.metadata


def test_altered_tests_are_the_assignments_again(cells, release):
    by_id(cells, "scores-check").source = "pass"
    by_id(cells, "cost-check").kind = "markdown"
    notebook, notes = restore(cells, release)
    assert notes == ["altered: scores-check"]
    for name in EXERCISES:
        cell = cell_of(notebook, f"{name}-check")
        assert (cell.cell_type, cell.source) == ("code", f"checks.attention.{name}({name})")
        assert cell.metadata.nbgrader.points == 3
        assert cell.metadata.nbgrader.checksum == cell_of(release, f"{name}-check").metadata.nbgrader.checksum


def test_a_deleted_test_stands_behind_its_answer_again(cells, release):
    cells.remove(by_id(cells, "scores-check"))
    notebook, notes = restore(cells, release)
    assert notes == ["deleted: scores-check"]
    order = ids(notebook)
    assert order.index("scores") < order.index("scores-check") < order.index("causal_mask")


def test_the_last_deleted_test_stands_at_the_end(cells, release):
    cells.remove(by_id(cells, "cost-check"))
    assert ids(restore(cells, release)[0])[-1] == "cost-check"


def test_where_the_answer_cell_is_gone_the_test_waits_for_all_cells(cells, release):
    """The answer may stand in a cell of the student's own, anywhere; an empty stub would undo it."""
    cells.remove(by_id(cells, "scores"))
    cells.append(Cell("code", function("scores")))
    notebook, notes = restore(cells, release)
    assert notes == ["deleted: scores"]
    assert "scores" not in ids(notebook)
    assert ids(notebook)[-1] == "scores-check"


def test_a_test_before_its_answer_is_moved_behind_it(cells, release):
    test = by_id(cells, "scores-check")
    cells.remove(test)
    cells.insert(0, test)
    order = ids(restore(cells, release)[0])
    assert order.count("scores-check") == 1
    assert order.index("scores") < order.index("scores-check") < order.index("causal_mask")


def test_of_an_answer_that_stands_twice_the_last_counts(cells, release):
    cells.append(Cell("code", "def scores(): pass", "scores"))
    notebook, _ = restore(cells, release)
    assert cell_of(notebook, "scores").source == "def scores(): pass"
    assert function("scores") in [cell.source for cell in notebook.cells]  # and the other one still runs
    assert ids(notebook)[-1] == "scores-check"


def test_nothing_at_all_gets_every_test(release):
    notebook, notes = restore([], release)
    assert ids(notebook) == ["scores-check", "causal_mask-check", "cost-check"]
    assert notes == ["deleted: scores, scores-check, causal_mask, causal_mask-check, cost, cost-check"]


def test_html_in_a_students_text_is_text(cells, release):
    cells += [Cell("markdown", "<script>x</script> a<b, 1 < 2"), Cell("raw", "<img src=x>"), Cell("code", "a<b")]
    own = restore(cells, release)[0].cells[-3:]
    assert [cell.cell_type for cell in own] == ["markdown", "markdown", "code"]
    assert [cell.source for cell in own] == ["&lt;script>x&lt;/script> a&lt;b, 1 < 2", "&lt;img src=x>", "a<b"]


def test_html_of_the_assignment_stays(cells, release):
    card = next(cell for cell in cells if cell.kind == "markdown")
    release = copy.deepcopy(release)
    release.cells[cells.index(card)].source = card.source = "<details>x</details>"
    assert restore(cells, release)[0].cells[cells.index(card)].source == "<details>x</details>"


def test_a_students_own_marks_mean_nothing(cells, release):
    cells.append(Cell("code", "1", "bonus-check"))
    notebook, _ = restore(cells, release)
    assert notebook.cells[-1].source == "1"
    assert "nbgrader" not in notebook.cells[-1].metadata

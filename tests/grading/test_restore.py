"""What is put back into a submission, and where."""

import copy

import pytest

from tests.grading.assignment import EXERCISES, IMPORTS, cell_of, function
from tests.notebooks import sample
from vitcourse.grading.reading import Cell
from vitcourse.grading.restore import restore
from vitcourse.notebooks import is_ours, learner_notebook


def ids(notebook):
    return [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells]


@pytest.fixture
def cells(release):
    """The release as a student hands it in, with every answer given."""
    kept = [cell for cell in release.cells if not is_ours(cell.source)]
    handed_in = [Cell(c.cell_type, c.source, c.metadata.get("nbgrader", {}).get("grade_id")) for c in kept]
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


def test_the_table_of_what_is_passed_is_no_part_of_a_submission(cells, release):
    ours = [cell for cell in learner_notebook(sample.exercises_notebook()).cells if cell.id.startswith("course-passed")]
    handed_in = [*cells, *(Cell(cell.cell_type, f"{cell.source}\n", None) for cell in ours)]
    assert len(ours) == 2
    assert [cell.source for cell in restore(handed_in, release)[0].cells] == [cell.source for cell in cells]


def test_altered_tests_are_the_assignments_again(cells, release):
    by_id(cells, "scores-check").source = "pass"
    by_id(cells, "cost-check").kind = "markdown"
    notebook, notes = restore(cells, release)
    assert notes == ["altered: scores-check (put back)"]
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
    cells.append(Cell("code", "if True:\n    def scores(query, key): pass"))
    notebook, notes = restore(cells, release)
    assert notes == ["deleted: scores"]
    assert "scores" not in ids(notebook)
    assert ids(notebook)[-1] == "scores-check"


def test_an_answer_in_a_cell_of_the_students_own_is_the_answer(cells, release):
    """Where its cell is gone, and where the stub in its cell was left as it was."""
    for change in (cells.remove, lambda cell: setattr(cell, "source", cell_of(release, "scores").source)):
        handed_in = copy.deepcopy(cells)
        change(by_id(cells, "scores"))
        cells.append(Cell("code", function("scores")))
        notebook, notes = restore(cells, release)
        assert notes == []
        assert ids(notebook)[-2:] == ["scores", "scores-check"]
        assert cell_of(notebook, "scores").source == function("scores")
        cells[:] = handed_in


MOUNT = "from google.colab import drive\ndrive.mount('/content/drive')\n"
HELPER = "def helper(x):\n    return x"


def sources(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize(
    ("above", "below", "own"),
    [
        (MOUNT, "", MOUNT.splitlines()),
        ("!pip install einops\n%matplotlib inline\n", "", ["!pip install einops", "%matplotlib inline"]),
        ("", f"\nfrom math import sqrt\n{HELPER}", ["from math import sqrt", HELPER]),
        (MOUNT, f"\n{HELPER}", [*MOUNT.splitlines(), HELPER]),
        ("# mine\n", "\n\n", []),
        ("", "\nmath = None\nimport numpy as torch\ndef checks(): pass", []),  # what it was put back for
        ("%%time\n", "", [f"%%time\n{IMPORTS}"]),
        ("import (\n", "", [f"import (\n{IMPORTS}"]),
    ],
)
def test_a_given_cell_is_put_back_and_what_was_added_to_it_follows(cells, release, above, below, own):
    given = by_id(cells, "imports")
    given.source = f"{above}{given.source}{below}"
    notebook, notes = restore(cells, release)
    assert notes == ["altered: imports (put back)"]
    assert sources(notebook)[: 2 + len(own)] == [IMPORTS, *own, function("scores")]
    assert cell_of(notebook, "imports").metadata.nbgrader.locked


def test_a_given_cell_that_was_changed_to_text_deleted_or_moved_is_code_in_its_place(cells, release):
    given = by_id(cells, "imports")
    given.kind, given.source = "markdown", "Imports: " + given.source
    assert sources(restore(cells, release)[0])[:2] == [IMPORTS, function("scores")]
    cells.remove(given)
    cells.insert(1, Cell("code", "mine = 1"))
    notebook, notes = restore(cells, release)
    assert sources(notebook)[:3] == [IMPORTS, "mine = 1", function("scores")]
    assert notes == ["deleted: imports"]
    cells.append(Cell("code", IMPORTS, "imports"))
    notebook, notes = restore(cells, release)
    assert sources(notebook)[:3] == [IMPORTS, "mine = 1", function("scores")]
    assert notes == []


def test_a_given_cell_that_was_split_or_copied_stands_once(cells, release):
    given = by_id(cells, "imports")
    first, _, second = IMPORTS.partition("\n\n")
    place = cells.index(given)
    cells[place : place + 1] = [Cell("code", first, "imports"), Cell("code", f"{second}\nmine = 2", "imports")]
    assert sources(restore(cells, release)[0])[:3] == [IMPORTS, "mine = 2", function("scores")]
    cells[place : place + 2] = [given, copy.copy(given)]
    notebook, notes = restore(cells, release)
    assert ids(notebook).count("imports") == 1
    assert notes == []


def test_an_answer_that_was_merged_into_a_given_cell_is_run(cells, release):
    """A merged cell keeps the marks of the first."""
    by_id(cells, "imports").source += "\n\n" + function("scores")
    cells.remove(by_id(cells, "scores"))
    notebook, notes = restore(cells, release)
    assert notes == ["altered: imports (put back)", "deleted: scores"]
    assert sources(notebook)[:2] == [IMPORTS, function("scores")]
    assert ids(notebook)[-1] == "scores-check"


@pytest.mark.parametrize("kept", [False, True], ids=["nothing", "ids of the cells"])
def test_cells_without_marks_are_known_by_what_is_left(cells, release, kept):
    for cell, own in zip(cells, release.cells, strict=False):  # which ends with the table of what is passed
        cell.grade_id, cell.cell_id = None, own.id if kept else None
    by_text = next(cell for cell in cells if cell.source == IMPORTS)
    by_text.source = MOUNT + by_text.source
    next(cell for cell in cells if "cost(cost)" in cell.source).source += "  # mine"
    notebook, notes = restore(cells, release)
    assert notes == ["altered: imports, cost-check (put back)"]
    assert [name for name in ids(notebook) if name] == [name for name in ids(release) if name]


def test_a_cell_that_calls_a_check_and_does_more_is_no_test(cells, release):
    cells.remove(by_id(cells, "scores-check"))
    cells.append(Cell("code", "def mine(x): return x\nchecks.attention.scores(mine)"))
    notebook, notes = restore(cells, release)
    assert notes == ["deleted: scores-check"]
    assert notebook.cells[-1].source == cells[-1].source


def test_an_answer_that_was_made_text_is_code_again(cells, release):
    by_id(cells, "scores").kind = "markdown"
    assert cell_of(restore(cells, release)[0], "scores").cell_type == "code"


def test_a_deleted_test_stands_behind_all_of_a_split_answer(cells, release):
    answer = by_id(cells, "scores")
    cells.remove(by_id(cells, "scores-check"))
    cells.insert(cells.index(answer) + 1, Cell("code", "second = 'half'"))
    found = restore(cells, release)[0]
    assert ids(found).index("scores-check") > [cell.source for cell in found.cells].index("second = 'half'")


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
    assert ids(notebook) == ["imports", "scores-check", "causal_mask-check", "cost-check"]
    assert notes == ["deleted: imports, scores, scores-check, causal_mask, causal_mask-check and 2 more"]


def test_html_in_a_students_text_is_text(cells, release):
    cells += [Cell("markdown", "<script>x</script> a<b, 1 < 2"), Cell("raw", "<img src=x>"), Cell("code", "a<b")]
    own = restore(cells, release)[0].cells[-3:]
    assert [cell.cell_type for cell in own] == ["markdown", "markdown", "code"]
    texts = ["<\u2060script>x<\u2060/script> a<\u2060b, 1 < 2", "<\u2060img src=x>", "a<b"]
    assert [cell.source for cell in own] == texts


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

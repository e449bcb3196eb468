"""A fault in one answer does not cost the points of another that calls it."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.grading.assignment import answered, cell_of
from vitcourse import checks
from vitcourse.grading import earlier
from vitcourse.grading.examine import examine
from vitcourse.grading.feedback import add_page
from vitcourse.grading.master import COURSE, Task, find_master
from vitcourse.grading.statements import uses

MASTER = find_master("01_attention", COURSE)
SOFTMAX = "def softmax(scores, mask=None):\n    return torch.zeros_like(scores)"


@pytest.fixture(scope="module")
def judged(launcher):
    """The reports on the course's own answers to lesson 01, but for those given here as whole cells."""

    def judged(**cells):
        notebook = nbformat.from_dict(MASTER.notebook)
        for cell in notebook.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            cell.source = cells.get(name, cell.source)
        assert examine(notebook, MASTER.tasks, launcher, "seed") == []
        return {task.exercise.partition(".")[2]: cell_of(notebook, cell) for cell, task in MASTER.tasks.items()}

    return judged


@pytest.mark.grades
@pytest.mark.parametrize("softmax", [SOFTMAX, "def softmax(:", "softmax = None"])
def test_an_answer_that_calls_a_faulty_one_is_judged_with_the_right_one_as_well(judged, softmax):
    found = judged(softmax=softmax)
    facts = {name: cell.metadata["vitcourse"] for name, cell in found.items()}
    assert facts["softmax"]["misconception"] is not None
    for name in ("attention", "project"):
        assert facts[name]["misconception"] is None
        assert facts[name]["points"] == checks.CATALOGUE[f"attention.{name}"].points
    assert facts["attention"]["with_right"] == ["softmax"]
    assert "with_right" not in facts["scores"]


@pytest.mark.grades
def test_an_answer_with_a_mistake_of_its_own_keeps_it(judged):
    wrong = "def attention(query, key, value, mask=None):\n    return softmax(scores(query, key), mask) @ value"
    facts = {name: cell.metadata["vitcourse"] for name, cell in judged(softmax=SOFTMAX, attention=wrong).items()}
    assert facts["attention"]["misconception"] == "no-weights"
    assert facts["project"]["misconception"] is None
    assert facts["project"]["with_right"] == ["softmax", "attention"]


def test_what_a_name_is_made_with():
    assert uses("def f(scores):\n    return scores + g(scores)") == {"f": {"g"}}
    assert uses("%time\nclass A(B):\n    def one(self):\n        return lambda x: self.two(h, x)") == {"A": {"B", "h"}}
    assert uses("a, b = partial(c)") == {"a": {"partial", "c"}, "b": {"partial", "c"}}
    assert uses("def f(:") == {}


def graded(points):
    """A notebook whose answers a, b, c have these points of 2; b calls a, and c calls b."""
    cells, tasks = [], {}
    for name, called in (("a", "len"), ("b", "a"), ("c", "b")):
        tasks[name] = Task(name, f"topic.{name}", name, 2.0, solution=f"def {name}():\n    {called}()")
        cells.append(new_code_cell(tasks[name].solution))
        facts = {"nbgrader": {"grade_id": name}, "vitcourse": {"points": points[name]}}
        cells.append(new_code_cell("…", metadata=facts))
    return new_notebook(cells=cells), tasks


def test_only_what_lacks_points_and_calls_something_that_does():
    def called(**points):
        return {task.name: [one.name for one in faulty] for _, task, faulty in earlier.calling_faulty(*graded(points))}

    assert called(a=2, b=2, c=2) == {}
    assert called(a=0, b=2, c=2) == {}
    assert called(a=2, b=1, c=2) == {}
    assert called(a=0, b=2, c=0) == {"c": ["a"]}
    assert called(a=2, b=1, c=0) == {"c": ["b"]}
    assert called(a=1, b=1, c=1) == {"b": ["a"], "c": ["a", "b"]}


def test_what_has_got_its_points_by_that_is_no_longer_faulty():
    notebook, tasks = graded({"a": 0, "b": 0, "c": 0})
    found = {}
    for cell, task, faulty in earlier.calling_faulty(notebook, tasks):
        cell.metadata["vitcourse"]["points"] = 2
        found[task.name] = [one.name for one in faulty]
    assert found == {"b": ["a"], "c": ["a"]}


@pytest.mark.grades
def test_the_page_says_so(judged, release):
    cell = judged(softmax=SOFTMAX)["attention"]
    cell.metadata["nbgrader"] |= {"score": 6, "points": 6}
    notebook = answered(release)
    notebook.cells = [cell]
    numbers = {"score": 6, "max_score": 6, "late_penalty": 0, "assignment": "a", "student": "s"}
    (part,) = add_page(notebook, {"nbgrader": numbers})[1]["page"]["parts"]
    assert "judged a second time with a right <code>softmax</code>" in part["helped"]

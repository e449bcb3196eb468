"""The judgement of one notebook, where it does not go as the check expects."""

import pytest

from tests.grading.assignment import LESSON, answered, cell_of
from vitcourse import checks
from vitcourse.grading.examine import examine
from vitcourse.grading.master import find_master


@pytest.fixture
def judged(release, course, launcher):
    def judged(**bodies):
        notebook = answered(release, **bodies)
        troubles = examine(notebook, find_master(LESSON, course).tasks, launcher, "seed")
        found = {name: cell_of(notebook, f"{name}-check").metadata.vitcourse for name in ("scores", "cost")}
        return found, troubles

    return judged


@pytest.mark.parametrize(
    ("scores", "misconception"),
    [
        ("scores = 5", "wrong-type"),
        ("import numpy\nscores = numpy.zeros(3)\ndef other(): pass", "wrong-type"),
        ("scores = None", "wrong-type"),
        ("return query.numpy()", "wrong-type"),
        ("return (query @ key.transpose(-2, -1)).to(torch.float8_e4m3fn)", "wrong-dtype"),
        ("return (query @ key.transpose(-2, -1)).to(torch.complex128)", "wrong-dtype"),
        ("return [query] * 3", "wrong-type"),
        ("return torch.zeros(0)", "wrong-shape"),
        ("query.zero_(); return query @ key.transpose(-2, -1)", "changes-inputs"),
        ("raise SystemExit", "raises"),
        ("del scores\ndef other(): pass", "not-defined"),
        ("1 / 0\ndef scores(): pass", "not-defined"),
        ("def scores(:", "not-defined"),
    ],
)
def test_an_answer_of_any_kind_is_judged_and_costs_nothing_else(judged, scores, misconception):
    found, troubles = judged(scores=scores)
    assert found["scores"]["misconception"] == misconception
    assert found["scores"]["points"] < 3
    assert found["cost"]["misconception"] is None
    assert troubles == []


def test_where_a_name_is_missing_the_cell_that_failed_says_why(judged):
    found, _ = judged(scores="x = 1 / 0\ndef scores(): pass", first="open('/none')")
    assert found["scores"]["detail"] == "ZeroDivisionError: division by zero"


def test_a_check_that_fails_itself_costs_one_answer(judged, monkeypatch):
    right = checks.run

    def run(exercise, answer, seed):
        if exercise == "attention.scores":
            raise ValueError("never seen such a thing")
        return right(exercise, answer, seed)

    monkeypatch.setattr(checks, "run", run)
    found, troubles = judged()
    assert (found["scores"]["misconception"], found["scores"]["points"]) == ("not-graded", 0)
    assert found["cost"]["misconception"] is None
    assert troubles == ["the check of attention.scores failed on its answer: never seen such a thing"]

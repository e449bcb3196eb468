"""The submissions that a large class is made of: a right answer passes its check, a wrong one does not."""

import random

import pytest

from tests.grading import large_class
from vitcourse import checks
from vitcourse.grading.master import load_masters

TASKS = load_masters()[large_class.LESSON].tasks.values()


@pytest.mark.parametrize("share", [0, 1])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.exercise)
def test_answers_are_the_banks(task, share, monkeypatch):
    monkeypatch.setattr(large_class, "WRONG", share)
    names = {}
    exec(large_class.answer(task, random.Random(0)), names)
    if share:
        with pytest.raises(checks.CheckFailed):
            checks.find(task.exercise)(names[task.name])
    else:
        checks.find(task.exercise)(names[task.name])

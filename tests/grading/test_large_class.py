"""What a large class is made of: a right answer passes its check, a wrong one has the mistake that it is to have."""

import random

import pytest

from tests.grading import large_class
from vitcourse import checks, results
from vitcourse.grading.master import COURSE, load_masters

# Exercises whose bank calls another bank, is made in loops, or adds its answers within functions; the rest is alike.
UNLIKE = ("block_variants.parallel", "vit.parameters", "training.decays", "asl_data.blind")
TASKS = [
    task
    for lesson, master in sorted(load_masters().items())
    for task in master.tasks.values()
    if lesson == "01_attention" or task.exercise in UNLIKE
]


@pytest.mark.parametrize("share", [0, 1])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.exercise)
def test_answers_are_the_banks(task, share, monkeypatch):
    monkeypatch.setattr(large_class, "WRONG", share)
    names = {}
    code, mistake = large_class.answer(task, random.Random(0))
    exec(code, names)
    report = checks.run(task.exercise, names[task.name])
    assert (report.misconception or "") == mistake
    assert bool(mistake) == bool(share)


def test_the_guide_says_what_was_recorded():
    guide = (COURSE / "book" / "instructor.md").read_text(encoding="utf-8")
    assert large_class.table(results.load("large_class")["runs"]) in guide

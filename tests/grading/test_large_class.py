"""What a large class is made of: a right answer passes its check, a wrong one has the mistake that it is to have."""

import json
import random
import sys

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


def test_what_was_broken_off_is_counted(tmp_path):
    kept = tmp_path / "class.json"
    first = large_class.measured([sys.executable, "-c", "exit(3)"], kept)
    assert (first["exit_status"], first["broken_off"], kept.is_file()) == (3, 0, True)
    kept.write_text(json.dumps({name: 1000.0 for name in first if name != "exit_status"} | {"broken_off": 0}))
    second = large_class.measured([sys.executable, "-c", "pass"], kept)
    assert second["clock_seconds"] >= 1000 <= second["processor_seconds"]
    assert (second["exit_status"], second["broken_off"], kept.is_file()) == (0, 1, False)


def test_the_guide_says_what_was_recorded():
    guide = (COURSE / "book" / "instructor.md").read_text(encoding="utf-8")
    assert large_class.table(results.load("large_class")["runs"]) in guide

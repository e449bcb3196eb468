"""The table of a lesson: each check counts once, as it ended last, and has its points; a wrong name is told."""

import pytest
import torch

from vitcourse import checks
from vitcourse.checks.engine import summary
from vitcourse.errors import InputError
from vitcourse.exercises import FILES, of_topic

LESSON = "01_attention"


@pytest.fixture(autouse=True)
def _nothing_run(monkeypatch):
    monkeypatch.setattr(summary, "LAST", {})


def shown(capsys) -> list[str]:
    capsys.readouterr()
    checks.summary(LESSON)
    return capsys.readouterr().out.splitlines()


def all_visible(n):
    return torch.ones(n, n, dtype=torch.bool)


def test_nothing_is_run_at_first_and_every_exercise_has_a_row(capsys):
    lines, exercises = shown(capsys), of_topic("attention").values()
    assert lines[0] == f"0 of {len(exercises)} exercises passed, 0 of {sum(one.points for one in exercises)} points"
    assert [line.partition("  ")[2].strip() for line in lines[1:]]
    for line, exercise in zip(lines[1:], exercises, strict=True):
        assert line.startswith("  – not run")
        assert line.endswith(f"0 of {exercise.points}  {exercise.title}")


def test_a_check_that_is_run_again_counts_once_as_it_ended_last(capsys):
    check = checks.attention.causal_mask
    with pytest.raises(checks.CheckFailed):
        check(all_visible)
    (row,) = (line for line in shown(capsys) if "A mask that hides the future" in line)
    assert row.startswith("  ✗ failed        1 of 3")
    for _ in range(2):
        check(lambda n: torch.ones(n, n, dtype=torch.bool).tril())
    lines = shown(capsys)
    assert lines[0].startswith(f"1 of {len(lines) - 1} exercises passed, 3 of ")
    check.run(all_visible)  # a grader's, which no learner has seen
    assert shown(capsys) == lines


def test_the_table_says_the_same_in_words():
    rows = [(exercise, None) for exercise in of_topic("attention").values()]
    page = summary.as_html(rows)
    assert page.count("not run</span>") == len(rows)
    assert all(exercise.title.replace("'", "&#x27;") in page for exercise, _ in rows)
    assert summary.headline(rows) in page


@pytest.mark.parametrize("name", ["attention", "01_nothing", "02_attention", "", "_"])
def test_an_unknown_lesson_is_told_with_those_there_are(name):
    with pytest.raises(InputError, match=f"there are no exercises for '{name}'; there are some for: 01_attention"):
        checks.summary(name)


def test_every_lesson_has_its_table(capsys):
    for path in FILES.values():
        checks.summary(path.stem)
    assert capsys.readouterr().out.count("exercises passed") == len(FILES)

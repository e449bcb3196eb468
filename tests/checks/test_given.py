"""What a failing check gave, as code: run again, it gives the same numbers; a graded report holds none of it."""

import math

import pytest
import torch

from vitcourse import checks
from vitcourse.checks import CheckFailed
from vitcourse.checks.engine import guard
from vitcourse.checks.engine.given import LARGEST, as_code


def run(code, function):
    """What ``function`` is given by the code."""
    seen = []
    space = {"torch": torch, "checks": checks, "answer": lambda *args, **kwargs: seen.append((args, kwargs))}
    exec(code, space)
    return seen[0]


@pytest.mark.parametrize(
    "value",
    [
        torch.tensor([[0.1, -2.5e-7], [math.inf, math.nan]]),
        torch.tensor([1 / 3], dtype=torch.float64),
        torch.tensor([True, False]),
        torch.tensor([[3, 4]]),
        torch.tensor(3, dtype=torch.int32),
        torch.zeros(0, 3),
        torch.zeros(0, dtype=torch.int64),
        {"qkv.weight": torch.ones(2, 2), "n": 3},
        [1, 2.5, "a'b", None, True, (math.inf,)],
        (torch.arange(3.0), []),
    ],
)
def test_the_code_gives_the_same_again(value):
    args, kwargs = run(as_code("test.answer", lambda x: x, (value,), {"mask": value}, 0), None)
    assert guard.same(list(args), [value])
    assert guard.same(kwargs, {"mask": value})


def test_names_are_those_of_the_function():
    assert as_code("test.answer", lambda query, key: 0, (1, 2), {}, 0) == "query = 1\nkey = 2\nanswer(query, key)"
    assert as_code("test.answer", lambda *all: 0, (1, 2), {}, 0) == "a = 1\nb = 2\nanswer(a, b)"


def test_what_is_large_is_drawn_again_from_the_seed():
    big = torch.zeros(LARGEST + 1)
    code = as_code("test.answer", lambda x: x, (big,), {}, "s")
    assert code == "x, = checks.test.answer.inputs(answer, seed='s')  # x (101,)\nanswer(x)"


def wrong(query, key):
    return query @ key.transpose(-2, -1) * 1.5


@pytest.mark.parametrize("seed", [0, 7, "word"])
def test_a_learner_sees_what_failed_and_can_run_it(capsys, seed):
    with pytest.raises(CheckFailed) as caught:
        checks.attention.scores(wrong, seed=seed)
    code = caught.value.report.given
    assert code.splitlines()[0] in capsys.readouterr().out
    space = {"torch": torch, "checks": checks, "wrong": wrong}  # called by the learner's own name for it
    exec(code.replace("\nwrong(", "\nfound = wrong("), space)
    given = checks.attention.scores.inputs(wrong, seed=seed)
    assert torch.equal(space["found"], wrong(*given))


def test_a_graded_report_holds_neither_inputs_nor_seed():
    report = checks.run("attention.scores", wrong, seed="secret-seed")
    assert report.misconception is not None
    assert report.given == ""
    assert "secret-seed" not in repr(report)


def test_a_right_answer_has_no_inputs_that_failed():
    with pytest.raises(ValueError, match=r"attention\.scores: no call failed with seed 3"):
        checks.attention.scores.inputs(lambda query, key: query @ key.mT / query.shape[-1] ** 0.5, seed=3)

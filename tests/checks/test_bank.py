"""Every wrong answer of the bank is caught under its own misconception on every seed; every right one passes."""

import collections
import functools
import importlib
import re
from pathlib import Path
from unittest import mock

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vitcourse import checks
from vitcourse.checks.engine import guard
from vitcourse.checks.engine.solved import Solved
from vitcourse.exercises import COMMON

FILES = sorted(path.stem for path in (Path(__file__).parent / "bank").glob("*.py") if path.stem != "entries")
BANKS = [importlib.import_module(f"tests.checks.bank.{name}").BANK for name in FILES]
WRONG = [(bank.exercise, *entry) for bank in BANKS for entry in bank.wrongs]
RIGHT = [(bank.exercise, function) for bank in BANKS for function in bank.rights]

pytestmark = pytest.mark.tries_answers
# Given to a function of its own for each answer: hypothesis remembers the settings of every run of one.
on_any_seed = given(seed=st.integers(0, 2**64) | st.text(max_size=8))
AT_LENGTH = settings.get_current_profile_name() == "at_length"  # `make test-slow`; else three seeds do
SEEDS = {bank.exercise: bank.seeds if AT_LENGTH else min(3, bank.seeds) for bank in BANKS}


def few(exercise):
    health = [HealthCheck.function_scoped_fixture]
    return settings(max_examples=SEEDS[exercise], deadline=None, suppress_health_check=health)


def misconception_of(exercise, function, seed):
    return checks.run(exercise, function, seed).misconception


def named(entries):
    return [f"{entry[0]}-{index}-{entry[-2] if len(entry) > 2 else ''}" for index, entry in enumerate(entries)]


@pytest.mark.parametrize(("exercise", "misconception", "function"), WRONG, ids=named(WRONG))
def test_a_wrong_answer_is_caught_under_its_own_name(exercise, misconception, function):
    check = checks.find(exercise)

    @few(exercise)
    @on_any_seed
    def caught(seed):
        report = check.run(function, seed)
        assert report.misconception == misconception, report.detail
        assert report.message == checks.CATALOGUE[exercise].misconceptions[misconception]
        assert report.share < 1
        assert not re.search(r"\bis (\S+) and should be \1\.(\s|$)", report.detail)

    # What never ends is not waited for as long as a learner's function is.
    with mock.patch.object(check, "seconds", 0.2 if misconception == "endless-loop" else check.seconds):
        caught()


@pytest.mark.parametrize(("exercise", "function"), RIGHT, ids=named(RIGHT))
def test_a_right_answer_passes(exercise, function):
    @few(exercise)
    @on_any_seed
    def passes(seed):
        report = checks.run(exercise, function, seed)
        assert report.misconception is None, report.detail
        assert report.share == 1

    passes()


class Holder:
    """Right answers in the other forms that a function can take."""

    def __init__(self, function):
        self.function = function

    def method(self, *args, **kwargs):
        return self.function(*args, **kwargs)

    def __call__(self, *args, **kwargs):
        return self.function(*args, **kwargs)


FORMS = {
    "lambda": lambda function: lambda *args, **kwargs: function(*args, **kwargs),
    "method": lambda function: Holder(function).method,
    "callable object": Holder,
    "partial": functools.partial,
    "module": lambda function: type("Answer", (torch.nn.Module,), {"forward": staticmethod(function)})(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("exercise", "function"), RIGHT, ids=named(RIGHT))
def test_a_right_answer_may_have_any_form(exercise, function, form):
    assert misconception_of(exercise, FORMS[form](function), seed=form) is None


@pytest.mark.parametrize("bank", BANKS, ids=FILES)
def test_a_compiled_answer_is_judged_like_any_other(bank):
    for function in bank.rights:
        assert misconception_of(bank.exercise, torch.compile(function), seed=1) is None
    misconception, function = bank.wrongs[0]
    assert misconception_of(bank.exercise, torch.compile(function), seed=1) == misconception


def test_an_answer_compiled_and_used_before_the_check():
    (bank,) = (bank for bank in BANKS if bank.exercise == "attention.scores")
    function, query = bank.rights[0], torch.randn(4, 3)
    compiled = torch.compile(function)
    torch.testing.assert_close(compiled(query, query), function(query, query))  # the compiler itself has run
    assert misconception_of("attention.scores", compiled, seed=1) is None


@pytest.mark.parametrize("bank", BANKS, ids=FILES)
def test_the_bank_covers_every_message(bank):
    caught = {misconception for misconception, _ in bank.wrongs}
    own = set(checks.CATALOGUE[bank.exercise].misconceptions) - set(COMMON)
    assert own <= caught
    assert len(own) >= 5
    assert len(bank.rights) >= 2


def test_there_is_a_bank_for_every_exercise():
    assert {bank.exercise for bank in BANKS} == set(checks.CATALOGUE)


@pytest.mark.parametrize("bank", BANKS, ids=FILES)
def test_a_memorised_answer_fails_on_another_seed(bank):
    right, seen = bank.rights[0], []

    def learn(*args, **kwargs):
        seen.append(right(*args, **kwargs))
        return seen[-1]

    assert misconception_of(bank.exercise, learn, seed=1) is None
    for seed in range(2, 8):
        answers = iter(seen)
        assert misconception_of(bank.exercise, lambda *_, answers=answers, **__: next(answers), seed) is not None


@pytest.mark.parametrize("bank", BANKS, ids=FILES)
def test_the_same_seed_draws_the_same_inputs(bank):
    def inputs_at(seed):
        seen = []
        checks.run(bank.exercise, lambda *args, **kwargs: (seen.append(args), bank.rights[0](*args, **kwargs))[1], seed)
        return seen

    first, again, other = inputs_at("secret"), inputs_at("secret"), inputs_at("another")
    assert len(first) == len(again)
    assert all(guard.same(a, b) for a, b in zip(first, again, strict=True))
    assert not all(guard.same(a, b) for a, b in zip(first, other, strict=False))


@pytest.mark.parametrize("bank", BANKS, ids=FILES)
def test_a_mistake_has_a_message_and_the_same_name_on_all_inputs(bank, monkeypatch):
    """Else inputs on which all mistakes show are never found, and each property looks for them again and again."""
    seen, drawn = collections.defaultdict(list), Solved._drawn

    def noted(self, probe, draw, **how):
        made = drawn(self, probe, draw, **how)
        seen[draw, str(how)].append({*made[0][2]})
        return made

    monkeypatch.setattr(Solved, "_drawn", noted)
    for seed in range(3):
        assert misconception_of(bank.exercise, bank.rights[0], seed) is None
    messages = checks.CATALOGUE[bank.exercise].misconceptions
    for names in seen.values():
        assert all(other == names[0] for other in names)
        assert {name.partition("/")[0] for name in names[0]} <= set(messages), "a mistake without a message"

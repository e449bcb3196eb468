"""The mistakes that every exercise knows, tried on those of lesson 01 with an otherwise right answer."""

import importlib
import math

import pytest
import torch

from vitcourse import checks
from vitcourse.checks.engine import guard

NAMES = ("scores", "softmax", "attention", "project", "causal_mask", "repair", "cost")
BANKS = [importlib.import_module(f"tests.checks.bank.attention_{name}").BANK for name in NAMES]
RIGHT = {bank.exercise: bank.rights[0] for bank in BANKS}
ALL = sorted(RIGHT)
OF_TENSORS = sorted(set(ALL) - {"attention.cost"})
WITH_INPUTS = sorted(set(OF_TENSORS) - {"attention.causal_mask"})
WITH_GRADIENT = sorted(set(WITH_INPUTS) - {"attention.repair"})


def spoilt(exercise, spoil):
    """The right answer with ``spoil`` applied to every tensor of its result."""

    def answer(*args, **kwargs):
        result = RIGHT[exercise](*args, **kwargs)
        return spoil(result) if isinstance(result, torch.Tensor) else tuple(map(spoil, result))

    return answer


def found(exercise, function, seed=5):
    return checks.run(exercise, function, seed).misconception


@pytest.mark.parametrize("exercise", ALL)
def test_the_stub(exercise):
    def stub(*args, **kwargs):
        raise NotImplementedError()

    report = checks.run(exercise, stub)
    assert report.misconception == "not-implemented"
    assert report.share == 0


@pytest.mark.parametrize("exercise", ALL)
def test_an_exception_is_told_with_its_line(exercise):
    def answer(*args, **kwargs):
        return args[0] + [][0]

    report = checks.run(exercise, answer)
    assert report.misconception == "raises"
    assert "IndexError: list index out of range, in line" in report.detail
    assert "return args[0] + [][0]" in report.detail


@pytest.mark.parametrize("exercise", ALL)
def test_an_endless_loop(exercise, monkeypatch):
    monkeypatch.setattr(checks.find(exercise), "seconds", 0.1)

    def answer(*args, **kwargs):
        while True:
            pass

    report = checks.run(exercise, answer)
    assert report.misconception == "endless-loop"
    assert report.detail == "It was stopped after 0.1 seconds of computing."


@pytest.mark.parametrize("exercise", ALL)
def test_a_return_that_was_forgotten(exercise):
    report = checks.run(exercise, lambda *args, **kwargs: None)
    assert report.misconception == "wrong-type"
    assert "None" in report.detail


@pytest.mark.parametrize("exercise", OF_TENSORS)
def test_numpy_in_the_place_of_a_tensor(exercise):
    report = checks.run(exercise, spoilt(exercise, lambda tensor: tensor.numpy(force=True)))
    assert report.misconception == "wrong-type"
    assert "numpy.ndarray" in report.detail


@pytest.mark.parametrize("exercise", WITH_INPUTS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.complex64, torch.int64])
def test_another_number_type(exercise, dtype):
    assert found(exercise, spoilt(exercise, lambda tensor: tensor.to(dtype))) == "wrong-dtype"


@pytest.mark.parametrize("exercise", OF_TENSORS)
def test_an_axis_too_many(exercise):
    assert found(exercise, spoilt(exercise, lambda tensor: tensor[None])) == "wrong-shape"


@pytest.mark.parametrize("exercise", WITH_INPUTS)
def test_inputs_that_are_changed(exercise):
    def answer(*args, **kwargs):
        result = RIGHT[exercise](*args, **kwargs)
        args[0].zero_()
        return result

    report = checks.run(exercise, answer)
    assert report.misconception == "changes-inputs"
    assert report.detail == "Changed: the first input."


@pytest.mark.parametrize("exercise", WITH_GRADIENT)
def test_a_gradient_that_is_cut(exercise):
    assert found(exercise, spoilt(exercise, torch.detach)) == "cuts-gradient"


@pytest.mark.parametrize("exercise", OF_TENSORS)
@pytest.mark.parametrize("spoil", [lambda t: t * math.nan, lambda t: t.float() * 0 + 7, lambda t: t * 0 + math.inf])
def test_nonsense_is_never_right_and_never_breaks_the_check(exercise, spoil):
    assert found(exercise, spoilt(exercise, lambda tensor: spoil(tensor).to(tensor.dtype))) is not None


class Forger:
    """A proxy whose far side is not to be trusted: every call is answered with made-up plain data."""

    def __init__(self, exercise, answer):
        self.exercise, self.answer = exercise, answer

    def guarded_call(self, args, kwargs, rules):
        right = guard.call(RIGHT[self.exercise], args, kwargs, rules)
        return right.to_plain() | self.answer


@pytest.mark.parametrize("exercise", WITH_GRADIENT)
@pytest.mark.parametrize(
    "answer",
    [
        {"gradients": []},
        {"gradients": [1, "x", None, 4, 5, 6]},
        {"gradients": [torch.zeros(1).half(), torch.zeros(1), torch.zeros(2, 2).bool()]},
        {"gradients": None},
        {"value": [torch.zeros(0), torch.zeros(0)]},
        {"value": torch.zeros(0)},
        {"value": {"a": "b"}},
        {"changed": ["<b>mask</b>", 99, -4]},
        {"failure": "<script>"},
    ],
)
def test_a_forged_outcome_is_wrong_and_never_breaks_the_check(exercise, answer):
    assert found(exercise, Forger(exercise, answer)) is not None


@pytest.mark.parametrize("exercise", ALL)
def test_the_session_is_left_as_it_was(exercise):
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    try:
        assert found(exercise, RIGHT[exercise]) is None
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(torch.rand(3), expected)

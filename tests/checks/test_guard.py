"""A learner's function gets copies, a time limit and plain data, and whatever it does ends in an outcome."""

import math

import pytest
import torch

from vitcourse.checks.engine import guard
from vitcourse.checks.engine.guard import Outcome, Rules


def test_a_value_comes_back_as_a_copy():
    buffer = torch.zeros(2)

    def reuses_its_buffer(number):
        return buffer.fill_(number)

    first = guard.call(reuses_its_buffer, (1.0,)).value
    second = guard.call(reuses_its_buffer, (2.0,)).value
    assert first.tolist() == [1, 1]
    assert second.tolist() == [2, 2]


def test_what_is_given_to_the_function_is_a_copy():
    kept, plain, named = torch.ones(2, 3), [torch.ones(2), 1], {"mask": torch.ones(2, dtype=torch.bool)}

    def spoils_everything(first, second, mask):
        first.resize_(1)
        second[0].zero_()
        second.append(2)
        mask.logical_not_()

    outcome = guard.call(spoils_everything, (kept, plain), named)
    assert outcome.changed == (0, 1, "mask")
    assert kept.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert plain[0].tolist() == [1, 1]
    assert len(plain) == 2
    assert named["mask"].all()


def test_nan_that_stays_is_no_change():
    assert guard.call(lambda x: x + 1, (torch.tensor([math.nan, -math.inf, 1.0]),)).changed == ()


def test_a_gradient_is_sent_back_to_every_floating_input():
    left, right = torch.randn(2, 3, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
    outcome = guard.call(lambda a, b, n: (a @ b, n), (left, right, 5), rules=Rules(gradient=True))
    sent = guard.upstream((2, 4), torch.float64)
    torch.testing.assert_close(outcome.gradients[0], sent @ right.T)
    torch.testing.assert_close(outcome.gradients[1], left.T @ sent)
    assert outcome.gradients[2] is None
    assert not outcome.value[0].requires_grad
    assert not left.requires_grad


def test_a_cut_gradient_is_none_even_in_a_session_without_gradients():
    with torch.no_grad():
        whole = guard.call(lambda x: x * 2, (torch.ones(2),), rules=Rules(gradient=True))
        cut = guard.call(lambda x: x.detach() * 2, (torch.ones(2),), rules=Rules(gradient=True))
    assert whole.gradients[0] is not None
    assert cut.gradients == (None,)


def broken_backward(x):
    doubled = x.exp()
    doubled.add_(1)  # the way back needs what stood here before
    return doubled


def stub(*_):
    raise NotImplementedError


def minus_truth(x):
    return 1 - (x > 0)  # torch's error for this is a NotImplementedError


def unprintable(*_):
    raise type("Odd", (Exception,), {"__str__": lambda self: 1 / 0})


@pytest.mark.parametrize(
    ("function", "failure", "detail"),
    [
        (stub, "not-implemented", ""),
        (minus_truth, "raises", "NotImplementedError: Subtraction"),
        (lambda x: x + undefined, "raises", "NameError"),  # noqa: F821
        (lambda x: x @ torch.ones(7, 7), "raises", "in line"),
        (lambda x: exit(), "raises", "SystemExit"),
        (unprintable, "raises", "Odd"),
        (broken_backward, "raises", "modified by an inplace operation"),
        (lambda: 1, "raises", "TypeError"),
        (lambda x: x.numpy(force=True), "wrong-type", "numpy.ndarray"),
        (lambda x: {1: x}, "wrong-type", "dict"),
        (lambda x: {x}, "wrong-type", "set"),
        (lambda x: x.to_sparse(), "wrong-type", "sparse"),
        (lambda x: (x, [torch.float32]), "wrong-type", "torch.dtype"),
    ],
)
def test_a_failure_is_named(function, failure, detail):
    outcome = guard.call(function, (torch.ones(2, 2),), rules=Rules(gradient=True))
    assert outcome.failure == failure
    assert detail in outcome.detail
    assert outcome.value is None


def test_the_line_named_is_the_learners():
    def learner(x):
        return torch.einsum("ij,jk->ik", x, x)

    detail = guard.call(learner, (torch.ones(2, 3),)).detail
    assert 'return torch.einsum("ij,jk->ik", x, x)' in detail


def test_an_interrupt_by_the_learner_stops_the_check():
    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guard.call(interrupted, (1,))


def test_a_parameter_comes_back_as_a_plain_tensor():
    assert type(guard.call(lambda: torch.nn.Parameter(torch.ones(2))).value) is torch.Tensor


def test_the_sessions_default_device_does_not_matter():
    torch.set_default_device("meta")
    try:
        outcome = guard.call(lambda x: x + torch.ones(2), (torch.ones(2, device="cpu"),))
    finally:
        torch.set_default_device(None)
    assert outcome.value.tolist() == [2, 2]


def test_rules_and_outcomes_survive_as_plain_data():
    rules = Rules(1.5, ("vitcourse",), gradient=True)
    assert Rules.from_plain(rules.to_plain()) == rules
    outcome = Outcome([torch.ones(2), "a"], None, "", (0, "mask"), (torch.ones(2), None))
    plain = outcome.to_plain()
    assert set(plain) == {"value", "failure", "detail", "changed", "gradients", "errors"}
    again = Outcome.from_plain(plain)
    assert guard.same(again.value, outcome.value)
    assert again.changed == outcome.changed
    assert again.gradients[1] is None


@pytest.mark.parametrize(
    ("plain", "expected"),
    [
        ({"failure": "made up", "value": 1}, Outcome(failure="raises")),
        ({"changed": 7, "gradients": "x", "value": 1}, Outcome(1)),
        ({"changed": [None, 3], "gradients": ["x"]}, Outcome(changed=(3,), gradients=(None,))),
        ({"failure": "raises", "detail": "a\n" * 1000}, Outcome(failure="raises", detail=("a " * 1000)[:300] + " …")),
        ({}, Outcome()),
    ],
)
def test_an_outcome_from_outside_is_not_trusted(plain, expected):
    assert Outcome.from_plain(plain) == expected


class Proxy:
    """As a grader's: the function lives elsewhere, and only plain data goes there and back."""

    def __init__(self, function, plain):
        self.function, self.plain = function, plain

    def guarded_call(self, args, kwargs, rules):
        outcome = guard.call(self.function, args, kwargs, Rules.from_plain(rules.to_plain()))
        return outcome.to_plain() if self.plain else outcome


@pytest.mark.parametrize("plain", [True, False])
def test_a_proxy_is_asked_in_the_functions_place(plain):
    proxy = Proxy(lambda x, y: x.add_(y), plain)
    kept = torch.ones(2)
    outcome = guard.call(proxy, (kept,), {"y": 2})
    assert outcome.value.tolist() == [3, 3]
    assert outcome.changed == (0,)
    assert kept.tolist() == [1, 1]

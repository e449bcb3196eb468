"""The forms of a check, tried on exercises made here: `Solved` by what a right answer gives, `Counted` by formulas."""

import pytest
import torch

from vitcourse.checks.engine.counted import Counted
from vitcourse.checks.engine.solved import Solved
from vitcourse.exercises import COMMON, Exercise

MISTAKES = ("first", "second", "pair", "alone")


def exercise(name):
    words = COMMON | {mistake: f"It is the {mistake}. Look again." for mistake in MISTAKES}
    return Exercise(f"test.{name}", "99_test", name, "99.1", 1, 1, 1, misconceptions=words)


@pytest.fixture
def doubled():
    """(N,) to (N,), all numbers doubled; on the inputs of two draws."""

    def wrong(x):
        return {"first": x[:-1], "second": x[1:], "pair": (x, x)}

    check = Solved(exercise("doubled"), right=lambda x: 2 * x, wrong=wrong)
    check.on("twice of all")(lambda probe: (probe.normal(4),), lambda probe: (probe.normal(7),))
    return check


@pytest.mark.parametrize(
    ("answer", "misconception"),
    [
        (lambda x: x + x, None),
        (lambda x: x[:-1], "first"),
        (lambda x: x[1:], "second"),  # the shape of both, the numbers of the second
        (lambda x: (x, 3 * x), "pair"),
        (lambda x: [2 * x], "wrong-type"),
        (lambda x: 2 * x if len(x) == 4 else x, "wrong-values"),  # right on the first draw alone
    ],
)
def test_a_result_of_another_shape_or_number_of_parts_is_named(doubled, answer, misconception):
    assert doubled.run(answer).misconception == misconception


def test_a_part_that_is_missing_is_named():
    check = Solved(
        exercise("both"), right=lambda x: (x, 2 * x), wrong=lambda x: {"alone": x}, parts=("the one", "the other")
    )
    check.on("both")(lambda probe: (probe.normal(4),))
    assert check.run(lambda x: x).misconception == "alone"
    assert check.run(lambda x: (2 * x, x)).misconception == "swapped"
    assert check.run(lambda x: (x, 2 * x)).misconception is None


def test_a_gradient_comes_back_beside_a_state_dict():
    check = Solved(exercise("linear"), right=lambda x, state: x @ state["weight"])
    check.differentiable(lambda probe: (probe.normal(2, 3), {"weight": probe.normal(3, 4)}), to="x")
    assert check.run(lambda x, state: x @ state["weight"]).misconception is None
    assert check.run(lambda x, state: x.detach() @ state["weight"]).misconception == "cuts-gradient"


@pytest.fixture
def counted():
    check = Counted(exercise("area"), lambda _: [(3, 5), (4, 7)], results=("cells", "corners"), text="two numbers")
    check.counts("cells")(lambda a, b: {"right": [a * b], "first": [a, a * a], "second": [b]})
    check.counts("corners")(lambda a, b: {"right": [(a + 1) * (b + 1)], "first": [a + 1]})
    return check


@pytest.mark.parametrize(
    ("answer", "misconception", "passed"),
    [
        (lambda a, b: (a * b, (a + 1) * (b + 1)), None, 3),
        (lambda a, b: [a * b, a * b + a + b + 1], None, 3),
        (lambda a, b: ((a + 1) * (b + 1), a * b), "swapped", 1),
        (lambda a, b: (a * a, 0), "first", 1),
        (lambda a, b: (b, 0), "second", 1),
        (lambda a, b: (a * b, a + 1), "first", 2),
        (lambda a, b: (a * b, a + 1 if a == 3 else b), "wrong-values", 2),  # no formula fits both cases
        (lambda a, b: (float(a * b), 1), "wrong-type", 0),
        (lambda a, b: a * b, "wrong-type", 0),
        (lambda a, b: (torch.tensor(a * b), 1), "wrong-type", 0),
    ],
)
def test_a_count_is_named_by_the_formula_that_fits(counted, answer, misconception, passed):
    report = counted.run(answer)
    assert (report.misconception, report.passed) == (misconception, passed)


def test_a_wrong_count_is_told_with_its_case(counted):
    assert counted.run(lambda a, b: (a * b, 0 if a == 4 else 24)).detail == "For `area(4, 7)` it is 0 and should be 40."


def test_inputs_are_drawn_again_until_every_mistake_shows():
    """One number in two is too small for the mistake to show; a check of it would let through every second seed."""
    check = Solved(exercise("clipped"), right=lambda x: 2 * x, wrong=lambda x: {"first": (2 * x).clamp(max=2)})
    check.on("twice")(lambda probe: (2 * probe.uniform(1),))
    found = [check.run(lambda x: (2 * x).clamp(max=2), seed).misconception for seed in range(20)]
    assert found == ["first"] * 20
    assert check.run(lambda x: 2 * x).misconception is None


@pytest.mark.parametrize("places", [(0, 1), (1, 2), (1, 3)], ids=["shape", "kind", "numbers"])
def test_results_in_another_order_are_told_by_shape_by_kind_and_by_numbers(places):
    def pick(x):
        parts = (x.sum(), x, x > 0, 2 * x)
        return tuple(parts[place] for place in places)

    check = Solved(exercise("pair"), right=pick, parts=("one", "two"))
    check.on("both")(lambda probe: (probe.normal(5),))
    assert check.run(pick).misconception is None
    assert check.run(lambda x: pick(x)[::-1]).misconception == "swapped"

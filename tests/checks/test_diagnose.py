"""What is said of a wrong answer that is no known mistake: true, and where to look."""

import pytest
import torch

from vitcourse.checks.engine.solved import Solved
from vitcourse.exercises import COMMON, Exercise


def weighted(x, mask, scale):
    """x (B, N, D) times a factor, hidden tokens left out, summed up along the tokens: (B, N, D)."""
    return (x * mask[..., None] * scale).cumsum(dim=1) + x.mean()


def draw(probe):
    batch, tokens, width = probe.sizes(3, 4, 8)
    mask = probe.uniform(batch, tokens) < 0.5
    mask[:, :2] = torch.tensor([True, False])
    return probe.normal(batch, tokens, width), mask, 1.0 + probe.integer(1, 5)


@pytest.fixture(scope="module")
def check():
    exercise = Exercise("test.weighted", "99_test", "A sum", "99.1", 1, 1, 1, misconceptions=COMMON)
    check = Solved(exercise, right=weighted, parts=("the sum",))
    check.on("it is the sum")(draw)
    return check


def one_wrong(x, mask, scale):
    right = weighted(x, mask, scale)
    right[:, 2] += 1
    return right


def only_first_example(x, mask, scale):
    return torch.cat([weighted(x[:1], mask[:1], scale)] * len(x)) + 0 * x + (x - x[:1]).square()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda *given: 3 * weighted(*given), "The sum is 3 times the right one, everywhere."),
        (lambda *given: -weighted(*given), "The sum has the wrong sign everywhere."),
        (lambda *given: weighted(*given) - 0.5, "The sum is 0.5 too small, everywhere."),
        (lambda *given: 2 * weighted(*given) + 1, "The sum is 2 times the right one, plus 1, everywhere."),
        (lambda x, *_: torch.full_like(x, 7), "The sum is 7 everywhere, whatever stands in the inputs."),
        (lambda *given: weighted(*given).flip(2), "The sum is right, but turned round along axis 2."),
        (lambda *given: weighted(*given).roll(1, 1), "The sum is right, but moved by one place along axis 1."),
        (
            lambda *given: weighted(*given)[:, :, [1, 0, *range(2, given[0].shape[2])]],
            "right numbers, in the wrong places",
        ),
        (one_wrong, "The sum is wrong at index 2 of axis 1 alone; the rest is right."),
        (
            lambda *given: weighted(*given) * torch.tensor([torch.nan] + [1.0] * (given[0].shape[2] - 1)),
            "holds `nan` in",
        ),
        (lambda x, mask, scale: weighted(x, mask, 2.5) ** 3, "It does not depend on `scale`"),
        (lambda x, mask, scale: weighted(x, ~mask | mask, scale).abs().sqrt(), "It does not depend on `mask`"),
        (lambda x, mask, s: weighted(x, mask, s) + (~mask)[..., None] * x**2, "right where `mask` is True everywhere"),
        (lambda x, mask, s: weighted(x, mask, s) + (x[:1] - x) ** 2 + len(x) - 1, "One example alone comes out right"),
        (
            lambda x, mask, s: weighted(x, mask, s) * (1 + (x.dtype == torch.float32) * x**2),
            "In float64 the same function",
        ),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_said_of_an_unknown_mistake(check, answer, words, seed):
    report = check.run(answer, seed)
    assert report.misconception == "wrong-values"
    assert words in report.detail


def test_nothing_is_said_where_nothing_is_known(check):
    report = check.run(lambda x, mask, scale: (weighted(x, mask, scale) * x).sin())
    assert report.misconception == "wrong-values"
    assert report.detail.endswith(".")
    assert report.detail.count(".") - report.detail.count(" is ") <= 3


def test_to_be_tried_changes_neither_the_inputs_nor_the_verdict(check):
    def answer(x, mask, scale):
        return weighted(x, mask, scale) + (~mask)[..., None] * x**2

    given = check.inputs(answer, seed=4)
    assert check.run(answer, 4) == check.run(answer, 4)
    assert not bool(given[1].all())  # the inputs of the failure, not those that it was tried with afterwards
    assert given[1].shape == given[0].shape[:2]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda right: right.transpose(0, 1), "The sizes are right, in another order."),
        (lambda right: right[None], "An axis of size 1 is too much."),
        (lambda right: right.sum(1), "Axis 1 is gone."),
        (lambda right: right[:, 1:], "Only axis 1 differs."),
    ],
)
def test_what_is_said_of_a_wrong_shape(check, spoil, words):
    report = check.run(lambda *given: spoil(weighted(*given)))
    assert report.misconception == "wrong-shape"
    assert report.detail.endswith(words)


@pytest.mark.parametrize("answer", [lambda x: x, lambda a, b, c, d: a, lambda *, x, mask, scale: x])
def test_a_function_of_other_arguments_is_told_so(check, answer):
    report = check.run(answer)
    assert report.misconception == "wrong-arguments"
    assert "argument" in report.detail


def test_a_call_inside_of_an_answer_is_the_answers_own_matter(check):
    report = check.run(lambda x, mask, scale: weighted(x))
    assert report.misconception == "raises"

"""Answers to ``training.stuck``."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("training.stuck")


@BANK.right
def one_by_one(before, gradients, after):
    found = {}
    for name, gradient in gradients.items():
        if gradient is None:
            found[name] = "no gradient"
        elif not gradient.isfinite().all():
            found[name] = "not finite"
        elif not gradient.any():
            found[name] = "zero gradient"
        elif torch.equal(before[name], after[name]):
            found[name] = "not moved"
    return found


@BANK.right
def by_lengths(before, gradients, after):
    def why(name):
        if (gradient := gradients[name]) is None:
            return "no gradient"
        length = gradient.abs().max().item()
        if length != length or length == float("inf"):
            return "not finite"
        if length == 0:
            return "zero gradient"
        return "" if (after[name] - before[name]).abs().max() > 0 else "not moved"

    return {name: why(name) for name in sorted(before) if why(name)}


def answer(
    none="no gradient",
    zero=lambda gradient: not gradient.any(),
    finite=lambda gradient: gradient.isfinite().all(),
    moved=lambda old, new: (old != new).any(),
    words=lambda found: found,
):
    """The right answer, or one with a part replaced."""

    def stuck(before, gradients, after):
        found = {}
        for name, gradient in gradients.items():
            if gradient is None:
                found[name] = none
            elif not finite(gradient):
                found[name] = "not finite"
            elif zero(gradient):
                found[name] = "zero gradient"
            elif not moved(before[name], after[name]):
                found[name] = "not moved"
        return words(found)

    return stuck


BANK.wrong("none-is-zero")(answer(none="zero gradient"))
BANK.wrong("one-zero-is-enough")(answer(zero=lambda gradient: not gradient.all()))
BANK.wrong("sum-is-zero")(answer(zero=lambda gradient: gradient.mean() == 0))
BANK.wrong("small-is-zero")(answer(zero=lambda gradient: gradient.norm() < 1e-6))
BANK.wrong("small-is-zero")(answer(moved=lambda old, new: not torch.allclose(old, new)))
BANK.wrong("small-is-zero")(
    answer(
        zero=lambda gradient: torch.allclose(gradient, torch.zeros(())),
        moved=lambda old, new: not torch.allclose(old, new),
    )
)
BANK.wrong("all-must-move")(answer(moved=lambda old, new: (old != new).all()))
BANK.wrong("finite-not-checked")(answer(finite=lambda gradient: True))
BANK.wrong("nan-only")(answer(finite=lambda gradient: not gradient.isnan().any()))
BANK.wrong("all-not-finite")(answer(finite=lambda gradient: gradient.isfinite().any()))
BANK.wrong("infinite-only")(answer(finite=lambda gradient: not gradient.isinf().any()))
BANK.wrong("steps-not-compared")(answer(moved=lambda old, new: old is not new))
BANK.wrong("step-by-length")(answer(moved=lambda old, new: new.norm() - old.norm() != 0))
BANK.wrong("step-by-length")(answer(moved=lambda old, new: old.mean() != new.mean()))
BANK.wrong("another-word")(answer(none="none"))
BANK.wrong("wrong-type")(answer(words=list))
BANK.wrong("wrong-values")(answer(words=lambda found: {}))
BANK.wrong("raises")(lambda before, gradients, after: {name: one.norm() for name, one in gradients.items()})


@BANK.wrong("rest-asked-first")
def the_last_question_wins(before, gradients, after):
    found = one_by_one(before, gradients, after)
    return found | {name: "not moved" for name in before if torch.equal(before[name], after[name])}


@BANK.wrong("moved-is-learning")
def first_asks_whether_it_moved(before, gradients, after):
    found = one_by_one(before, gradients, after)
    return {name: why for name, why in found.items() if torch.equal(before[name], after[name])}


@BANK.wrong("moved-is-learning")
def a_zero_that_moves_is_none(before, gradients, after):
    found = one_by_one(before, gradients, after)
    return {
        name: why for name, why in found.items() if why != "zero gradient" or torch.equal(before[name], after[name])
    }


@BANK.wrong("lists-all")
def says_of_each(before, gradients, after):
    return dict.fromkeys(before, "learns") | one_by_one(before, gradients, after)

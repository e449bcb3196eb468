"""Answers to ``training.diagnose``."""

import math

from tests.checks.bank.entries import Bank

BANK = Bank("training.diagnose", seeds=2)


@BANK.right
def in_order(log):
    for name in log["gradients"]:
        if max(log["gradients"][name]) == 0:
            return "detached"
    for name in log["steps"]:
        if max(log["steps"][name]) == 0:
            return "not in the optimizer"
    if all(sizes[-1] == 0 for sizes in log["steps"].values()):
        return "schedule"
    (mean, deviation), (held_mean, held_deviation) = log["train_level"], log["held_level"]
    if abs(mean - held_mean) > 0.2 or abs(deviation - held_deviation) > 0.2:
        return "other inputs"
    if log["held_right"] < 1.5 / log["classes"]:
        return "wrong labels"
    floor = math.log(math.e + log["classes"] - 1) - 1
    return "softmax twice" if min(log["loss"]) > 0.99 * floor else "healthy"


@BANK.right
def as_a_table(log):
    k = log["classes"]
    dead = [sum(norms) == 0 for norms in log["gradients"].values()]
    still = [sum(sizes) == 0 for sizes in log["steps"].values()]
    late = sum(sum(sizes[30:]) for sizes in log["steps"].values())
    apart = max(abs(a - b) for a, b in zip(log["train_level"], log["held_level"], strict=True))
    knows = log["held_right"] > 2 / k
    table = {
        "detached": any(dead),
        "not in the optimizer": any(still),
        "schedule": late == 0,
        "other inputs": apart > 0.25,
        "softmax twice": knows and log["loss"][-1] > 0.95 * -math.log(math.e / (math.e + k - 1)),
        "wrong labels": not knows,
    }
    return next((name for name, holds in table.items() if holds), "healthy")


def answer(
    cut=lambda log: any(not any(norms) for norms in log["gradients"].values()),
    lacks=lambda log: any(not any(sizes) for sizes in log["steps"].values()),
    ended=lambda log: all(0 in sizes[1:] for sizes in log["steps"].values()),
    levels=slice(None),
    classes=None,
    guess=None,
    asked=True,
    first=False,
    apart=abs,
    before_inputs=False,
):
    """The right answer, or one with a part replaced."""

    def diagnose(log):
        k = log["classes"]
        guesses = log["held_right"] < 1.4 / (guess or k)
        if first and guesses:
            return "wrong labels"
        if cut(log):
            return "detached"
        if lacks(log):
            return "not in the optimizer"
        if ended(log):
            return "schedule"
        if before_inputs and guesses:
            return "wrong labels"
        levels_of = zip(log["train_level"][levels], log["held_level"][levels], strict=True)
        if any(apart(a - b) > 0.3 for a, b in levels_of):
            return "other inputs"
        floor = math.log(math.e + (classes or k) - 1) - 1
        if min(log["loss"]) > 0.98 * floor and not (asked and guesses):
            return "softmax twice"
        return "wrong labels" if guesses else "healthy"

    return diagnose


BANK.wrong("detached-by-steps")(answer(cut=lambda log: any(not any(sizes) for sizes in log["steps"].values())))
BANK.wrong("all-layers-asked")(
    answer(
        cut=lambda log: not any(map(any, log["gradients"].values())),
        lacks=lambda log: not any(map(any, log["steps"].values())),
    )
)
BANK.wrong("warm-up-is-an-end")(answer(ended=lambda log: all(0 in sizes for sizes in log["steps"].values())))
BANK.wrong("ten-classes")(answer(classes=10, guess=10))
BANK.wrong("ten-classes")(answer(classes=10))
BANK.wrong("ten-classes")(answer(guess=10))
BANK.wrong("chance-first")(answer(first=True))
BANK.wrong("chance-first")(answer(before_inputs=True))
BANK.wrong("sign-forgotten")(answer(apart=lambda difference: difference))
BANK.wrong("sign-forgotten")(answer(apart=lambda difference: -difference))
BANK.wrong("one-layer-asked")(answer(lacks=lambda log: not any(log["steps"]["head"])))
BANK.wrong("one-layer-asked")(
    answer(lacks=lambda log: any(log["gradients"]["hidden"]) and not any(log["steps"]["hidden"]))
)
BANK.wrong("accuracy-not-asked")(answer(asked=False))
BANK.wrong("mean-only")(answer(levels=slice(1)))
BANK.wrong("deviation-only")(answer(levels=slice(1, 2)))
BANK.wrong("another-word")(lambda log: "fine" if in_order(log) == "healthy" else in_order(log))
BANK.wrong("wrong-values")(lambda log: "healthy")
BANK.wrong("wrong-type")(lambda log: [in_order(log)])
BANK.wrong("optimizer-first")(
    lambda log: in_order(log) if all(map(any, log["steps"].values())) else "not in the optimizer"
)
BANK.wrong("raises")(lambda log: log["accuracy"])

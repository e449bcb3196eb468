"""Answers to ``vit.compare``: (the better model or "neither", the reason)."""

import math

from tests.checks.bank.entries import Bank

BANK = Bank("vit.compare")


@BANK.right
def case_by_case(first, second):
    if first["data"] != second["data"]:
        return "neither", "data"
    better, worse = sorted([first, second], key=lambda column: -column["accuracy"])
    gap = round(better["accuracy"] - worse["accuracy"], 6)
    if gap > round(first["spread"] + second["spread"], 6):
        if better["core_days"] <= worse["core_days"]:
            return better["model"], "both"
        return "neither", "trade-off"
    if first["core_days"] == second["core_days"]:
        return "neither", "tie"
    return min(first, second, key=lambda column: column["core_days"])["model"], "cost"


@BANK.right
def by_signs(first, second):
    """The signs of what the first has more of."""
    if first["data"] != second["data"]:
        return ["neither", "data"]
    gap = first["accuracy"] - second["accuracy"]
    apart = abs(gap) > first["spread"] + second["spread"] + 1e-9
    better = (gap > 0) - (gap < 0) if apart else 0
    cheaper = (first["core_days"] < second["core_days"]) - (first["core_days"] > second["core_days"])
    if better * cheaper < 0:
        return ["neither", "trade-off"]
    if better == cheaper == 0:
        return ["neither", "tie"]
    winner = first if better + cheaper > 0 else second
    return [winner["model"], "both" if better else "cost"]


def answer(
    data=True,
    bound=lambda a, b: a + b,
    apart=lambda gap, bound: gap > bound + 1e-9,
    price=lambda better, cheaper: ("neither", "trade-off"),
    equal=True,
    tie=("neither", "tie"),
    best=max,
):
    """The right answer, or one with a part replaced."""

    def compare(first, second):
        if data and first["data"] != second["data"]:
            return "neither", "data"
        better = best(first, second, key=lambda column: column["accuracy"])
        worse = second if better is first else first
        cheaper = min(first, second, key=lambda column: column["core_days"])
        gap, same = abs(better["accuracy"] - worse["accuracy"]), first["core_days"] == second["core_days"]
        if apart(gap, bound(first["spread"], second["spread"])):
            if (better is cheaper and not same) or (same and equal):
                return better["model"], "both"
            return price(better, cheaper)
        return (first["model"] if tie == "first" else tie[0], "tie") if same else (cheaper["model"], "cost")

    return compare


BANK.wrong("ignores-data")(answer(data=False))
BANK.wrong("ignores-spread")(answer(bound=lambda a, b: 0.0))
BANK.wrong("one-spread")(answer(bound=max))
BANK.wrong("one-spread")(answer(bound=lambda a, b: b))
BANK.wrong("one-spread")(answer(bound=lambda a, b: (a + b) / 2))
BANK.wrong("spreads-squared")(answer(bound=math.hypot))
BANK.wrong("touching-is-apart")(answer(apart=lambda gap, bound: gap >= bound - 1e-9))
BANK.wrong("pays-any-price")(answer(price=lambda better, cheaper: (better["model"], "trade-off")))
BANK.wrong("cheaper-wins")(answer(price=lambda better, cheaper: (cheaper["model"], "trade-off")))
BANK.wrong("equal-cost-is-dearer")(answer(equal=False))
BANK.wrong("names-one-of-equals")(answer(tie="first"))
BANK.wrong("less-is-better")(answer(best=min))
BANK.wrong("wrong-values")(lambda first, second: (first["model"], "data"))
BANK.wrong("wrong-type")(lambda first, second: case_by_case(first, second)[0])
BANK.wrong("wrong-type")(lambda first, second: (first["accuracy"] > second["accuracy"], "both"))
BANK.wrong("swapped")(lambda first, second: case_by_case(first, second)[::-1])


@BANK.wrong("tie-ignores-cost")
def equal_is_equal(first, second):
    name, reason = case_by_case(first, second)
    return ("neither", "tie") if reason == "cost" else (name, reason)


@BANK.wrong("first-must-be-better")
def asks_about_the_first(first, second):
    name, reason = case_by_case(first, second)
    return ("neither", "trade-off") if reason == "both" and name == second["model"] else (name, reason)


@BANK.wrong("another-reason")
def accuracy_is_the_reason(first, second):
    name, reason = case_by_case(first, second)
    return name, "accuracy" if reason == "both" else reason


BANK.wrong("not-rounded")(answer(apart=lambda gap, bound: gap > bound))
BANK.wrong("not-rounded")(answer(apart=lambda gap, bound: round(gap, 6) > bound))


@BANK.wrong("first-must-be-better")
def forgets_the_absolute_value(first, second):
    if first["data"] == second["data"] and first["accuracy"] < second["accuracy"]:
        first, second = first | {"accuracy": 80.0}, second | {"accuracy": 80.0}  # no gap
    return case_by_case(first, second)

"""Answers to ``asl_experiments.unfair``."""

from tests.checks.bank.entries import Bank

BANK = Bank("asl_experiments.unfair")


@BANK.right
def by_names(one, other, compared):
    found = []
    for name in sorted(set(one) | set(other)):
        if name == compared:
            continue
        if name not in one or name not in other or one[name] != other[name]:
            found.append(name)
    return found


@BANK.right
def by_items(one, other, compared):
    return list(dict(set(one.items()) ^ set(other.items())).keys() - {compared})


BANK.wrong("counts-the-compared")(lambda one, other, compared: by_names(one, other, "nothing"))
BANK.wrong("what-is-equal")(lambda one, other, compared: [n for n in one if n in other and one[n] == other[n]])
BANK.wrong("only-common")(
    lambda one, other, compared: [n for n in one if n in other and one[n] != other[n] and n != compared]
)
BANK.wrong("one-way")(lambda one, other, compared: [n for n in by_names(one, other, compared) if n in one])
BANK.wrong("one-way")(lambda one, other, compared: [n for n in by_names(one, other, compared) if n in other])
BANK.wrong("missing-is-none")(
    lambda one, other, compared: [n for n in one.keys() | other.keys() if one.get(n) != other.get(n) and n != compared]
)
BANK.wrong("nothing-is-missing")(
    lambda one, other, compared: [n for n in by_names(one, other, compared) if one.get(n) and other.get(n)]
)
BANK.wrong("named-twice")(
    lambda one, other, compared: [n for n in [*one, *other] if n in by_names(one, other, compared)]
)
BANK.wrong("wrong-type")(lambda one, other, compared: len(by_names(one, other, compared)))
BANK.wrong("wrong-values")(lambda one, other, compared: [])

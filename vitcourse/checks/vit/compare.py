"""``vit.compare(first, second)``: what a table of pretrained models allows to say of two of its columns, and why.

The table is table 2 of Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020); the check draws others.
"""

from collections.abc import Callable

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, several
from vitcourse.checks.engine.words import describe

Column = dict[str, object]
Verdict = tuple[str, str]
Rule = Callable[[Column, Column], Verdict]
DATA = ("ImageNet", "ImageNet-21k", "JFT-300M")
compare = Check("vit.compare")


def _rule(
    *,
    data: bool = True,
    least: Callable[[float, float], float] = lambda a, b: a + b,
    touching: bool = False,
    dearer: str = "neither",
    free: bool = True,
    tied: bool = True,
    tie: str = "neither",
    cheap_first: bool = False,
    turned: bool = False,
    signed: bool = False,
    digits: tuple[int, int] = (6, 6),
) -> Rule:
    """The right rule, or one with a part replaced.

    Args:
        least: the gap that counts, from the two spreads; ``touching`` counts a gap of just that too.
        dearer: who wins where the better one costs more: "neither", "better" or "cheaper".
        free: the better one at equal cost wins; ``tied``: where accuracies are not apart the cheaper one wins.
        tie: who is named where neither is better or cheaper: "neither" or "first".
        cheap_first: cost alone decides; ``turned``: the worse wins; ``signed``: only the first can be better.
        digits: to which the gap and the spreads are rounded.
    """

    def rule(first: Column, second: Column) -> Verdict:
        if data and first["data"] != second["data"]:
            return "neither", "data"
        gap = round(first["accuracy"] - second["accuracy"], digits[0])
        bound = round(least(first["spread"], second["spread"]), digits[1])
        better, worse = (first, second) if (gap > 0) != turned else (second, first)
        size = gap if signed else abs(gap)
        apart = size >= bound if touching else size > bound
        cheaper = min(first, second, key=lambda column: column["core_days"])
        equal = first["core_days"] == second["core_days"]
        if cheap_first and not equal:
            return cheaper["model"], "cost"
        if apart:
            if better["core_days"] < worse["core_days"] or (free and equal):
                return better["model"], "both"
            named = {"neither": "neither", "better": better["model"], "cheaper": cheaper["model"]}[dearer]
            return named, "trade-off"
        if equal or not tied:
            return ("neither" if tie == "neither" else first["model"]), "tie"
        return cheaper["model"], "cost"

    return rule


def _dropped(first: Column, second: Column) -> Verdict:
    """Only asks whether the first is better."""
    turned = first["accuracy"] < second["accuracy"] and first["data"] == second["data"]
    return ("neither", "trade-off") if turned and right(first, second)[1] == "both" else right(first, second)


right = _rule()
SUSPECTS: dict[str, Rule] = {
    "ignores-data": _rule(data=False),
    "ignores-spread": _rule(least=lambda *_: 0),
    "one-spread/larger": _rule(least=max),
    "one-spread/smaller": _rule(least=min),
    "one-spread/first": _rule(least=lambda a, _: a),
    "one-spread/second": _rule(least=lambda _, b: b),
    "one-spread/mean": _rule(least=lambda a, b: (a + b) / 2),
    "spreads-squared": _rule(least=lambda a, b: (a * a + b * b) ** 0.5),
    "touching-is-apart": _rule(touching=True),
    "pays-any-price": _rule(dearer="better"),
    "cheaper-wins": _rule(dearer="cheaper"),
    "cheaper-wins/always": _rule(cheap_first=True),
    "equal-cost-is-dearer": _rule(free=False),
    "tie-ignores-cost": _rule(tied=False),
    "names-one-of-equals": _rule(tie="first"),
    "less-is-better": _rule(turned=True),
    "first-must-be-better": _dropped,
    "first-must-be-better/not apart": _rule(signed=True),
    "not-rounded": _rule(digits=(20, 20)),
    "not-rounded/spreads": _rule(digits=(6, 20)),
}


def _column(probe: Probe, name: str, data: str) -> Column:
    accuracy, spread = 80 + probe.integer(0, 800) / 100, probe.integer(2, 9) / 100
    return {
        "model": name,
        "data": data,
        "accuracy": accuracy,
        "spread": spread,
        "core_days": 10 * probe.integer(2, 900),
    }


def _pair(probe: Probe, kind: str) -> tuple[Column, Column]:
    """Two columns on which the answer has this reason; in either order."""
    data = DATA[probe.integer(0, 2)]
    good, other = (_column(probe, f"model {'ABCDEFGH'[place]}", data) for place in probe.sizes(2, 0, 7))
    spreads = round(100 * (good["spread"] + other["spread"]))
    apart = kind in ("data", "both", "trade-off")
    gap = spreads + probe.integer(1, 300) if apart else probe.integer(1, spreads)
    good["accuracy"] = round(other["accuracy"] + gap / 100, 2)
    cheap, dear = sorted(10 * days for days in probe.sizes(2, 2, 900))
    good["core_days"], other["core_days"] = (dear, cheap) if probe.integer(0, 1) else (cheap, dear)
    if kind == "both":
        good["core_days"], other["core_days"] = cheap, (cheap, dear)[probe.integer(0, 1)]
    elif kind == "trade-off":
        good["core_days"], other["core_days"] = dear, cheap
    elif kind == "tie":
        other["core_days"] = good["core_days"]
    elif kind == "data":
        other["data"] = DATA[(DATA.index(data) + probe.integer(1, 2)) % 3]
    return (good, other) if probe.integer(0, 1) else (other, good)


def _call(probe: Probe, first: Column, second: Column) -> Verdict:
    name, reason = several(probe.call(first, second), 2, "two texts (a name or 'neither', the reason)")
    for part in (name, reason):
        if not isinstance(part, str):
            raise Wrong("wrong-type", f"Both should be texts, got {describe(part)}.")
    return name, reason


def _pairs(probe: Probe, kinds: tuple[str, ...]) -> list[tuple[Column, Column]]:
    """Pairs of these kinds, drawn anew until no two mistakes that show on them give the same answers."""
    while True:
        pairs = [_pair(probe, kind) for kind in kinds]
        answers: dict[tuple[Verdict, ...], set[str]] = {tuple(right(*pair) for pair in pairs): {"right"}}
        for name, rule in SUSPECTS.items():
            answers.setdefault(tuple(rule(*pair) for pair in pairs), set()).add(name.partition("/")[0])
        if "data" in kinds or all(len(names) == 1 or names == {"right", "ignores-data"} for names in answers.values()):
            return pairs


def _judge(probe: Probe, kinds: tuple[str, ...]) -> None:
    """Pairs of these kinds: the mistake is named that leads to all that was answered."""
    pairs = _pairs(probe, kinds)
    found = [_call(probe, *pair) for pair in pairs]
    differ = [place for place, pair in enumerate(pairs) if found[place] != right(*pair)]
    if not differ:
        return
    pair, answer = pairs[differ[0]], found[differ[0]]
    probe.given = pair, {}
    detail = f"You return {answer[0]!r}, {answer[1]!r}; it should be {', '.join(map(repr, right(*pair)))}."
    for name, rule in SUSPECTS.items():
        probe.require([rule(*pair) for pair in pairs] != found, name.partition("/")[0], detail)
    turned = all(found[place][::-1] == right(*pairs[place]) for place in differ)
    probe.require(not turned, "swapped", detail)
    named = all(found[place][0] == right(*pairs[place])[0] for place in differ)
    raise Wrong("another-reason" if named else "wrong-values", detail)


@compare.property("models that were pretrained on other data are not compared")
def _data(probe: Probe) -> None:
    _judge(probe, ("data",) * 6)


@compare.property("on the same data: apart or not, cheaper or dearer, and the reason for each")
def _same_data(probe: Probe) -> None:
    _judge(probe, ("both", "trade-off", "cost", "tie") * 8)

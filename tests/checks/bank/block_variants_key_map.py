"""Answers to ``block_variants.key_map``: DeiT's names to ours."""

import re

from tests.checks.bank.entries import Bank

BANK = Bank("block_variants.key_map")


@BANK.right
def by_parts(names):
    two, found = any("attn1" in name.split(".") for name in names), {}
    for name in names:
        parts = name.split(".")
        if parts[0] == "blocks":
            part = parts[2]
            if not two:
                parts[2] = {"gamma_1": "ls1.gamma", "gamma_2": "ls2.gamma"}.get(part, part)
            elif part.startswith("gamma"):
                kind = "attns" if part.startswith("gamma_1") else "ffns"
                parts[2] = f"{kind}.{int(part.count('_') > 1)}.ls.gamma"
            else:
                kind = "attns" if part in ("norm1", "norm11", "attn", "attn1") else "ffns"
                layer = re.match("[a-z]+", part)[0]
                second = len(part) - len(layer) - (layer == "norm")
                parts[2] = f"{kind}.{second}.{layer}"
        found[name] = ".".join(parts)
    return found


TABLE = {
    "norm1": "attns.0.norm",
    "norm11": "attns.1.norm",
    "attn": "attns.0.attn",
    "attn1": "attns.1.attn",
    "gamma_1": "attns.0.ls.gamma",
    "gamma_1_1": "attns.1.ls.gamma",
    "norm2": "ffns.0.norm",
    "norm21": "ffns.1.norm",
    "mlp": "ffns.0.mlp",
    "mlp1": "ffns.1.mlp",
    "gamma_2": "ffns.0.ls.gamma",
    "gamma_2_1": "ffns.1.ls.gamma",
}
PLAIN = {"gamma_1": "ls1.gamma", "gamma_2": "ls2.gamma"}


def answer(table=TABLE, plain=PLAIN, two=None, start=lambda place: f"blocks.{place}.", kept=lambda name: name):
    """The answer by a table, or one with a part replaced."""

    def key_map(names):
        parallel = any(".attn1." in name for name in names) if two is None else two
        known, found = table if parallel else plain, {}
        for name in names:
            match = re.match(r"blocks\.(\d+)\.(\w+)", name)
            if match:
                place, part = match.groups()
                found[name] = start(place) + known.get(part, part) + name[match.end() :]
            elif kept(name):
                found[name] = kept(name)
        return found

    return key_map


BANK.right(answer())


def changed(change, only=""):
    return {name: change(ours) if only in name else ours for name, ours in TABLE.items()}


def turned(ours):
    return ours.replace(".0.", ".x.").replace(".1.", ".0.").replace(".x.", ".1.")


BANK.wrong("gammas-crossed")(answer({**TABLE, "gamma_2": "attns.1.ls.gamma", "gamma_1_1": "ffns.0.ls.gamma"}))
BANK.wrong("branches-turned")(answer(changed(turned)))
BANK.wrong("branches-turned")(answer(changed(turned, "gamma")))
BANK.wrong("branches-in-one")(answer(changed(lambda ours: ours.replace(".1.", ".0."))))
BANK.wrong("branches-in-one")(answer(changed(lambda ours: ours.replace(".1.", ".0."), "gamma")))
BANK.wrong("branches-from-one")(answer(changed(lambda ours: ours.replace(".1.", ".2.").replace(".0.", ".1."))))
BANK.wrong("always-parallel")(answer(two=True))
BANK.wrong("always-sequential")(answer(two=False))
BANK.wrong("always-sequential")(lambda names: answer(two="attn1" in names[0])(names))
BANK.wrong("gamma-missing")(
    answer(changed(lambda ours: ours.removesuffix(".gamma")), {"gamma_1": "ls1", "gamma_2": "ls2"})
)
BANK.wrong("gammas-of-the-block")(answer(TABLE | PLAIN))
BANK.wrong("outside-dropped")(answer(kept=lambda name: ""))
BANK.wrong("block-dropped")(answer(start=lambda place: ""))
BANK.wrong("one-block")(answer(start=lambda place: "blocks.0."))
BANK.wrong("one-block")(answer(start=lambda place: f"blocks.{place[0]}."))
BANK.wrong("turned")(lambda names: {ours: deit for deit, ours in by_parts(names).items()})
BANK.wrong("names-missing")(lambda names: {a: b for a, b in by_parts(names).items() if a != b})
BANK.wrong("names-added")(lambda names: by_parts(names) | {"dist_token": "dist_token"})
BANK.wrong("wrong-name")(answer(TABLE | {"mlp1": "ffns.1.ffn"}))
BANK.wrong("wrong-type")(lambda names: [*by_parts(names).values()])
BANK.wrong("changes-inputs")(lambda names: (by_parts(names), names.clear())[0])


@BANK.wrong("replaced-inside")
def text_by_text(names):
    two, found = any("attn1" in name for name in names), {}
    for name in names:
        new = name
        if two:
            for deit in ("norm1", "attn", "gamma_1", "norm2", "mlp", "gamma_2"):
                new = new.replace(f".{deit}", f".{TABLE[deit]}")
        else:
            new = new.replace("gamma_1", "ls1.gamma").replace("gamma_2", "ls2.gamma")
        found[name] = new
    return found

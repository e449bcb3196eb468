"""``block_variants.key_map(names)``: DeiT's names of a model's parameters to those of timm and of this course.

Source: models_v2.py of DeiT, https://github.com/facebookresearch/deit; vision_transformer.py of timm.
"""

import re
from collections.abc import Callable

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.words import describe

Names = dict[str, str]
Rule = Callable[[list[str]], Names]
PARTS = {"norm": ("weight", "bias"), "attn": ("qkv.weight", "qkv.bias", "proj.weight", "proj.bias")}
PARTS["mlp"] = ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")
OUTSIDE = ("cls_token", "pos_embed", "patch_embed.proj.weight", "patch_embed.proj.bias", "norm.weight", "norm.bias")
SEQUENTIAL = {"gamma_1": "ls1.gamma", "gamma_2": "ls2.gamma"}
PARALLEL = {
    f"{deit}{second}": f"{ours}.{p}.{end}"
    for deit, ours, end, seconds in (
        ("norm1", "attns", "norm", ("", "1")),
        ("attn", "attns", "attn", ("", "1")),
        ("gamma_1", "attns", "ls.gamma", ("", "_1")),
        ("norm2", "ffns", "norm", ("", "1")),
        ("mlp", "ffns", "mlp", ("", "1")),
        ("gamma_2", "ffns", "ls.gamma", ("", "_1")),
    )
    for p, second in enumerate(seconds)
}
key_map = Check("block_variants.key_map")


def _rule(
    table: Names | None = None,
    *,
    parallel: bool | None = None,
    outside: bool = True,
    block: Callable[[str], str] = lambda place: f"blocks.{place}.",
    ours: Callable[[str], str] = lambda name: name,
) -> Rule:
    """The right rule, or one with a part replaced.

    Args:
        table: of the parts of a parallel block.
        parallel: every model has that kind of block; None looks at the names.
        outside: what lies outside of the blocks is kept.
        block: what stands before a part of a block, by its number.
        ours: a last change of the new name.
    """

    def rule(names: list[str]) -> Names:
        two = any(".attn1." in name for name in names) if parallel is None else parallel
        parts, found = ({**PARALLEL, **(table or {})} if two else SEQUENTIAL), {}
        for name in names:
            if match := re.fullmatch(r"blocks\.(\d+)\.([^.]+)(.*)", name):
                place, part, rest = match.groups()
                found[name] = ours(block(place) + parts.get(part, part) + rest)
            elif outside:
                found[name] = name
        return found

    return rule


def _replaced(names: list[str]) -> Names:
    """By `str.replace`, which finds norm1 in norm11, attn in attn1 and gamma_1 in gamma_1_1."""
    two, found = any("attn1" in name for name in names), {}
    pairs = [pair for pair in PARALLEL.items() if not pair[0].endswith(("11", "21", "attn1", "mlp1", "_1_1", "_2_1"))]
    for name in names:
        new = name
        for deit, ours in pairs if two else SEQUENTIAL.items():
            new = new.replace(f".{deit}", f".{ours}")
        found[name] = new
    return found


right = _rule()
CROSSED = {"gamma_2": "attns.1.ls.gamma", "gamma_1_1": "ffns.0.ls.gamma"}
ONE = {name: ours.replace(".1.", ".0.") for name, ours in PARALLEL.items()}
FROM_ONE = {name: ours.replace(".1.", ".2.").replace(".0.", ".1.") for name, ours in PARALLEL.items()}
SUSPECTS: dict[str, Rule] = {
    "gammas-crossed": _rule(CROSSED),
    "branches-turned": _rule({name: ours.translate(str.maketrans("01", "10")) for name, ours in PARALLEL.items()}),
    "branches-turned/gammas": _rule(
        {n: ours.translate(str.maketrans("01", "10")) for n, ours in PARALLEL.items() if "gamma" in n}
    ),
    "branches-in-one": _rule(ONE),
    "branches-in-one/gammas": _rule({name: ours for name, ours in ONE.items() if "gamma" in name}),
    "branches-from-one": _rule(FROM_ONE),
    "replaced-inside": _replaced,
    "always-parallel": _rule(parallel=True),
    "always-sequential": _rule(parallel=False),
    "gamma-missing": _rule(ours=lambda name: name.removesuffix(".gamma")),
    "gammas-of-the-block": _rule({n: f"ls{n[6]}.gamma" for n in PARALLEL if n in SEQUENTIAL}),
    "outside-dropped": _rule(outside=False),
    "block-dropped": _rule(block=lambda _: ""),
    "one-block": _rule(block=lambda _: "blocks.0."),
    "one-block/digit": _rule(block=lambda place: f"blocks.{place[0]}."),
    "turned": lambda names: {ours: deit for deit, ours in right(names).items()},
}


def _model(probe: Probe, depth: int, two: bool, scaled: bool) -> list[str]:
    """All names of a DeiT model, in an order of their own; the first does not say which kind of model it is."""
    names = list(OUTSIDE)
    for place in range(depth):
        for part, kind in (("norm1", "norm"), ("attn", "attn"), ("norm2", "norm"), ("mlp", "mlp")):
            names += [f"blocks.{place}.{part}{second}.{end}" for second in ("", "1")[: 1 + two] for end in PARTS[kind]]
        gammas = [f"gamma_{i}{second}" for i in (1, 2) for second in ("", "_1")[: 1 + two]]
        names += [f"blocks.{place}.{gamma}" for gamma in gammas if scaled]
    mixed = [names[place] for place in probe.uniform(len(names)).argsort().tolist()]
    first = next(name for name in mixed if ".norm1." in name)
    return sorted(mixed, key=lambda name: name != first)


def _judge(probe: Probe, names: list[str]) -> None:
    found, wanted = probe.call(names), right(names)
    texts = isinstance(found, dict) and all(isinstance(one, str) for pair in found.items() for one in pair)
    probe.require(texts, "wrong-type", f"Expected a dict from names to names, got {describe(found)}.")
    if found == wanted:
        return
    for name, rule in SUSPECTS.items():
        probe.require(found != rule(names), name.partition("/")[0])
    lost = [name for name in names if name not in found]
    probe.require(
        not lost, "names-missing", f"`{lost[0]}` is one of {len(lost)} names without a new one." if lost else ""
    )
    probe.require(len(found) == len(names), "names-added")
    name = next(name for name in names if found[name] != wanted[name])
    raise Wrong("wrong-name", f"`{name}` becomes `{found[name]}` and should become `{wanted[name]}`.")


@key_map.property("plain blocks have the same names in both, and LayerScale's gammas get new ones")
def _sequential(probe: Probe) -> None:
    _judge(probe, _model(probe, probe.integer(2, 7), two=False, scaled=True))


@key_map.property("two branches: each norm, layer and gamma goes to its own branch")
def _two_branches(probe: Probe) -> None:
    _judge(probe, _model(probe, probe.integer(2, 7), two=True, scaled=True))


@key_map.property("two branches without gammas, in twelve blocks and more")
def _deep(probe: Probe) -> None:
    _judge(probe, _model(probe, probe.integer(12, 17), two=True, scaled=False))

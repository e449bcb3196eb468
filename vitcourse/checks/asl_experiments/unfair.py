"""``asl_experiments.unfair(one, other, compared)``: what two runs differ in besides what is compared."""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe, Wrong, describe
from vitcourse.checks.engine.solved import Solved

NAMES = ("augment", "backbone", "chosen_on", "epochs", "image_size", "pretrained", "rates_tried", "warmup")
VALUES = {  # of each setting: three that may stand in a run
    "augment": (False, True, "mirror"),
    "backbone": ("ViT", "ResNet-18", "ViT-B/16"),
    "chosen_on": ("hold-out", "valid", "last"),
    "epochs": (0, 6, 12),
    "image_size": (64, 96, 224),
    "pretrained": (None, "signs", "ImageNet"),
    "rates_tried": (1, 3, 12),
    "warmup": (0.0, 0.05, 0.1),
}
MISSING = "(not there)"
Run = dict[str, object]


def _set(names: set[str]) -> Tensor:
    return torch.tensor([name in names for name in NAMES])


def _differing(one: Run, other: Run) -> set[str]:
    return {name for name in one.keys() | other.keys() if one.get(name, MISSING) != other.get(name, MISSING)}


def right(one: Run, other: Run, compared: str) -> Tensor:
    return _set(_differing(one, other) - {compared})


def wrong(one: Run, other: Run, compared: str) -> dict[str, Tensor]:
    differing, common = _differing(one, other) - {compared}, one.keys() & other.keys()
    return {
        "counts-the-compared": _set(differing | {compared}),
        "what-is-equal": _set(one.keys() | other.keys()) & ~_set(differing | {compared}),
        "only-common": _set(differing & common),
        "one-way": _set(differing & one.keys()),
        "one-way/other": _set(differing & other.keys()),
        "missing-is-none": _set({n for n in one.keys() | other.keys() if one.get(n) != other.get(n)} - {compared}),
        "nothing-is-missing": _set({n for n in differing if one.get(n) and other.get(n)}),
    }


def _read(value: object) -> Tensor:
    if not isinstance(value, list | set | tuple) or not all(name in NAMES for name in value):
        raise Wrong("wrong-type", f"Expected a list of names of settings, got {describe(value)}.")
    if len(set(value)) < len(value):
        raise Wrong("named-twice")
    return _set(set(value))


unfair = Solved("asl_experiments.unfair", right=right, wrong=wrong, parts=("which names are in the list",), read=_read)


@unfair.on("named is every setting but the compared one that differs, or that one run lacks")
def draw(probe: Probe) -> tuple[Run, Run, str]:
    """Two runs of which one was pretrained on nothing (None), and each lacks a setting of the other."""
    order = torch.randperm(len(NAMES), generator=probe.generator, device="cpu").tolist()
    names = [NAMES[place] for place in order if NAMES[place] != "pretrained"]
    empty = next(name for name in names if not VALUES[name][0])  # goes to the third place
    names.remove(empty)
    names.insert(2, empty)
    one = {name: VALUES[name][probe.integer(1, 2)] for name in names}
    other = dict(one)
    for name in (names[0], names[1]):  # the compared one, and another
        other[name] = next(value for value in VALUES[name][1:] if value != one[name])
    other[empty] = VALUES[empty][0]  # 0 or False
    del one[names[3]], other[names[4]]
    one["pretrained"] = None  # and the other does not say
    return one, other, names[0]

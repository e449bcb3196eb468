"""``asl_finetuning.choose(runs)``: choose the setting and the epochs on the hold-out, and report valid.

Choosing on the numbers that are reported makes them too good: Cawley and Talbot 2010, "On Over-fitting in Model
Selection and Subsequent Selection Bias in Performance Evaluation".
"""

from collections.abc import Callable
from statistics import mean, median

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, close, describe, several
from vitcourse.checks.engine.words import apart

choose = Check("asl_finetuning.choose")
Runs = dict[str, list[dict[str, list[float]]]]
NAMES = [f"C = {divisor}" for divisor in (1, 3, 10, 30, 100, 300, 1000)]
PICTURES = 40  # so few that some accuracies are equal
Answer = tuple[str, float, float, float]


def _first_best(values: list[float]) -> int:
    return values.index(max(values))


def _last_best(values: list[float]) -> int:
    return len(values) - 1 - values[::-1].index(max(values))


def _answer(runs: Runs, *, epoch=None, worth=None, told="valid", summary=None) -> Answer:
    """The right answer, or one with a part replaced.

    Args:
        epoch: of a setting's runs, one for each; ``worth`` of a setting, given its runs and their epochs.
    """
    epoch = epoch or (lambda group: [_first_best(run["held_out"]) for run in group])
    worth = worth or _worth
    summary = summary or (lambda found: (mean(found), min(found), max(found)))
    places = {name: epoch(group) for name, group in runs.items()}
    best = max(runs, key=lambda name: worth(runs[name], places[name]))
    return best, *summary(_at(runs[best], places[best], told))


def _worth(group: list[dict], places: list[int]) -> float:
    return mean(_at(group, places, "held_out"))


def _at(group: list[dict], places: list[int], which: str) -> list[float]:
    return [run[which][place] for run, place in zip(group, places, strict=True)]


def _in_a_setting(runs: Runs) -> dict[str, Answer]:
    """Mistakes with the epochs of a setting, and in what is told of it."""
    right = _answer(runs)

    def told(*parts: Callable[[list[float]], float]) -> Answer:
        return _answer(runs, summary=lambda found: tuple(part(found) for part in parts))

    return {
        "epoch-on-valid": _answer(runs, epoch=lambda group: [_first_best(run["valid"]) for run in group]),
        "last-epoch": _answer(runs, epoch=lambda group: [len(run["valid"]) - 1 for run in group]),
        "last-of-equals": _answer(runs, epoch=lambda group: [_last_best(run["held_out"]) for run in group]),
        "one-epoch-for-all": _answer(runs, epoch=lambda group: [_first_best(group[0]["held_out"])] * len(group)),
        "reports-the-hold-out": _answer(runs, told="held_out"),
        "reports-the-best-seed": told(max, min, max),
        "reports-the-median": told(median, min, max),
        "reports-the-median/range": told(lambda found: (min(found) + max(found)) / 2, min, max),
        "half-a-range": told(mean, lambda found: mean(found) - min(found), lambda found: max(found) - mean(found)),
        "range-swapped": told(mean, max, min),
        "percent": (right[0], *(100 * part for part in right[1:])),
    }


WORTHS: dict[str, Callable[[list[dict], list[int]], float]] = {
    "setting-on-valid": lambda group, places: mean(_at(group, places, "valid")),
    "best-seed-wins": lambda group, places: max(_at(group, places, "held_out")),
    "worst-seed-wins": lambda group, places: min(_at(group, places, "held_out")),
    "mean-over-epochs": lambda group, _: mean(mean(run["held_out"]) for run in group),
}


def _of_settings(runs: Runs) -> dict[str, Answer]:
    """Mistakes in the choice of the setting."""
    right = _answer(runs)
    return {
        **{misconception: _answer(runs, worth=worth) for misconception, worth in WORTHS.items()},
        **{f"place-not-worth/{name}": _answer({name: runs[name]}) for name in [*runs][:: len(runs) - 1]},
        **{f"wrong-name/{name}": (name, *right[1:]) for name in runs if name != right[0]},
    }


def _draw(probe: Probe, settings: int, suspects: Callable[[Runs], dict[str, Answer]]) -> Runs:
    """Settings with three seeds each, drawn anew until no two mistakes give the same answer."""
    while True:
        names = [NAMES[place] for place in torch.randperm(len(NAMES), generator=probe.generator)[:settings].tolist()]
        for counts in _counts(probe, settings):
            runs = {
                name: [{"held_out": held, "valid": valid} for held, valid in group]
                for name, group in zip(names, (counts.double() / PICTURES).tolist(), strict=True)
            }
            if any(_tied(runs, worth) for worth in (_worth, *WORTHS.values())):
                continue
            named: dict[Answer, set[str]] = {_rounded(_answer(runs)): {"right"}}
            for misconception, wrong in suspects(runs).items():
                named.setdefault(_rounded(wrong), set()).add(misconception.partition("/")[0])
            if all(len(misconceptions) == 1 for misconceptions in named.values()):
                return runs


def _counts(probe: Probe, settings: int) -> Tensor:
    """Pictures that were right, (some, settings, seeds, hold-out and valid, epochs).

    Of seven settings one is best on the mean, others by one lucky seed, by the worst seed, over all epochs, and on
    valid; the first and the last are best in nothing.
    """
    epochs = probe.integer(6, 8)
    counts = (20 + 12 * probe.uniform(4, settings, 3, 2, epochs)).long()
    # The best is often met twice.
    late = epochs // 2 + (probe.uniform(*counts.shape[:-1], 1) * (epochs - epochs // 2)).long()
    again = (torch.arange(epochs) == late) & (probe.uniform(*counts.shape[:-1], 1) < 0.5)
    counts = torch.where(again, counts[..., : epochs // 2].amax(dim=-1, keepdim=True), counts)
    if settings > 1:
        held, valid = counts.unbind(dim=3)
        held[:, 1, :2] += 7
        held[:, 2, 0] += 9
        held[:, 3] += 34 - held[:, 3].amax(dim=-1, keepdim=True)
        held[:, 4] = held[:, 4].clamp(min=31)
        valid[:, 5] += 6
        order = 1 + torch.randperm(settings - 2, generator=probe.generator)
        counts[:, 1:-1] = counts[:, order]
    return counts[:, :, torch.randperm(3, generator=probe.generator)]


def _tied(runs: Runs, worth: Callable[[list[dict], list[int]], float]) -> bool:
    """Whether two settings are the best: then rounding would choose."""
    found = [round(worth(group, [_first_best(run["held_out"]) for run in group]), 6) for group in runs.values()]
    return found.count(max(found)) > 1


def _rounded(answer: Answer) -> Answer:
    return answer[0], *(round(part, 4) for part in answer[1:])


def _call(probe: Probe, runs: Runs) -> tuple[str, Tensor]:
    name, *numbers = several(probe.call(runs), 4, "four things (name, mean, least, greatest)")
    if not isinstance(name, str):
        raise Wrong("wrong-type", f"The first should be the name of a setting and is {describe(name)}.")
    plain = [part.item() if isinstance(part, Tensor) and part.numel() == 1 else part for part in numbers]
    if not all(isinstance(part, int | float) and not isinstance(part, bool) for part in plain):
        raise Wrong("wrong-type", "The name should be followed by three numbers.")
    return name, torch.tensor([float(part) for part in plain])


def _judge(probe: Probe, runs: Runs, suspects: dict[str, Answer]) -> None:
    name, numbers = _call(probe, runs)
    right = _answer(runs)
    if name == right[0] and close(numbers, torch.tensor(right[1:])):
        return
    pairs = [apart(part, wanted, digits=4) for part, wanted in zip(numbers.tolist(), right[1:], strict=True)]
    given, told = (", ".join(texts) for texts in zip(*pairs, strict=True))
    detail = f"You return {name}, {given}; it should be {right[0]}, {told}."
    for misconception, (wrong, *rest) in suspects.items():
        if name == wrong and close(numbers, torch.tensor(rest)):
            raise Wrong(misconception.partition("/")[0], detail)
    raise Wrong("wrong-values", detail)


@choose.property("each run has its own epoch, chosen on the hold-out, and valid is reported for it")
def _epochs(probe: Probe) -> None:
    for _ in range(2):
        runs = _draw(probe, 1, _in_a_setting)
        _judge(probe, runs, _in_a_setting(runs))


@choose.property("the setting is the one whose chosen epochs are best on the hold-out, on the mean over its seeds")
def _settings(probe: Probe) -> None:
    for _ in range(2):
        runs = _draw(probe, len(NAMES), _of_settings)
        _judge(probe, runs, _of_settings(runs))

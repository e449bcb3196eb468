"""Answers to ``asl_finetuning.choose``: (name, mean, least, greatest)."""

import statistics

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_finetuning.choose")


def first_best(values):
    return max(range(len(values)), key=lambda place: values[place])


def last_best(values):
    return max(range(len(values)), key=lambda place: (values[place], place))


def at(group, places, key):
    return [run[key][place] for run, place in zip(group, places, strict=True)]


def mean(values):
    return sum(values) / len(values)


def answer(
    epochs=lambda group: [first_best(run["held_out"]) for run in group],
    worth=lambda group, places: mean(at(group, places, "held_out")),
    key="valid",
    told=lambda found: (mean(found), min(found), max(found)),
    name=lambda best, runs: best,
):
    """The right answer, or one with a part replaced."""

    def choose(runs):
        worths = {setting: worth(group, epochs(group)) for setting, group in runs.items()}
        best = max(worths, key=worths.get)
        return name(best, runs), *told(at(runs[best], epochs(runs[best]), key))

    return choose


BANK.right(answer())


@BANK.right
def in_loops(runs):
    best, found = None, None
    for name, group in runs.items():
        held, valid = [], []
        for run in group:
            top = max(run["held_out"])
            held.append(top)
            valid.append(run["valid"][run["held_out"].index(top)])
        if best is None or sum(held) / len(held) > best:
            best, found = sum(held) / len(held), (name, statistics.fmean(valid), min(valid), max(valid))
    return list(found)


@BANK.right
def in_tensors(runs):
    best = {}
    for name, group in runs.items():
        held, valid = (torch.tensor([run[key] for run in group]) for key in ("held_out", "valid"))
        place = held.argmax(dim=1, keepdim=True)
        best[name] = held.gather(1, place).double().mean(), valid.gather(1, place)
    name = max(best, key=lambda name: best[name][0])
    found = best[name][1]
    return name, found.mean(), found.min(), found.max()


def best_of(key):
    return lambda group: [first_best(run[key]) for run in group]


def on_valid(group, places):
    return mean(at(group, places, "valid"))


BANK.wrong("epoch-on-valid")(answer(epochs=best_of("valid")))
BANK.wrong("epoch-on-valid")(answer(epochs=best_of("valid"), worth=on_valid))
BANK.wrong("setting-on-valid")(answer(worth=on_valid))
BANK.wrong("last-epoch")(answer(epochs=lambda group: [len(run["valid"]) - 1 for run in group]))
BANK.wrong("last-of-equals")(answer(epochs=lambda group: [last_best(run["held_out"]) for run in group]))
BANK.wrong("one-epoch-for-all")(answer(epochs=lambda group: [first_best(group[0]["held_out"])] * len(group)))
BANK.wrong("best-seed-wins")(answer(worth=lambda group, places: max(at(group, places, "held_out"))))
BANK.wrong("mean-over-epochs")(answer(worth=lambda group, _: mean([mean(run["held_out"]) for run in group])))
BANK.wrong("reports-the-hold-out")(answer(key="held_out"))
BANK.wrong("reports-the-best-seed")(answer(told=lambda found: (max(found), min(found), max(found))))
BANK.wrong("reports-the-median")(answer(told=lambda found: (statistics.median(found), min(found), max(found))))
BANK.wrong("reports-the-median")(answer(told=lambda found: ((min(found) + max(found)) / 2, min(found), max(found))))
BANK.wrong("half-a-range")(answer(told=lambda found: (mean(found), mean(found) - min(found), max(found) - mean(found))))
BANK.wrong("range-swapped")(answer(told=lambda found: (mean(found), max(found), min(found))))
BANK.wrong("percent")(answer(told=lambda found: [100 * part for part in (mean(found), min(found), max(found))]))
BANK.wrong("wrong-name")(
    answer(name=lambda best, runs: next(name for name in [*runs, best] if name != best or len(runs) == 1))
)
BANK.wrong("wrong-values")(answer(told=lambda found: (mean(found), mean(found), mean(found))))
BANK.wrong("wrong-values")(answer(told=lambda found: (mean(found) / 2, min(found), max(found))))
BANK.wrong("wrong-values")(answer(name=lambda best, runs: best.lower() + "!"))
BANK.wrong("wrong-type")(lambda runs: answer()(runs)[1])
BANK.wrong("wrong-type")(lambda runs: answer()(runs)[:2])
BANK.wrong("wrong-type")(lambda runs: (0, *answer()(runs)[1:]))
BANK.wrong("wrong-type")(lambda runs: {"name": answer()(runs)[0]})


@BANK.wrong("changes-inputs")
def sorts_in_place(runs):
    found = answer()(runs)
    for group in runs.values():
        for run in group:
            run["valid"].sort()
    return found


BANK.wrong("worst-seed-wins")(answer(worth=lambda group, places: min(at(group, places, "held_out"))))
BANK.wrong("place-not-worth")(lambda runs: answer()(dict(list(runs.items())[:1])))
BANK.wrong("place-not-worth")(lambda runs: answer()(dict(list(runs.items())[-1:])))

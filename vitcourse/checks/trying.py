"""``vitcourse try exercise``: an exercise as its author wants to see it."""

import copy
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from vitcourse import checks
from vitcourse.checks.engine.bank import Bank
from vitcourse.checks.engine.probe import Probe, widened
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.engine.words import describe
from vitcourse.errors import InputError, one_line
from vitcourse.exercises import COMMON, find_exercise


def shown(id: str, seed: object = 0) -> Iterator[str]:
    """An exercise in lines: its card, what its check draws, and what it says of the right answer and of each mistake.

    Raises:
        InputError: there is no such exercise, or a mistake of it has no message.
    """
    exercise, check = find_exercise(id), copy.copy(checks.find(id))
    check.exercise = replace(exercise, forbidden=())  # the right answer lies in vitcourse, which learners may not call
    yield f"{id}: {exercise.title}"
    yield " · ".join(f"{name.lower()} {text}" for name, text in exercise.facts.items())
    yield from filter(None, [exercise.forbidden_sentence])
    ways: dict[str, None] = {}
    for index, (text, hold) in enumerate(check.properties):
        yield f"- {text}"
        if isinstance(check, Solved):
            probe = Probe(check.exercise, check.right, seed, index, check.seconds)
            hold(probe)
            args, named = probe.given
            yield f"  on {', '.join(map(describe, [*args, *named.values()]))}"
            ways |= dict.fromkeys(check.wrong(*widened(args)))
    if not isinstance(check, Solved):
        return
    yield f"right: {check.run(check.right, seed).misconception or 'all properties hold'}"
    for own in {way.partition("/")[0] for way in ways} - exercise.misconceptions.keys():
        raise InputError(f"{exercise.lesson}.toml has no message for {own!r}, which {id} knows as a mistake")
    for way in ways:
        report, own = check.run(_mistake(check, way), seed), way.partition("/")[0]
        if report.misconception is None:
            yield f"{way}: PASSES: what is drawn does not show it"
        else:
            found = "" if report.misconception == own else f"TAKEN FOR {report.misconception}: "
            yield f"{way}: {found}{report.message} {report.detail}"
    for misconception in exercise.misconceptions.keys() - COMMON.keys() - {way.partition("/")[0] for way in ways}:
        yield f"{misconception}: told by a property, not by `wrong`. {exercise.misconceptions[misconception]}"


def _mistake(check: Solved, way: str) -> Callable[..., Tensor | tuple]:
    """A learner's function that makes this mistake, and is right on inputs on which it cannot be made."""

    def answer(*args: object, **named: object) -> Tensor | tuple:
        inputs = inspect.signature(check.right).bind(*args, **named).args
        made = check.wrong(*inputs)
        return made[way] if way in made else check.right(*inputs)

    return answer


def faults(id: str, file: Path) -> list[str]:
    """What is amiss with an exercise, by its bank of right and wrong answers, a line each.

    Raises:
        InputError: there is no such exercise, or the file is no bank of it.
    """
    check, bank = checks.find(id), _bank(id, file)
    found = [f"the bank has {len(bank.rights)} right answer: two that are written differently"] * (len(bank.rights) < 2)
    for misconception in check.exercise.misconceptions.keys() - COMMON.keys() - {name for name, _ in bank.wrongs}:
        found.append(f"{misconception}: no answer of the bank makes this mistake")
    for wanted, answer in [*((None, right) for right in bank.rights), *bank.wrongs]:
        for seed in range(1 if wanted == "endless-loop" else bank.seeds):
            report = check.run(answer, seed)
            if report.misconception != wanted:
                what = f"{report.misconception}: {report.detail}" if report.misconception else "passes"
                line = getattr(getattr(answer, "__code__", None), "co_firstlineno", "?")
                named = getattr(answer, "__name__", type(answer).__name__)
                found.append(f"{named} (line {line}) should be {wanted or 'right'}, and with seed {seed} is {what}")
                break
    return found


def _bank(id: str, file: Path) -> Bank:
    spec = importlib.util.spec_from_file_location(f"bank_of_{file.stem}", file)
    module, before = importlib.util.module_from_spec(spec), list(sys.path)
    sys.path.append(str(Path(checks.__file__).parents[2]))  # the course's own banks import from its tests
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{file}: {one_line(f'{type(error).__name__}: {error}')}") from error
    finally:
        sys.path[:] = before
    bank = getattr(module, "BANK", None)
    if not isinstance(bank, Bank) or bank.exercise != id:
        raise InputError(f"{file}: it should define BANK = Bank({id!r})")
    return bank

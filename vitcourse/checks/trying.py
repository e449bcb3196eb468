"""``vitcourse try exercise``: an exercise as its author wants to see it."""

import copy
import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace

from torch import Tensor

from vitcourse import checks
from vitcourse.checks.engine.probe import Probe, widened
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.engine.words import describe
from vitcourse.errors import InputError
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
        yield f"Its answers, right and wrong, are tests/checks/bank/{id.replace('.', '_')}.py."
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

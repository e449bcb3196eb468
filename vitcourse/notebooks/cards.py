"""What the card of an exercise says, for the book and for the learner's copy alike."""

from collections.abc import Mapping

from vitcourse.errors import InputError
from vitcourse.exercises import CATALOGUE

DIFFICULTY = {1: "warm-up", 2: "medium", 3: "hard"}


def exercises(catalogue: Mapping | None = None) -> Mapping:
    """The exercises of the course by id: the mapping that is given, else `vitcourse.exercises.CATALOGUE`."""
    if catalogue is not None:
        return catalogue
    return CATALOGUE


def find_exercise(name: str, catalogue: Mapping | None = None):
    """The exercise of that id.

    Raises:
        InputError: there is none.
    """
    known = exercises(catalogue)
    if name not in known:
        raise InputError(f"no exercise {name!r} in checks.CATALOGUE (it has: {', '.join(known)})")
    return known[name]


def exercise_facts(exercise) -> dict[str, str]:
    """What is known of an exercise before it is tried: heading and words, in the order of the card."""
    return {
        "Objective": exercise.objective,
        "Difficulty": DIFFICULTY[exercise.difficulty],
        "Time": f"{exercise.minutes} minutes",
        "Points": str(exercise.points),
    }


def forbidden_sentence(exercise) -> str:
    """The names that the learner's function may not call, as one sentence of Markdown; empty if there are none."""
    if not exercise.forbidden:
        return ""
    names = [f"`{name}`" for name in exercise.forbidden]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    return f"Your code may not call {listed}."

"""A check by the id of its exercise, for one who has nothing else: the grader."""

from vitcourse import checks
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.report import Report
from vitcourse.exercises import find_exercise


def find(id: str) -> Check:
    """The check of the exercise with this id.

    Raises:
        InputError: there is no such exercise.
    """
    topic, _, name = find_exercise(id).id.partition(".")
    return getattr(getattr(checks, topic), name)


def run(id: str, learner_object: object, seed: object = 0) -> Report:
    """Runs the check of the exercise with this id; reports a mistake, never raises `CheckFailed`.

    Raises:
        InputError: there is no such exercise.
    """
    return find(id).run(learner_object, seed)

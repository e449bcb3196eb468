"""All exercises by id. Looking one up loads the checks of its lesson; listing them loads those of every lesson."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from vitcourse.checks import TOPICS
from vitcourse.checks.check import CHECKS, Check
from vitcourse.checks.exercise import Exercise, Report
from vitcourse.errors import InputError


def _load(topic: str) -> None:
    if topic in TOPICS:
        import_module(f"vitcourse.checks.{topic}")


class _Catalogue(Mapping[str, Exercise]):
    """The exercises by id, in the order of their ids."""

    def __getitem__(self, id: str) -> Exercise:
        if id not in CHECKS:
            _load(id.partition(".")[0])
        return CHECKS[id].exercise

    def __iter__(self) -> Iterator[str]:
        for topic in TOPICS:
            _load(topic)
        return iter(sorted(CHECKS))

    def __len__(self) -> int:
        return sum(1 for _ in self)


CATALOGUE: Mapping[str, Exercise] = _Catalogue()


def find(exercise: str) -> Check:
    """The check of the exercise with this id.

    Raises:
        InputError: there is no such exercise.
    """
    if exercise not in CATALOGUE:
        raise InputError(f"there is no exercise {exercise!r}; there are {', '.join(CATALOGUE)}")
    return CHECKS[exercise]


def run(exercise: str, learner_object: object, seed: object = 0) -> Report:
    """Runs the check of the exercise with this id; reports a mistake, never raises `CheckFailed`.

    Raises:
        InputError: there is no such exercise.
    """
    return find(exercise).run(learner_object, seed)

"""The exercises of the course, as data: their cards, and what a check says of each mistake.

A lesson's file is ``NN_topic.toml`` here. It is read, with no torch, when one of its exercises is asked for::

    forbidden = ["vitcourse"]            # names that an answer may not use, where an exercise does not say otherwise

    [scores]                             # the exercise "topic.scores"
    title = "Scaled scores"
    objective = "01.2"
    difficulty = 1
    minutes = 10
    points = 3

    [scores.misconceptions]
    not-scaled = "The scores are not divided by … A first sentence says what is wrong, the rest where to look."
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path

from vitcourse.errors import InputError

FOLDER = Path(__file__).parent
FILES = {path.stem.partition("_")[2]: path for path in sorted(FOLDER.glob("[0-9][0-9]_*.toml"))}
TOPICS = tuple(FILES)  # of the course itself; `add` knows more
DIFFICULTY = {1: "warm-up", 2: "medium", 3: "hard"}


@dataclass(frozen=True)
class Exercise:
    """An exercise as its card, the grader and the book's lists see it.

    Args:
        id: topic and name, as in ``checks.attention.scores``: "attention.scores".
        lesson: folder of its lesson: "01_attention".
        title: as on its card.
        objective: the objective that it practises: "01.2".
        difficulty: 1 (easy) to 3 (hard).
        minutes: that a learner may need.
        points: that it gives in a graded class.
        forbidden: dotted names that a learner's function may not use.
        misconceptions: id to message, those of `COMMON` included. A message's first sentence says what is wrong.
    """

    id: str
    lesson: str
    title: str
    objective: str
    difficulty: int
    minutes: int
    points: int
    forbidden: tuple[str, ...] = ()
    misconceptions: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def facts(self) -> dict[str, str]:
        """What is known of it before it is tried: heading and words, in the order of the card."""
        return {
            "Objective": self.objective,
            "Difficulty": DIFFICULTY[self.difficulty],
            "Time": f"{self.minutes} minutes",
            "Points": str(self.points),
        }

    @property
    def forbidden_sentence(self) -> str:
        """The names that the learner's function may not call, as one sentence of Markdown; empty if there are none.

        Those of `torch.nn` stand there as code has them: `F.` and `nn.`.
        """
        if not self.forbidden:
            return ""
        names = [name.replace("torch.nn.functional.", "F.").replace("torch.nn.", "nn.") for name in self.forbidden]
        names = [f"`{name}`" for name in names]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
        return f"Your code may not call {listed}."


def read(path: Path) -> dict[str, Exercise]:
    """The exercises of a lesson's file by id, in its order.

    Raises:
        InputError: it is no TOML, or a card is not complete.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"{path.name}: {error}") from error
    topic, usual = path.stem.partition("_")[2], {"forbidden": tables.pop("forbidden", [])}
    exercises = [_exercise(f"{topic}.{name}", path, usual, table) for name, table in tables.items()]
    return {exercise.id: exercise for exercise in exercises}


def _exercise(id: str, path: Path, usual: dict, table: object) -> Exercise:
    if not isinstance(table, dict):
        raise InputError(f"{path.name}: exercise {id} is no table")
    given = {"id": id, "lesson": path.stem, **usual, **table}
    known = {one.name for one in fields(Exercise)}
    for problem, names in (("has no", known - given.keys()), ("has an unknown", given.keys() - known)):
        if names:
            raise InputError(f"{path.name}: exercise {id} {problem} {sorted(names)[0]!r}")
    given["forbidden"], given["misconceptions"] = tuple(given["forbidden"]), {**COMMON, **given["misconceptions"]}
    return Exercise(**given)


class _Catalogue(Mapping[str, Exercise]):
    """The exercises by id, in the order of their ids."""

    def __getitem__(self, id: str) -> Exercise:
        topic = id.partition(".")[0]
        if topic not in FILES:
            raise KeyError(id)
        return of_topic(topic)[id]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(id for topic in FILES for id in of_topic(topic)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def of_topic(topic: str) -> dict[str, Exercise]:
    """The exercises of one lesson by id, in the order of its file."""
    return read(FILES[topic])


def add(folder: Path) -> None:
    """Adds the lessons of another folder, ``NN_topic.toml`` each, for as long as this process lives.

    Raises:
        InputError: there are none, one cannot be read, or the course has one of that topic.
    """
    found = {path.stem.partition("_")[2]: path for path in sorted(folder.glob("[0-9][0-9]_*.toml"))}
    if not found:
        raise InputError(f"{folder}: there are no exercises in it (NN_topic.toml)")
    for topic, path in found.items():
        if topic in TOPICS and FILES[topic] != path:
            raise InputError(f"{path}: the course has a lesson {FILES[topic].stem} already: take another topic")
        read(path)
    FILES.update(found)
    of_topic.cache_clear()


def find_exercise(id: str) -> Exercise:
    """The exercise with this id.

    Raises:
        InputError: there is none.
    """
    if id not in CATALOGUE:
        raise InputError(f"there is no exercise {id!r}; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[id]


COMMON: Mapping[str, str] = tomllib.loads((FOLDER / "common.toml").read_text(encoding="utf-8"))
CATALOGUE: Mapping[str, Exercise] = _Catalogue()

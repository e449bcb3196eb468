"""What a learner calls to check an exercise: ``checks.<topic>.<exercise>(my_function)``.

``CATALOGUE`` lists the exercises; ``summary`` shows which of a lesson's checks have passed; ``run`` gives a grader the
report that a learner is shown; ``add`` and ``unpack`` bring in a teacher's own exercises. A lesson's exercise lies in
``<topic>/<exercise>.py`` and is loaded at its first use: its check is what the file defines under its own name. What a
check says of a mistake stands in ``vitcourse/exercises``.
"""

from importlib import import_module
from types import ModuleType

from vitcourse.checks.engine.report import CheckFailed, Report
from vitcourse.checks.engine.summary import summary
from vitcourse.exercises import CATALOGUE, FILES, TOPICS, of_topic

__all__ = ["CATALOGUE", "CheckFailed", "Report", "add", "find", "pack", "run", "summary", "unpack", *TOPICS]


class Topic(ModuleType):
    """A lesson's checks: each is loaded when it is asked for, and stands where its module would."""

    def __getattr__(self, name: str) -> object:
        topic = self.__name__.rpartition(".")[2]
        if f"{topic}.{name}" not in of_topic(topic):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        import_module(f"{__name__}.{topic}.{name}")
        return vars(self)[name]

    def __setattr__(self, name: str, value: object) -> None:
        """Sets an attribute; where Python would set a module that holds a check of the same name, sets the check."""
        super().__setattr__(name, getattr(value, name, value) if isinstance(value, ModuleType) else value)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *(id.partition(".")[2] for id in of_topic(self.__name__.rpartition(".")[2]))})


def __getattr__(name: str) -> object:
    """Loads a topic, or what looks checks up by their ids, at its first use."""
    if name in FILES:
        return import_module(f"{__name__}.{name}")
    if name in ("add", "find", "pack", "run", "unpack"):
        return getattr(import_module(f"{__name__}.lookup"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What a learner's editor offers, loaded or not."""
    return sorted({*globals(), *__all__})

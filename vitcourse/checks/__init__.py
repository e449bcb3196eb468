"""What a learner calls to check an exercise: ``checks.<topic>.<exercise>(my_function)``.

``CATALOGUE`` lists the exercises; ``run`` gives a grader the report that a learner is shown. The checks of a lesson are
loaded when they are asked for, so that a notebook depends on those of its own lesson alone.
"""

from importlib import import_module
from pathlib import Path

from vitcourse.checks.check import Check
from vitcourse.checks.exercise import CheckFailed, Exercise, Report

TOPICS = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/__init__.py")))

__all__ = ["CATALOGUE", "Check", "CheckFailed", "Exercise", "Report", "find", "run", *TOPICS]


def __getattr__(name: str) -> object:
    """Loads a topic, or the catalogue of all, at its first use."""
    if name in TOPICS:
        return import_module(f"{__name__}.{name}")
    if name in ("CATALOGUE", "find", "run"):
        return getattr(import_module(f"{__name__}.catalogue"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """What a learner's editor offers, loaded or not."""
    return sorted({*globals(), *__all__})

"""What an exercise is, the mistakes that every exercise knows, and what a check has found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

COMMON: Mapping[str, str] = MappingProxyType(
    {
        "not-implemented": "Nothing is written here yet. Replace the line `raise NotImplementedError()` in the cell "
        "above by your own code, run that cell, then this one.",
        "raises": "Your function stopped with an error. The line named below is the last line of yours that ran: print "
        "the shapes of the tensors in it, just before it, and compare them with the shapes in the task.",
        "endless-loop": "Your function did not come to an end in time. Look for a `while` whose condition stays true, "
        "and for Python loops over single numbers where one tensor operation does the same.",
        "forbidden-call": "Your function uses a finished answer. The task is to write this step yourself, so what the "
        "exercise's card lists may not be called here, under any name. `torch.softmax` and `@` are fine.",
        "changes-inputs": "Your function changes a tensor that it was given. Whoever calls it still needs that tensor. "
        "Operations that end in an underscore (`masked_fill_`), `/=`, `+=` and assignments to `x[...]` change a "
        "tensor in place: use the form that makes a new one.",
        "wrong-type": "The result is not of the kind that the task asks for. Look at the last line: is there a "
        "`return`, and does it return what the task names? A tensor must stay a `torch.Tensor` (no `.numpy()`, no "
        "`.tolist()`).",
        "wrong-dtype": "The result has the wrong number type. It should have the type that the task names, which for "
        "numbers is the type of the inputs. Look for `.float()`, `.int()`, and for `torch.tensor(...)`, "
        "`torch.zeros(...)` or `torch.ones(...)` without `dtype=`.",
        "wrong-shape": "The result has the wrong shape. Compare it with the task, axis by axis, and look for the "
        "operation that drops, adds or swaps an axis: `sum` and `mean` drop one unless `keepdim=True`.",
        "wrong-values": "The numbers are not the right ones, and not those of a mistake that this check knows. Work "
        "the smallest example of the lesson by hand, print each step of your function on it, and compare.",
        "lost-precision": "The numbers are nearly right, but not as exact as the inputs allow. Somewhere the "
        "calculation goes through a coarser number type (`.float()`, `.half()`), or rounds.",
        "cuts-gradient": "The numbers are right, but no gradient comes back to the inputs, so nothing before this "
        "function could learn. Look for `.detach()`, `.data`, `.item()`, `torch.no_grad()`, and for "
        "`torch.tensor(...)` around a tensor.",
    }
)


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
        misconceptions: id to message, the common ones included. A message's first sentence says what is wrong.
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


@dataclass(frozen=True)
class Report:
    """What a check has found.

    Args:
        exercise: its id.
        results: (property, "passed" | "failed" | "not tried"), in the order in which they were probed.
        misconception: the id of the one mistake that was found; None where all properties hold.
        message: what the mistake is and where to look; "" where all properties hold.
        detail: what was seen in this run: an error, a shape, two numbers. May be "".
    """

    exercise: str
    results: tuple[tuple[str, str], ...]
    misconception: str | None = None
    message: str = ""
    detail: str = ""

    @property
    def passed(self) -> int:
        return sum(status == "passed" for _, status in self.results)

    @property
    def share(self) -> float:
        """Properties passed, as a fraction of all."""
        return self.passed / len(self.results)

    @property
    def headline(self) -> str:
        """The first sentence of the message."""
        return self.message.partition(". ")[0].rstrip(".") + "." if self.message else ""


class CheckFailed(AssertionError):  # noqa: N818 - the public name, which reads well at the end of a traceback
    """A property does not hold. The message says which mistake is behind it; ``report`` holds everything."""

    def __init__(self, report: Report):
        self.report, self.exercise, self.misconception = report, report.exercise, report.misconception
        self.results, self.share = report.results, report.share
        detail = f"\n{report.detail}" if report.detail else ""
        super().__init__(f"{report.misconception}: {report.message}{detail}")

    def __reduce__(self):
        return CheckFailed, (self.report,)

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the learner's code is not in one, only this package's is."""
        return [f"CheckFailed: {self.exercise}, {self.misconception}", self.report.headline]

"""What a check has found: a report, and the exception that carries it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """What a check has found.

    Args:
        exercise: its id.
        results: (property, "passed" | "failed" | "not tried"), in the order in which they were probed.
        misconception: the id of the one mistake that was found; None where all properties hold.
        message: what the mistake is and where to look; "" where all properties hold.
        detail: what was seen in this run: an error, a shape, two numbers. May be "".
        given: code that gives the function once more what it was given; "" in a graded run, and where nothing was.
    """

    exercise: str
    results: tuple[tuple[str, str], ...]
    misconception: str | None = None
    message: str = ""
    detail: str = ""
    given: str = ""

    @property
    def passed(self) -> int:
        return sum(status == "passed" for _, status in self.results)

    @property
    def share(self) -> float:
        """Properties passed, as a fraction of all."""
        return self.passed / len(self.results)

    def earned(self, points: float) -> float:
        """What it gives of an exercise's points."""
        return round(points * self.share, 2)

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

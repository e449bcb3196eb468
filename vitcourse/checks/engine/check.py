"""A check: the ordered properties of one exercise, and how they are run.

    split = Check("asl_data.split")

    @split.property("no image lies on both sides")
    def apart(probe: Probe) -> None:
        kept, held_out = probe.call(…drawn from probe…)
        probe.require(not set(kept) & set(held_out), "in-both")

A learner calls ``split(my_function)``. Most checks are of a function of tensors: see `solved.Solved`.
"""

from collections.abc import Callable
from dataclasses import replace

from vitcourse.checks.engine import display, modes, summary
from vitcourse.checks.engine.given import as_code
from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.report import CheckFailed, Report
from vitcourse.exercises import Exercise, find_exercise


class Check:
    """A check of one exercise; calling it runs it, shows what it found and raises `CheckFailed` on a mistake.

    Args:
        exercise: the exercise, or its id in the catalogue: "attention.scores".
        seconds: processor time for one call of the learner's function. The right answers of the tests need 14 ms at
            most, and an attention in Python loops over single numbers 2 s.
    """

    def __init__(self, exercise: str | Exercise, *, seconds: float = 5.0):
        self.exercise = find_exercise(exercise) if isinstance(exercise, str) else exercise
        self.seconds = seconds
        self.properties: list[tuple[str, Callable[[Probe], None]]] = []
        self.__name__ = self.exercise.id.partition(".")[2]

    def __repr__(self) -> str:
        return f"<check {self.exercise.id}: {self.exercise.title}>"

    def property(self, text: str) -> Callable[[Callable[[Probe], None]], Callable[[Probe], None]]:
        """Adds a property; ``text`` says in one sentence what holds for a right answer."""

        def add(function: Callable[[Probe], None]) -> Callable[[Probe], None]:
            self.properties.append((text, function))
            return function

        return add

    def run(self, learner_object: object, seed: object = 0) -> Report:
        """Probes the properties in order up to the first that fails, and reports. Shows and raises nothing."""
        return self._probe(learner_object, seed)[0]

    def inputs(self, learner_object: object, seed: object = 0) -> tuple:
        """What the call was given that failed, drawn again from the seed: arguments by place, then those by name.

        Raises:
            ValueError: all properties hold, or no call was made.
        """
        _, given = self._probe(learner_object, seed)
        if given is None:
            raise ValueError(f"{self.exercise.id}: no call failed with seed {seed!r}")
        args, kwargs = given
        return (*args, *kwargs.values())

    def _probe(self, learner_object: object, seed: object) -> tuple[Report, tuple[tuple, dict] | None]:
        """The report, and what the call was given that failed."""
        texts = [text for text, _ in self.properties]
        for index, (_, function) in enumerate(self.properties):
            probe = Probe(self.exercise, learner_object, seed, index, self.seconds)
            try:
                with modes.own():
                    function(probe)
            except Wrong as wrong:
                results = ["passed"] * index + ["failed"] + ["not tried"] * (len(texts) - index - 1)
                message = self.exercise.misconceptions[wrong.misconception]
                pairs = tuple(zip(texts, results, strict=True))
                return Report(self.exercise.id, pairs, wrong.misconception, message, wrong.detail), probe.given
        return Report(self.exercise.id, tuple((text, "passed") for text in texts)), None

    def __call__(self, learner_object: object, seed: object = 0) -> None:
        """Runs the check, shows its report, and raises `CheckFailed` where a property does not hold.

        Args:
            learner_object: your function (or value).
            seed: draws the sizes and the numbers; another seed, other inputs.
        """
        __tracebackhide__ = True  # pytest shows the caller's line
        report, given = self._probe(learner_object, seed)
        summary.LAST[self.exercise.id] = report
        if given is not None:  # what a graded page does not show
            report = replace(report, given=as_code(self.exercise.id, learner_object, *given, seed))
        display.show(report)
        if report.misconception is not None:
            raise CheckFailed(report)

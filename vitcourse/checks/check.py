"""A check: the ordered properties of one exercise, and how they are run.

A lesson's author writes::

    scores = Check("attention.scores", lesson="01_attention", title="Scaled scores", …, misconceptions={…})

    @scores.property("the scores are divided by the square root of the width")
    def scaled(probe: Probe) -> None:
        query, key = …drawn from probe…
        probe.equal(probe.call(query, key), …, suspects={"not-scaled": …})

and a learner calls ``scores(my_function)``.
"""

from collections.abc import Callable, Mapping

from vitcourse.checks import display, modes
from vitcourse.checks.exercise import COMMON, CheckFailed, Exercise, Report
from vitcourse.checks.probe import Probe, Wrong

# The checks that are loaded; `catalogue` loads those that are asked for.
CHECKS: dict[str, "Check"] = {}


class Check:
    """A check of one exercise; calling it runs it, shows what it found and raises `CheckFailed` on a mistake.

    Args:
        id: topic and name, "attention.scores"; no other check may have it.
        misconceptions: the exercise's own, id to message; `COMMON` is added.
        seconds: processor time for one call of the learner's function. The right answers of the tests need 14 ms at
            most, and an attention in Python loops over single numbers 2 s.
        fields: the other fields of `Exercise`.
    """

    def __init__(self, id: str, *, misconceptions: Mapping[str, str], seconds: float = 5.0, **fields: object):
        if id in CHECKS:
            raise ValueError(f"two exercises have the id {id}")
        self.exercise = Exercise(id=id, misconceptions={**COMMON, **misconceptions}, **fields)
        self.seconds = seconds
        self.properties: list[tuple[str, Callable[[Probe], None]]] = []
        self.__name__ = id.partition(".")[2]
        CHECKS[id] = self

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
        texts = [text for text, _ in self.properties]
        for index, (_, function) in enumerate(self.properties):
            try:
                with modes.own():
                    function(Probe(self.exercise, learner_object, seed, index, self.seconds))
            except Wrong as wrong:
                results = ["passed"] * index + ["failed"] + ["not tried"] * (len(texts) - index - 1)
                message = self.exercise.misconceptions[wrong.misconception]
                pairs = tuple(zip(texts, results, strict=True))
                return Report(self.exercise.id, pairs, wrong.misconception, message, wrong.detail)
        return Report(self.exercise.id, tuple((text, "passed") for text in texts))

    def __call__(self, learner_object: object, seed: object = 0) -> None:
        """Runs the check, shows its report, and raises `CheckFailed` where a property does not hold.

        Args:
            learner_object: your function (or value).
            seed: draws the sizes and the numbers; another seed, other inputs.
        """
        __tracebackhide__ = True  # pytest shows the caller's line
        report = self.run(learner_object, seed)
        display.show(report)
        if report.misconception is not None:
            raise CheckFailed(report)

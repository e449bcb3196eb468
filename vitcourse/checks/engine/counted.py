"""A check of a function that counts: whole numbers in, whole numbers out, each by a formula.

cost = Counted("attention.cost", draw, results=("bytes", "multiplications"))

@cost.counts("the first is the bytes of all attention weights")
def weights(tokens: int, heads: int, …) -> Formulas:
    return {"right": [heads * tokens**2 …], "forgets-heads": [tokens**2 …]}
"""

from collections.abc import Callable, Mapping, Sequence

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, several
from vitcourse.checks.engine.words import describe

Case = tuple[int, ...]
Formulas = Mapping[str, Sequence[int]]  # "right", then misconception to what each way into it counts, in reading order


class Counted(Check):
    """A check of a function of whole numbers.

    Args:
        id: of the exercise.
        draw: gives two cases that differ in everything, so that no wrong formula fits both by chance.
        results: what the numbers are called in a sentence, in their order.
        text: the property that so many whole numbers come back.
    """

    def __init__(self, id: str, draw: Callable[[Probe], Sequence[Case]], *, results: Sequence[str], text: str):
        super().__init__(id)
        self.draw, self.results, self.formulas = draw, tuple(results), []
        self.property(text)(lambda probe: self._call(probe, self.draw(probe)[0]))

    def counts(self, text: str) -> Callable[[Callable[..., Formulas]], Callable[..., Formulas]]:
        """Adds the property that the next of the results is right."""

        def add(formulas: Callable[..., Formulas]) -> Callable[..., Formulas]:
            place = len(self.formulas)
            self.formulas.append(formulas)
            self.property(text)(lambda probe: self._judge(probe, place))
            return formulas

        return add

    def _call(self, probe: Probe, case: Case) -> tuple[int, ...]:
        count = len(self.results)
        numbers = several(probe.call(*case), count, f"{count} whole numbers ({', '.join(self.results)})")
        for number in numbers:
            probe.require(type(number) is int, "wrong-type", f"Expected whole numbers (int), got {describe(number)}.")
        return numbers

    def _judge(self, probe: Probe, place: int) -> None:
        cases = self.draw(probe)
        found = [self._call(probe, case) for case in cases]
        rights = [tuple(formulas(*case)["right"][0] for formulas in self.formulas) for case in cases]
        orders = [sorted(numbers) for numbers in found], [sorted(numbers) for numbers in rights]
        probe.require(found == rights or orders[0] != orders[1], "swapped")
        wrong = [index for index in range(len(cases)) if found[index][place] != rights[index][place]]
        if not wrong:
            return
        case, number, wanted = cases[wrong[0]], found[wrong[0]][place], rights[wrong[0]][place]
        name, given = probe.exercise.id.partition(".")[2], ", ".join(map(str, case))
        detail = f"For `{name}({given})` it is {number:,} and should be {wanted:,}."
        tables = [self.formulas[place](*case) for case in cases]
        for name in tables[0]:
            ways = zip(*(table[name] for table in tables), strict=True)
            probe.require([one[place] for one in found] not in map(list, ways), name, detail)
        raise Wrong("wrong-values", detail)

"""How the bank holds its answers: right ones, and wrong ones under the misconception that must be reported."""

from collections.abc import Callable


class Bank:
    """The right and wrong answers to one exercise.

    Args:
        seeds: on how many each is tried at length; fewer where a check trains a model for each mistake.
    """

    def __init__(self, exercise: str, seeds: int = 8):
        self.exercise, self.seeds = exercise, seeds
        self.rights: list[Callable] = []
        self.wrongs: list[tuple[str, Callable]] = []

    def right(self, function: Callable) -> Callable:
        self.rights.append(function)
        return function

    def wrong(self, misconception: str) -> Callable[[Callable], Callable]:
        """Adds an answer that must be caught under this misconception, and under no other, on every seed."""

        def add(function: Callable) -> Callable:
            self.wrongs.append((misconception, function))
            return function

        return add

"""What a property of an exercise works with: inputs drawn from the seed, guarded calls, comparisons that diagnose."""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from vitcourse.checks.engine import guard
from vitcourse.checks.engine.words import describe, explain, first_difference, input_name, plain, shapes_apart
from vitcourse.exercises import Exercise

# Rounding grows with the size of the numbers: what may differ, as a fraction of the largest number expected.
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5}


class Wrong(Exception):  # noqa: N818 - never seen outside this package
    """A property does not hold: the misconception's id, what was seen, and the kinds of error behind it, if any."""

    def __init__(self, misconception: str, detail: str = "", errors: tuple[str, ...] = ()):
        self.misconception, self.detail, self.errors = misconception, detail, errors
        super().__init__(misconception)


class Probe:
    """One property's view of the learner's answer.

    Args:
        exercise: the exercise.
        learner_object: the function, or the value, that the learner made.
        seed: anything with a ``str``; the same seed draws the same inputs.
        salt: the property's place, so that no two properties draw the same numbers.
        seconds: time for one call.
    """

    def __init__(self, exercise: Exercise, learner_object: object, seed: object, salt: object, seconds: float = 5.0):
        self.exercise, self.learner_object, self.seconds = exercise, learner_object, seconds
        self.given: tuple[tuple, dict] | None = None  # what the last call was given
        digest = hashlib.sha256(f"{seed}/{exercise.id}/{salt}".encode()).digest()
        self.generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))

    # Drawing

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator, device="cpu"))

    def sizes(self, count: int, low: int = 3, high: int = 9) -> list[int]:
        """Different whole numbers: where no two sizes are equal, no two axes can be confused unseen."""
        order = torch.randperm(high - low + 1, generator=self.generator, device="cpu")
        return (order[:count] + low).tolist()

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Normally distributed numbers."""
        return torch.randn(shape, generator=self.generator, dtype=dtype, device="cpu")

    def uniform(self, *shape: int) -> Tensor:
        """Numbers from 0 to 1 in float32."""
        return torch.rand(shape, generator=self.generator, dtype=torch.float32, device="cpu")

    # Calling

    def call(self, *args: object, on_error: str | None = None, gradient: bool = False, **kwargs: object) -> object:
        """The learner's function on these inputs.

        Args:
            on_error: the misconception behind an exception here, where it is known; else ``raises``.
            gradient: return ``(value, gradients)``, see `guard.Rules`.

        Raises:
            Wrong: the call failed, or changed its inputs.
        """
        function = self.learner_object
        if not callable(function) and not hasattr(function, "guarded_call"):
            raise Wrong("wrong-type", f"Expected a function, got {describe(function)}.")
        self.given = args, kwargs
        rules = guard.Rules(self.seconds, self.exercise.forbidden, gradient)
        outcome = guard.call(function, args, kwargs, rules)
        if outcome.failure is not None:
            given = ", ".join([*map(describe, args), *(f"{name}={describe(value)}" for name, value in kwargs.items())])
            raise Wrong(*explain(outcome, on_error, given), outcome.errors)
        if outcome.changed:
            raise Wrong("changes-inputs", f"Changed: {', '.join(map(input_name, outcome.changed))}.")
        gradients = (*outcome.gradients, *(None for _ in args))[: len(args)]  # as many as asked for, whatever came
        return (outcome.value, gradients) if gradient else outcome.value

    def answer(self, *types: type) -> object:
        """The learner's value, for an exercise whose answer is a number, a text or a choice.

        Raises:
            Wrong: it is still empty (None or ...), or of another type.
        """
        value = self.learner_object
        if value is None or value is ...:
            raise Wrong("not-implemented")
        with contextlib.suppress(guard.NotPlainError):
            value = guard.plain_copy(value)
        if type(value) not in types:
            raise Wrong(
                "wrong-type", f"Expected {' or '.join(kind.__name__ for kind in types)}, got {describe(value)}."
            )
        return value

    # Judging

    def tensor(
        self,
        value: object,
        shape: Sequence[int],
        dtype: torch.dtype,
        name: str = "The result",
        shapes: Mapping[str, Sequence[int]] | None = None,
        dtypes: Mapping[str, torch.dtype] | None = None,
        exact: bool = False,
    ) -> Tensor:
        """``value`` as a tensor of this shape and dtype.

        Args:
            dtype: a finer one will do as well (float64 for float32, and any whole numbers for whole numbers), where
                the task names none.
            name: what it is called in a sentence.
            shapes: misconception to the shape that it leads to; tried before ``wrong-shape``; a slash as in `equal`.
            dtypes: misconception to the dtype that it leads to; tried before ``wrong-dtype``.
            exact: the task names the dtype.

        Raises:
            Wrong: it is not.
        """
        if not isinstance(value, Tensor):
            hint = " Is the `return` missing?" if value is None else ""
            raise Wrong("wrong-type", f"{name} should be a tensor and is {describe(value)}.{hint}")
        if tuple(value.shape) != tuple(shape):
            named = [wrong for wrong, suspect in (shapes or {}).items() if tuple(value.shape) == tuple(suspect)]
            detail = f"{name} should have shape {tuple(shape)} and has {tuple(value.shape)}."
            raise Wrong(
                named[0].partition("/")[0] if named else "wrong-shape", detail + shapes_apart(value.shape, shape)
            )
        if value.dtype != dtype and (exact or not _finer(value.dtype, dtype)):
            named = [wrong for wrong, suspect in (dtypes or {}).items() if value.dtype == suspect]
            detail = f"{name} should be {plain(dtype)} and is {plain(value.dtype)}."
            raise Wrong(named[0].partition("/")[0] if named else "wrong-dtype", detail)
        return value.to(dtype)

    def equal(
        self,
        value: Tensor,
        expected: Tensor,
        suspects: Mapping[str, Tensor] | None = None,
        otherwise: str = "wrong-values",
        name: str = "the result",
        slack: float = 1.0,
    ) -> None:
        """That ``value`` holds the numbers of ``expected``.

        Args:
            suspects: misconception to the numbers that it leads to on these inputs; of two that fit, the first. What
                follows a slash tells apart several ways into one misconception: "wrong-divisor/4".
            otherwise: the misconception where no suspect fits.
            name: what ``value`` is called in a sentence.
            slack: how many times the usual rounding may be met, where the inputs magnify it.

        Raises:
            Wrong: it does not.
        """
        expected = expected.to(value.dtype)
        if close(value, expected, slack):
            return
        detail = first_difference(value, expected, name)
        suspects = {name: numbers.to(value.dtype) for name, numbers in (suspects or {}).items()}
        fitting = [wrong for wrong, numbers in suspects.items() if close(value, numbers, slack=0.05)]
        fitting += [wrong for wrong, numbers in suspects.items() if _explains(numbers, value, expected)]
        if fitting:
            raise Wrong(fitting[0].partition("/")[0], detail)
        if value.dtype == torch.float64 and close(value.float(), expected.float(), slack=20):
            raise Wrong("lost-precision", detail)
        raise Wrong(otherwise, detail)

    def require(self, holds: bool, misconception: str, detail: str = "") -> None:
        """Raises ``Wrong(misconception, detail)`` unless ``holds``."""
        if not holds:
            raise Wrong(misconception, detail)


def _finer(found: torch.dtype, wanted: torch.dtype) -> bool:
    """Whether a number type holds what the wanted one holds, to judge by its kind and precision."""
    if wanted.is_floating_point:
        return found.is_floating_point and found.itemsize > wanted.itemsize
    whole = [not (dtype.is_floating_point or dtype.is_complex or dtype == torch.bool) for dtype in (found, wanted)]
    return all(whole)


def several(value: object, count: int, names: str) -> tuple:
    """A result of ``count`` parts.

    Raises:
        Wrong: it is something else.
    """
    if not isinstance(value, list | tuple) or len(value) != count:
        raise Wrong("wrong-type", f"Expected {names}, got {describe(value)}.")
    return tuple(value)


def widened(value: object) -> object:
    """The same with all floating numbers in float64."""
    if isinstance(value, dict):
        return {name: widened(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(widened, value))
    return value.double() if isinstance(value, Tensor) and value.is_floating_point() else value


def close(value: Tensor, expected: Tensor, slack: float = 1.0) -> bool:
    """Whether shape, dtype and, up to rounding, all numbers agree; NaN agrees with NaN, infinity with itself."""
    if value.shape != expected.shape or value.dtype != expected.dtype:
        return False
    if not value.is_floating_point():
        return torch.equal(value, expected)
    finite = expected[expected.isfinite()].abs()
    size = max(1.0, float(finite.max())) if finite.numel() else 1.0
    tolerance = slack * TOLERANCE.get(value.dtype, 2e-2)
    return torch.allclose(value, expected, rtol=tolerance, atol=tolerance * size, equal_nan=True)


def _explains(suspect: Tensor, value: Tensor, expected: Tensor) -> bool:
    """Whether a suspect is close, and leaves next to nothing of the difference: small numbers are all close."""
    return close(value, suspect) and _largest_gap(value, suspect) <= 2e-3 * _largest_gap(value, expected)


def _largest_gap(a: Tensor, b: Tensor) -> float:
    """The largest difference of two tensors; NaN agrees with NaN, infinity with itself, and with nothing else."""
    same = (a == b) | (a.isnan() & b.isnan())
    gap = (a.double() - b.double()).abs().nan_to_num(nan=torch.inf).masked_fill(same, 0.0)
    return float(gap.max()) if gap.numel() else 0.0

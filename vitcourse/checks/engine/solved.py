"""A check whose right answer is itself a function: what the learner's must equal, and what each mistake would give.

    iou = Solved("asl_data.iou", right=right, wrong=wrong)

    @iou.on("the overlap is divided by what at least one of the two covers")
    def near(probe: Probe) -> Inputs:
        return …drawn from probe…

Kind, shape and number type of the result are those of ``right`` on the same inputs; its numbers are those of ``right``
in float64. A difference is explained by the first entry of ``wrong`` that has the learner's shape or numbers, and where
none has, by what `diagnose` finds out.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations

import torch
from torch import Tensor

from vitcourse.checks.engine import diagnose
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import gradients
from vitcourse.checks.engine.probe import Probe, Wrong, close, several, widened
from vitcourse.checks.engine.words import name_of

Inputs, Parts = tuple, tuple[Tensor, ...]
Draw = Callable[[Probe], Inputs]
TRIALS, DRAWS = 3, 8  # to learn which mistakes a property's inputs can show, and at most until all of them do


class Solved(Check):
    """A check of a function of tensors.

    Args:
        right: the right answer, a tensor or a tuple of them; differentiable where the learner's must be. The names of
            its arguments are those of the task.
        wrong: misconception to what it leads to on these inputs, in reading order. What follows a slash tells apart
            several ways into one misconception: "over-one-box/true".
        parts: what each tensor of the result is called in a sentence.
        typed: the task names the number type, so a finer one will not do.
        first: what the first axis of the inputs counts.
        read: makes the parts of what the learner's function gives, where they need not be tensors; may raise `Wrong`.
    """

    def __init__(
        self,
        id: str,
        *,
        right: Callable[..., Tensor | Parts],
        wrong: Callable[..., Mapping[str, Tensor | Parts]] = lambda *_inputs: {},
        parts: Sequence[str] = ("the result",),
        typed: bool = False,
        first: str = "example",
        read: Callable[[object], object] = lambda value: value,
        seconds: float = 5.0,
    ):
        super().__init__(id, seconds=seconds)
        self.right, self.wrong, self.parts, self.typed = right, wrong, tuple(parts), typed
        self.first, self.read = first, read
        self._shown: dict[tuple, set[str]] = {}

    def on(self, text: str, **how: object) -> Callable[[Draw], Draw]:
        """Adds the property that the answer is right on the inputs that the decorated function draws; see `judge`.

        Called with several such functions, the property is that it is right on the inputs of each.
        """

        def add(*draws: Draw) -> Draw:
            self.property(text)(lambda probe: [self.judge(probe, draw, **how) for draw in draws])
            return draws[0]

        return add

    def exact(self, draw: Draw, **how: object) -> None:
        """Adds the property that nothing is lost of float64 inputs, which ``draw`` draws."""
        self.on("float64 comes in, float64 comes out, with nothing lost on the way", **how)(draw)

    def differentiable(
        self, draw: Draw, to: str, slack: float = 5.0, nan: str = "cuts-gradient", of: Sequence[str] = ()
    ) -> None:
        """Adds the property that the right gradient comes back ``to`` the floating inputs; ``nan`` if it holds one.

        Args:
            of: the arguments to which the task asks for one; without, all floating inputs.
        """

        def hold(probe: Probe) -> None:
            inputs = draw(probe)
            value, found = probe.call(*inputs, gradient=True)
            self._checked(probe, value, inputs, {}, None)
            leaves = [one.clone().requires_grad_() if _floats(one) else one for one in widened(inputs)]
            made = _parts(self.right(*leaves))
            names = [name_of(self.right, place) for place in range(len(inputs))]
            given = zip(names, leaves, found, strict=True)
            asked = [(leaf, gradient) for name, leaf, gradient in given if _floats(leaf) and (not of or name in of)]
            for (_, gradient), wanted in zip(asked, gradients(made, [leaf for leaf, _ in asked]), strict=True):
                probe.require(gradient is not None, "cuts-gradient")
                probe.require(not bool(gradient.isnan().any()), nan)
                probe.require(close(gradient, wanted.to(gradient), slack), "cuts-gradient")

        self.property(f"a gradient comes back to {to}")(hold)

    def judge(
        self,
        probe: Probe,
        draw: Draw,
        *,
        only: Sequence[str] = (),
        but: Sequence[str] = (),
        otherwise: str = "wrong-values",
        slack: float = 1.0,
        also: Callable[..., Sequence[Parts]] = lambda *_inputs: (),
        by_name: Sequence[str] = (),
    ) -> Parts:
        """One call, compared with the right answer; returns what the learner's function gave.

        Args:
            only, but: the mistakes that can, or cannot, show on these inputs.
            otherwise: the misconception where none of them does, of an exception and of a wrong shape too.
            slack: see `Probe.equal`.
            also: other answers that are right.
            by_name: the arguments that are given by their names.
        """
        other = None if otherwise == "wrong-values" else otherwise
        inputs, wide, wrong = self._telling(probe, draw, {"only": only, "but": but})
        value = self._call(probe, inputs, by_name, on_error=other)
        found, right = self._checked(probe, value, inputs, wrong, other), _parts(self.right(*wide))
        if any(_alike(found, _parts(accepted), 1.0) for accepted in also(*wide)):
            return found
        try:
            self._compare(probe, found, right, wrong, otherwise, slack)
        except Wrong as failed:
            if failed.misconception == "wrong-values":
                given = probe.given
                failed.detail = f"{failed.detail} {diagnose.sentence(self, probe, inputs, found)}".strip()
                probe.given = given  # and not what it was tried with in between
            raise
        return found

    def answer(self, probe: Probe, inputs: Inputs) -> Parts | None:
        """What the learner's function gives on these inputs; None where that is no result of the right form."""
        try:
            return self._checked(probe, self._call(probe, inputs), inputs, {}, None)
        except Wrong:
            return None

    def solution(self, inputs: Inputs) -> Parts:
        """The right answer on these inputs, in float64."""
        return _parts(self.right(*widened(inputs)))

    def _telling(self, probe: Probe, draw: Draw, how: Mapping[str, Sequence[str]]) -> tuple:
        """Inputs on which every mistake shows that such inputs can show, as far as a few draws find some.

        With them come the same inputs in float64, and what the mistakes lead to.
        """
        key = (draw, *how["only"], "but", *how["but"])
        if key not in self._shown:
            trial = Probe(self.exercise, None, "which mistakes these inputs can show", draw.__name__)
            self._shown[key] = set().union(*(self._drawn(trial, draw, **how)[1] for _ in range(TRIALS)))
        found = []
        for _ in range(DRAWS):
            found.append(self._drawn(probe, draw, **how))
            if found[-1][1] >= self._shown[key]:
                break
        return max(found, key=lambda one: len(one[1]))[0]

    def _drawn(self, probe: Probe, draw: Draw, only: Sequence[str], but: Sequence[str]) -> tuple[tuple, set[str]]:
        """Inputs, and which mistakes differ on them from the right answer."""
        inputs = draw(probe)
        wide = widened(inputs)
        right, wrong = _parts(self.right(*wide)), {name: _parts(made) for name, made in self.wrong(*wide).items()}
        wrong = {
            name: made for name, made in wrong.items() if (not only or _base(name) in only) and _base(name) not in but
        }
        return (inputs, wide, wrong), {name for name, made in wrong.items() if not _alike(made, right, 1.0)}

    def _call(self, probe: Probe, inputs: Inputs, by_name: Sequence[str] = (), on_error: str | None = None) -> object:
        names = [name_of(self.right, place) for place in range(len(inputs))]
        named = {name: value for name, value in zip(names, inputs, strict=True) if name in by_name}
        plain = [value for name, value in zip(names, inputs, strict=True) if name not in by_name]
        return probe.call(*plain, on_error=on_error, **named)

    def _compare(
        self, probe: Probe, found: Parts, right: Parts, wrong: Mapping[str, Parts], otherwise: str, slack: float
    ) -> None:
        # Of several parts, a mistake that explains all of them goes before one that explains the first.
        if len(found) > 1 and not _alike(found, right, slack):
            for name, made in wrong.items():
                probe.require(len(made) < len(found) or not _alike(found, made, 0.05), _base(name))
            probe.require(not any(_alike(other, right, slack) for other in permutations(found)), "swapped")
        for index, (part, expected) in enumerate(zip(found, right, strict=True)):
            known = {name: made[index] for name, made in wrong.items() if len(made) == len(right)}
            known = {name: numbers for name, numbers in known.items() if numbers.shape == expected.shape}
            probe.equal(part, expected, known, otherwise, self.parts[index], slack)

    def _checked(self, probe: Probe, value: object, inputs: Inputs, wrong: Mapping[str, Parts], other) -> Parts:
        """The parts of a result, with the kinds, shapes and number types of the right one."""
        right, value = _parts(self.right(*inputs)), self.read(value)
        given = _shapes(value if isinstance(value, list | tuple) else [value])
        for name, made in wrong.items():  # parts that are missing, or too many
            probe.require(len(made) == len(right) or given != _shapes(made), _base(name))
        if len(right) > 1:
            value = several(value, len(right), f"{len(right)} results ({', '.join(self.parts)})")
            wanted = _shapes(right)
            if given != wanted:
                for name, made in wrong.items():
                    probe.require(given != _shapes(made), _base(name))
                probe.require(given not in map(list, permutations(wanted)), "swapped")
            else:
                kinds, wanted = ([_kind(part.dtype) for part in parts] for parts in (value, right))
                probe.require(kinds == wanted or kinds not in map(list, permutations(wanted)), "swapped")
        checked = []
        for index, (part, wanted) in enumerate(zip(value if len(right) > 1 else (value,), right, strict=True)):
            known = {name: made[index] for name, made in wrong.items() if len(made) == len(right)}
            fitting = [name for name in known if isinstance(part, Tensor) and _alike((part,), (known[name],), 1.0)]
            shapes = {name: known[name].shape for name in (*fitting, *known)}  # of two such shapes the one that fits
            dtypes = {name: made.dtype for name, made in known.items() if _kind(made.dtype) != _kind(wanted.dtype)}
            if other and isinstance(part, Tensor):
                shapes = {other: part.shape}
            name = self.parts[index][:1].upper() + self.parts[index][1:]
            checked.append(probe.tensor(part, wanted.shape, wanted.dtype, name, shapes, dtypes, self.typed))
        return tuple(checked)


def _alike(found: Parts, others: Parts, slack: float) -> bool:
    return len(found) == len(others) and all(
        close(one, other.to(one.dtype), slack) for one, other in zip(found, others, strict=True)
    )


def _shapes(parts: Sequence[object]) -> list[tuple | None]:
    return [tuple(part.shape) if isinstance(part, Tensor) else None for part in parts]


def _kind(dtype: torch.dtype) -> str:
    return "truth values" if dtype == torch.bool else "numbers" if dtype.is_floating_point else "whole numbers"


def _base(name: str) -> str:
    return name.partition("/")[0]


def _floats(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _parts(made: Tensor | Parts) -> Parts:
    return (made,) if isinstance(made, Tensor) else tuple(made)

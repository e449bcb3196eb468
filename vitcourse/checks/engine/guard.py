"""Calls a learner's function: with copies of the inputs, a time limit, and eyes on what it calls.

The exchange is plain data both ways, so that a grader can put a process between the check and the function: an object
with a method ``guarded_call(args, kwargs, rules)`` is asked instead, and answers with an `Outcome` or its plain form.
"""

import contextlib
import linecache
import numbers
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
import torch.overrides
import torch.utils._device
import torch.utils._python_dispatch
from torch import Tensor

from vitcourse.checks.engine import forbidden, modes, timer
from vitcourse.errors import one_line

FAILURES = ("endless-loop", "forbidden-call", "not-implemented", "raises", "wrong-type")
OWN_FILES = (__file__, forbidden.__file__, modes.__file__)
# An exception thrown into the bookkeeping of torch's modes would leave them on for the rest of the session.
TORCH_MODES = (torch.overrides, torch.utils._device, torch.utils._python_dispatch, contextlib)
NOT_INTERRUPTED = (*OWN_FILES, *(module.__file__ for module in TORCH_MODES))
# What a text calls a number is one, whatever its class: a truth value, a whole number, any number, a text.
PLAIN = ((np.bool_, bool), (numbers.Integral, int), (numbers.Real, float), (str, str))
LIBRARIES = tuple({str(Path(sysconfig.get_path(name))) for name in ("stdlib", "purelib", "platlib")})


@dataclass(frozen=True)
class Rules:
    """How a function is called.

    Args:
        seconds: processor time for one call (see `timer.Limit`).
        forbidden: names that it may not use (see `forbidden.Watch`).
        gradient: also send a gradient back through the function's outputs to its floating inputs. The gradient at
            the outputs is the one of `upstream`.
    """

    seconds: float = 5.0
    forbidden: tuple[str, ...] = ()
    gradient: bool = False

    def to_plain(self) -> dict:
        return asdict(self) | {"forbidden": list(self.forbidden)}

    @classmethod
    def from_plain(cls, plain: Mapping) -> "Rules":
        return cls(float(plain["seconds"]), tuple(map(str, plain["forbidden"])), bool(plain["gradient"]))


@dataclass(frozen=True)
class Outcome:
    """What one call gave.

    Args:
        value: what the function returned, as plain data of its own (None where it failed).
        failure: None, or one of `FAILURES`.
        detail: the exception's text, the forbidden name, or the type that is not plain data.
        changed: the inputs that the function changed: positions from 0, or keyword names.
        gradients: with ``rules.gradient``, one entry for each positional input: its gradient, or None.
        errors: Python's own kinds of error that the exception is one of, from the nearest to BaseException.
    """

    value: object = None
    failure: str | None = None
    detail: str = ""
    changed: tuple[int | str, ...] = ()
    gradients: tuple[Tensor | None, ...] = ()
    errors: tuple[str, ...] = ()

    def to_plain(self) -> dict:
        plain = {field.name: getattr(self, field.name) for field in fields(self)}
        return plain | {name: list(plain[name]) for name in ("changed", "gradients", "errors")}

    @classmethod
    def from_plain(cls, plain: Mapping) -> "Outcome":
        """From a source that is not trusted: whatever has the wrong kind is dropped or named ``raises``."""
        failure = plain.get("failure")
        if failure is not None and failure not in FAILURES:
            failure = "raises"
        changed, gradients, errors = (
            part if isinstance(part := plain.get(name), list | tuple) else ()
            for name in ("changed", "gradients", "errors")
        )
        return cls(
            value=None if failure else plain.get("value"),
            failure=failure,
            detail=one_line(str(plain.get("detail", ""))) if plain.get("detail") else "",
            changed=tuple(name for name in changed if isinstance(name, int | str)),
            gradients=tuple(entry if isinstance(entry, Tensor) else None for entry in gradients),
            errors=tuple(name for name in errors if isinstance(name, str)),
        )


class NotPlainError(TypeError):
    """A value that cannot be exchanged; its argument is the name of its type."""


def call(function: Callable, args: tuple = (), kwargs: Mapping | None = None, rules: Rules | None = None) -> Outcome:
    """Calls ``function`` with copies of the arguments.

    Args:
        function: anything callable, or an object with ``guarded_call``.
        args: tensors, numbers, strings, truth values, None, and lists, tuples and dicts of these.
        kwargs: the same, by name.
        rules: time limit and forbidden names; the default forbids nothing.
    """
    kwargs, rules = dict(kwargs or {}), rules or Rules()
    proxy = getattr(function, "guarded_call", None)
    if proxy is not None:
        outcome = proxy(args, kwargs, rules)
        return outcome if isinstance(outcome, Outcome) else Outcome.from_plain(outcome)
    with modes.own():
        return _call(function, args, kwargs, rules)


def _call(function: Callable, args: tuple, kwargs: dict, rules: Rules) -> Outcome:
    given = [plain_copy(value) for value in args]
    named = {name: plain_copy(value) for name, value in kwargs.items()}
    if rules.gradient:
        given = [value.requires_grad_() if _has_gradient(value) else value for value in given]
    watch, limit = forbidden.Watch(rules.forbidden), timer.Limit(rules.seconds, NOT_INTERRUPTED)
    failure, detail, value, gradients, errors = None, "", None, (), ()
    try:
        with modes.NormalTensors(), watch, limit:
            value = function(*given, **named)
        gradients = _gradients(value, given) if rules.gradient else ()
    except timer.TimeIsUp:
        failure, detail = "endless-loop", limit.reason
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a learner's exit() must not end the notebook
        # With a text it is torch's own: of `1 - mask`, for one.
        empty = isinstance(error, NotImplementedError) and not error.args
        failure, detail = ("not-implemented", "") if empty else ("raises", describe(error))
        errors = tuple(kind.__name__ for kind in type(error).__mro__[:-1] if kind.__module__ == "builtins")
    if watch.seen is not None:  # first, because a function may catch what the forbidden call raises
        return Outcome(failure="forbidden-call", detail=watch.seen)
    if failure is not None:
        return Outcome(failure=failure, detail=detail, errors=errors)
    changed = [index for index, value_ in enumerate(args) if not same(value_, given[index])]
    changed += [name for name, value_ in kwargs.items() if not same(value_, named[name])]
    try:
        return Outcome(plain_copy(value), changed=tuple(changed), gradients=gradients)
    except NotPlainError as error:
        return Outcome(failure="wrong-type", detail=str(error))


def plain_copy(value: object) -> object:
    """A deep copy that shares no memory: tensors detached, dense and on the CPU; numbers, such as NumPy's, and texts
    as Python's own.

    Raises:
        NotPlainError: the value is not plain data; the message is the name of its type.
    """
    if isinstance(value, Tensor):
        if value.layout != torch.strided or value.is_quantized or value.device.type == "meta":
            raise NotPlainError(f"{value.layout} tensor on {value.device}")
        return value.detach().as_subclass(Tensor).cpu().clone()
    if value is None or type(value) in (bool, int, float, str):
        return value
    for kind, own in PLAIN:
        if isinstance(value, kind):
            with contextlib.suppress(Exception):  # a number too large for a float
                return own(value)
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(plain_copy(entry) for entry in value)
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {str(key): plain_copy(entry) for key, entry in value.items()}
    kind = type(value)
    raise NotPlainError(kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}")


def same(first: object, second: object) -> bool:
    """Whether two plain values are equal, number for number (NaN equals NaN)."""
    if isinstance(first, Tensor) and isinstance(second, Tensor):
        if first.shape != second.shape or first.dtype != second.dtype:
            return False
        second = second.detach()
        return bool(((first == second) | ((first != first) & (second != second))).all())
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(entry, second[key]) for key, entry in first.items())
    return type(first) is type(second) and first == second


def upstream(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """The gradient that is sent back from an output: uneven, because a softmax has no gradient for an even one."""
    return torch.cos(torch.arange(1, 1 + torch.Size(shape).numel(), device="cpu")).to(dtype).reshape(shape)


def _has_gradient(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _leads_back(output: Tensor, inputs: list) -> bool:
    """Whether a gradient can start here: a view that was made under `torch.no_grad` only looks as if it could."""
    return output.grad_fn is not None or any(output is entry for entry in inputs)


def _gradients(value: object, given: list) -> tuple[Tensor | None, ...]:
    inputs = [entry for entry in given if _has_gradient(entry)]
    outputs = value if isinstance(value, list | tuple) else [value]
    outputs = [output for output in outputs if isinstance(output, Tensor) and _leads_back(output, inputs)]
    if not outputs or not inputs:
        return (None,) * len(given)
    found = iter(gradients(outputs, inputs))
    return tuple(next(found) if _has_gradient(entry) else None for entry in given)


def gradients(outputs: Sequence[Tensor], inputs: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    """What comes back to the inputs when each output is sent its `upstream`; None to one that leads to no output."""
    # As the gradient of sums. Given to torch as it is, what is sent has torch import sympy, for half a second.
    sums = [(output * upstream(output.shape, output.dtype).to(output.device)).sum().real for output in outputs]
    return torch.autograd.grad(sums, inputs, allow_unused=True)


def describe(error: BaseException) -> str:
    """An exception in words: its type, its message, and the last line of the learner's own code that it passed."""
    try:
        text = one_line(error)
    except Exception:  # a __str__ that raises
        text = ""
    name = type(error).__name__
    where = _learner_line(error.__traceback__)
    return (name if text in ("", name) else f"{name}: {text}") + where


def _learner_line(traceback: TracebackType | None) -> str:
    where = ""
    while traceback is not None:
        file, number = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        source = linecache.getline(file, number).strip()
        if source and file not in OWN_FILES and not file.startswith(LIBRARIES):
            where = f", in line {number}: `{one_line(source, 80)}`"
        traceback = traceback.tb_next
    return where

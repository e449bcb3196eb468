"""What a check gave to a learner's function, as code that can be pasted into a cell and run."""

import inspect
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

LARGEST = 100  # numbers that are still written out; more are drawn again from the seed


def as_code(exercise: str, function: Callable, args: tuple, kwargs: Mapping[str, object], seed: object) -> str:
    """The lines that give ``function`` once more what it was given when its check failed.

    Args:
        exercise: id, "attention.scores".
        function: the learner's.
        args, kwargs: plain data, as for `guard.call`.
        seed: of the check.
    """
    own = getattr(function, "__name__", "")
    called = own if own.isidentifier() else exercise.partition(".")[2]
    values = dict(zip(_names(function, len(args)), args, strict=True)) | dict(kwargs)
    words = ", ".join([*list(values)[: len(args)], *(f"{name}={name}" for name in kwargs)])
    if sum(map(_count, values.values())) <= LARGEST:
        return "\n".join([*(f"{name} = {_literal(value)}" for name, value in values.items()), f"{called}({words})"])
    shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in values.items() if isinstance(value, Tensor))
    return (
        f"{', '.join(values)}{',' if len(values) == 1 else ''} = checks.{exercise}.inputs({called}, seed={seed!r})"
        f"{f'  # {shapes}' if shapes else ''}\n{called}({words})"
    )


def _names(function: Callable, count: int) -> list[str]:
    """The function's own names for its first arguments, or a, b, c."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        parameters = ()
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [parameter.name for parameter in parameters if parameter.kind in positional]
    return names[:count] if len(names) >= count else [chr(ord("a") + place) for place in range(count)]


def _count(value: object) -> int:
    if isinstance(value, Tensor):
        return value.numel()
    if isinstance(value, dict):
        return sum(map(_count, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_count, value))
    return len(value) // 8 if isinstance(value, str) else 1


def _literal(value: object) -> str:
    """A value as Python writes it, number for number."""
    if isinstance(value, Tensor):
        plain = torch.tensor(value.tolist()).dtype if value.numel() else torch.float32
        dtype = "" if value.dtype == plain else f", dtype={value.dtype}"
        size = f".reshape{tuple(value.shape)}" if not value.numel() and value.ndim > 1 else ""
        return f"torch.tensor({_numbers(value)}{dtype}){size}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {_literal(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        inside = ", ".join(map(_literal, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' if len(value) == 1 else ''})"
    return f'float("{value}")' if isinstance(value, float) and not np.isfinite(value) else repr(value)


def _numbers(value: Tensor) -> str:
    if value.ndim:
        between = ", " if value.ndim == 1 else ",\n    "  # a row on a line of its own
        return f"[{between.join(map(_numbers, value))}]" if value.numel() else "[]"
    number = value.item()
    if value.dtype == torch.float32 and np.isfinite(number):
        return str(np.float32(number))  # the shortest that gives the same number
    return _literal(number)

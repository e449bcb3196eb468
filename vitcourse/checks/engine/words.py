"""What a check has seen, in words: values, failures, and two numbers in which the difference can be seen."""

import inspect
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from numbers import Integral

import numpy as np
import torch
from torch import Tensor

from vitcourse.checks.engine import guard

# What Python says of a call that a function's own first line does not allow.
MISMATCH = re.compile(r"shapes cannot be multiplied \(\d+x(\d+) and (\d+)x(\d+)\)")
UNFIT = re.compile(r"positional argument|unexpected keyword argument|multiple values for argument")
MOST_DIGITS = 17  # tell any two floats apart


def apart(found: float, right: float, digits: int = 6) -> tuple[str, str]:
    """Two numbers as texts: with so many digits, and with more where it takes more to tell them apart."""
    if isinstance(found, bool) or isinstance(right, bool):
        return str(found), str(right)
    for more in range(digits, MOST_DIGITS + 1):
        texts = _text(found, more), _text(right, more)
        if found == right or Decimal(texts[0]) != Decimal(texts[1]):
            return texts
    return str(Decimal(found)), str(Decimal(right))  # a float, and a whole number with more digits than that


def _text(number: float, digits: int) -> str:
    return str(number) if isinstance(number, Integral) else f"{number + 0.0:.{digits}g}"  # + 0.0: no -0


def agree(name: str, singular: str, plural: str) -> str:
    """The form of a verb that goes with the name of a result: the logits are, the loss of a step is."""
    noun = name.partition(" of ")[0]
    return plural if noun.endswith("s") and not noun.endswith(("ss", "is", "as")) else singular


def first_difference(value: Tensor, expected: Tensor, name: str) -> str:
    """The entry that differs most, in words; the tensors are alike in shape and dtype."""
    same = (value == expected) | ((value != value) & (expected != expected))
    gap = (value.double() - expected.double()).abs().nan_to_num(nan=torch.inf).masked_fill(same, -1.0)
    place = tuple(map(int, np.unravel_index(int(gap.argmax()), gap.shape)))  # torch's own function loads sympy
    where = f"entry {list(place)} of {name}" if place else name
    found, right = apart(value[place].item(), expected[place].item())
    verb = "is" if place else agree(name, "is", "are")
    return f"On one of the inputs tried, {where} {verb} {found} and should be {right}."


def describe(value: object) -> str:
    """A plain value in a few words: the kind and shape of a tensor, a short number or text itself."""
    if isinstance(value, Tensor):
        return f"a {plain(value.dtype)} tensor of shape {tuple(value.shape)}"
    if value is None or isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"


def plain(dtype: torch.dtype) -> str:
    """A number type without its family: float32."""
    return str(dtype).removeprefix("torch.")


def shapes_apart(found: Sequence[int], wanted: Sequence[int]) -> str:
    """What sets a wrong shape apart from the right one, as a further sentence; empty where nothing simple does."""
    found, wanted = tuple(found), tuple(wanted)
    if sorted(found) == sorted(wanted):
        return " The sizes are right, in another order."
    if [size for size in found if size != 1] == [size for size in wanted if size != 1]:
        return f" An axis of size 1 is {'too much' if len(found) > len(wanted) else 'missing'}."
    if len(found) == len(wanted) - 1:
        lost = [axis for axis in range(len(wanted)) if wanted[:axis] + wanted[axis + 1 :] == found]
        return f" Axis {lost[0]} is gone." if lost else ""
    if len(found) == len(wanted):
        other = [axis for axis in range(len(wanted)) if found[axis] != wanted[axis]]
        return f" Only axis {other[0]} differs." if len(other) == 1 < len(wanted) else ""
    return ""


def name_of(function: Callable, place: int) -> str:
    """What a function calls its argument at this place."""
    names = list(inspect.signature(function).parameters)
    return names[place] if place < len(names) else f"argument {place + 1}"


def explain(outcome: guard.Outcome, on_error: str | None, given: str) -> tuple[str, str]:
    """The misconception's id and the detail of a call that failed."""
    if outcome.failure == "raises":
        unfit = "TypeError" in outcome.errors and UNFIT.search(outcome.detail) and ", in line " not in outcome.detail
        detail = f"Given {given}: {outcome.detail}"
        if (sizes := MISMATCH.search(detail)) and sizes[1] == sizes[3]:
            detail += " The second matrix fits if it is transposed."
        return "wrong-arguments" if unfit else on_error or "raises", detail
    if outcome.failure == "endless-loop":
        return "endless-loop", f"It was stopped after {outcome.detail}."
    if outcome.failure == "forbidden-call":
        return "forbidden-call", f"Called: `{outcome.detail}`."
    if outcome.failure == "wrong-type":
        return "wrong-type", f"It returned something of type `{outcome.detail}`."
    return outcome.failure, ""


def input_name(place: int | str) -> str:
    """An input by its position from 0, or by its keyword."""
    order = ("first", "second", "third", "fourth", "fifth")
    if isinstance(place, str):
        return f"`{place}`"
    return f"the {order[place]} input" if 0 <= place < len(order) else "an input"

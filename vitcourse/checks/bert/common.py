"""What the exercises of lesson 04 share."""

import torch
from torch import Tensor

from vitcourse.checks.probe import Probe, Wrong, describe

LESSON = "04_bert"
IGNORED = -100


def several(value: object, count: int, names: str) -> tuple:
    """A result of ``count`` parts.

    Raises:
        Wrong: it is something else.
    """
    if not isinstance(value, list | tuple) or len(value) != count:
        raise Wrong("wrong-type", f"Expected {names}, got {describe(value)}.")
    return tuple(value)


def letters(probe: Probe, count: int) -> str:
    """Different small letters in random order."""
    order = torch.randperm(26, generator=probe.generator, device="cpu")[:count]
    return "".join(chr(ord("a") + int(place)) for place in order)


def ids(probe: Probe, *shape: int, low: int = 10, high: int = 99) -> Tensor:
    """Random ids of words."""
    return torch.randint(low, high, shape, generator=probe.generator, device="cpu")

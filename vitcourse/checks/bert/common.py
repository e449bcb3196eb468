"""What the exercises of lesson 04 share."""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe

IGNORED = -100


def letters(probe: Probe, count: int) -> str:
    """Different small letters in random order."""
    order = torch.randperm(26, generator=probe.generator, device="cpu")[:count]
    return "".join(chr(ord("a") + int(place)) for place in order)


def ids(probe: Probe, *shape: int, low: int = 10, high: int = 99) -> Tensor:
    """Random ids of words."""
    return torch.randint(low, high, shape, generator=probe.generator, device="cpu")

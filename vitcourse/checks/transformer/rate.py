"""``transformer.rate(step, dim, warmup)``: the learning rate of the base model at each step, (N,) and counted from 1.

Source: Vaswani et al., "Attention Is All You Need" (2017), https://arxiv.org/abs/1706.03762, equation 3.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, int, int]


def right(step: Tensor, dim: int, warmup: int) -> Tensor:
    rise, fall = _parts(step, warmup)
    return (dim**-0.5 * torch.minimum(rise, fall)).float()


def _parts(step: Tensor, warmup: float) -> tuple[Tensor, Tensor]:
    """The line that rises, and the root that falls; both are 1 over the root of ``warmup`` at that step."""
    step = step.double()
    return step * warmup**-1.5, step**-0.5


def wrong(step: Tensor, dim: int, warmup: int) -> dict[str, Tensor]:
    (rise, fall), s = _parts(step, warmup), step.double()
    later, sooner = (_parts(s + by, warmup) for by in (1, -1))
    of = {
        "larger-of-the-two": torch.maximum(rise, fall),
        "only-rises": rise,
        "only-falls": fall,
        "stays-up": _parts(s.clamp(max=warmup), warmup)[0],
        "added/sum": rise + fall,
        "added/product": rise * fall,
        "falls-otherwise/line": torch.minimum(rise, warmup**0.5 / s),
        "falls-otherwise/square": torch.minimum(rise, warmup**1.5 / s**2),
        "falls-otherwise/jump": torch.minimum(rise, 1 / s),
        "rises-otherwise/share": torch.minimum(s / warmup, fall),
        "rises-otherwise/root": torch.minimum(s * warmup**-0.5, fall),
        "rises-otherwise/square": torch.minimum(s * warmup**-2.0, fall),
        "rises-otherwise/outside": torch.minimum((s * warmup) ** -1.5, fall),
        "rises-otherwise/no step": torch.minimum(torch.tensor(warmup**-1.5), fall),
        "counts-from-zero/one more": torch.minimum(*later),
        "counts-from-zero/one less": torch.minimum(*sooner),
        **{f"fixed-warmup/{n}": torch.minimum(*_parts(s, n)) for n in (100, 1000, 4000, 10_000)},
    }
    root, smaller = dim**-0.5, torch.minimum(rise, fall)
    return {
        **{name: (root * made).float() for name, made in of.items()},
        "width-otherwise/without": smaller.float(),
        "width-otherwise/times": (dim**0.5 * smaller).float(),
        "width-otherwise/whole": (smaller / dim).float(),
        **{f"width-otherwise/{n}": (n**-0.5 * smaller).float() for n in (64, 512, 768)},
    }


rate = Solved("transformer.rate", right=right, wrong=wrong, parts=("the rate",))


def _draw(probe: Probe) -> Inputs:
    """Steps up to four times the warm-up, in order."""
    warmup = probe.integer(5, 11)
    return torch.arange(1, 4 * warmup + probe.integer(1, 5)), *probe.sizes(1, 5, 15), warmup


def _shuffled(probe: Probe) -> Inputs:
    step, dim, warmup = _draw(probe)
    return step[probe.uniform(len(step)).argsort()], dim, warmup


rate.on("it rises in a line up to the step `warmup`, and falls with one over the root of the step from there")(_draw)
rate.on("any steps, in any order")(_shuffled)

"""``training.adamw(weight, gradients, rate, betas, eps, decay)``: the weight after every step, (steps, D).

Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, Tensor, float, tuple[float, float], float, float]


def right(
    weight: Tensor, gradients: Tensor, rate: float, betas: tuple[float, float], eps: float, decay: float
) -> Tensor:
    return _run(weight, gradients, rate, betas, eps, decay)


def _run(
    weight: Tensor,
    gradients: Tensor,
    rate: float,
    betas: tuple[float, float],
    eps: float,
    decay: float,
    *,
    seen: Callable[[Tensor, Tensor], Tensor] = lambda gradient, _weight: gradient,
    shrink: Callable[[float, float], float] = lambda rate, decay: 1 - rate * decay,
    late: bool = False,
    corrected: tuple[bool, bool] = (True, True),
    correction: Callable[[float, int], float] = lambda beta, step: 1 - beta**step,
    share: Callable[[float], float] = lambda beta: 1 - beta,
    square: Callable[[Tensor, Tensor], Tensor] = lambda gradient, _mean: gradient.square(),
    divisor: Callable[[Tensor, float], Tensor] = lambda square, eps: square.sqrt() + eps,
    begins: bool = False,
    sign: float = -1.0,
) -> Tensor:
    """The right weights, or those of a mistake.

    Args:
        seen: the gradient that the moments see.
        late: the weight decays after the step.
        begins: the moments begin at the first gradient, not at 0.
    """
    (one, two), kept = betas, []
    first = gradients[0] if begins else torch.zeros_like(weight)
    second = gradients[0].square() if begins else torch.zeros_like(weight)
    for step, given in enumerate(gradients, 1):
        gradient = seen(given, weight)
        if not late:
            weight = weight * shrink(rate, decay)
        first = one * first + share(one) * gradient
        second = two * second + share(two) * square(gradient, first)
        mean = first / correction(one, step) if corrected[0] else first
        spread = second / correction(two, step) if corrected[1] else second
        weight = weight + sign * rate * mean / divisor(spread, eps)
        if late:
            weight = weight * shrink(rate, decay)
        kept.append(weight)
    return torch.stack(kept)


def wrong(
    weight: Tensor, gradients: Tensor, rate: float, betas: tuple[float, float], eps: float, decay: float
) -> dict[str, Tensor]:
    case = (weight, gradients, rate, betas, eps, decay)

    def found(**how: object) -> Tensor:
        return _run(*case, **how)

    made, whole = found(), betas[::-1]
    return {
        "last-only": made[-1],
        "with-start": torch.cat([weight[None], made]),
        "changes-only": made.diff(dim=0, prepend=weight[None]),
        "no-correction": found(corrected=(False, False)),
        "no-correction/mean": found(corrected=(False, True)),
        "no-correction/square": found(corrected=(True, False)),
        "counts-from-zero": found(correction=lambda beta, step: torch.tensor(1 - beta ** (step - 1)).to(weight)),
        "correction-stands-still": found(correction=lambda beta, _: 1 - beta),
        "correction-multiplied": found(correction=lambda beta, step: 1 / (1 - beta**step)),
        "decay-in-the-moments": found(seen=lambda gradient, weight: gradient + decay * weight, shrink=lambda *_: 1.0),
        "decay-without-rate": found(shrink=lambda _, decay: 1 - decay),
        "no-decay": found(shrink=lambda *_: 1.0),
        "decay-grows": found(shrink=lambda rate, decay: 1 + rate * decay),
        "decay-after-the-step": found(late=True),
        "eps-inside-the-root": found(divisor=lambda square, eps: (square + eps).sqrt()),
        "eps-left-out": found(divisor=lambda square, _: square.sqrt()),
        "no-root": found(divisor=lambda square, eps: square + eps),
        "betas-swapped": _run(weight, gradients, rate, whole, eps, decay),
        "gradient-in-full": found(share=lambda _: 1.0),
        "squares-the-mean": found(square=lambda _, mean: mean.square()),
        "begins-at-the-gradient": found(begins=True, corrected=(False, False)),
        "begins-at-the-gradient/corrected": found(begins=True),
        "uphill": found(sign=1.0),
        "plain-sgd": weight - rate * gradients.cumsum(dim=0),
    }


adamw = Solved("training.adamw", right=right, wrong=wrong, parts=("the weights",), first="step")


def draw(probe: Probe, dtype: torch.dtype = torch.float32) -> Inputs:
    """Gradients so small that eps counts, betas so small that both averages move."""
    steps, dim = probe.sizes(2, 3, 7)
    betas = (probe.integer(5, 7) / 10, probe.integer(80, 95) / 100)
    gradients = 0.2 * (1 + probe.normal(steps, dim, dtype=dtype))
    return 2 + probe.normal(dim, dtype=dtype), gradients, probe.integer(5, 20) / 100, betas, 0.03, 0.3


adamw.on("the weight after every step: it decays, and moves by the corrected mean over the corrected root")(draw)


@adamw.on("the first step is about as long as the rate, however long the gradient", only=["no-correction", "no-root"])
def first_step(probe: Probe) -> Inputs:
    weight, gradients, rate, betas, _, _ = draw(probe)
    scale = torch.tensor([1e-3, 1.0, 1e3]).repeat(len(weight))[: len(weight)]
    return weight, (1 + gradients[:1].abs()) * scale, rate, betas, 1e-8, 0.0


adamw.exact(lambda probe: draw(probe, dtype=torch.float64))

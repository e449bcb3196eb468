"""``training.accumulate(…)``: the weights after every update, each of several small batches, (updates, P, K).

The model is the linear map ``images @ weight``, and the optimizer plain SGD, so that every mistake leaves its numbers.

Source: Ott et al., "Scaling Neural Machine Translation" (2018), section 3.2 (what they call cumulated gradients).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, Tensor, Tensor, list[Tensor], int, float, float]
Scale = Callable[[int, list[int]], float]  # of a batch's size, and the sizes of all batches of its update


def right(
    weight: Tensor, images: Tensor, labels: Tensor, batches: list[Tensor], every: int, rate: float, clip: float
) -> Tensor:
    return _run(weight, images, labels, batches, every, rate, clip)


def shortened(gradient: Tensor, clip: float) -> Tensor:
    return gradient * min(1.0, clip / (gradient.norm().item() + 1e-6))


def _run(
    weight: Tensor,
    images: Tensor,
    labels: Tensor,
    batches: list[Tensor],
    every: int,
    rate: float,
    clip: float,
    *,
    scale: Scale = lambda size, sizes: size / sum(sizes),
    each: Callable[[Tensor, float], Tensor] = lambda gradient, _: gradient,
    total: Callable[[Tensor, float], Tensor] = lambda gradient, _: gradient,
    end: Callable[[Tensor, float], Tensor] = shortened,
    clears: str = "update",
    told: list[Tensor] | None = None,
) -> Tensor:
    """The right weights, or those of a mistake.

    Args:
        scale: what the mean gradient of a batch is multiplied by.
        each, total, end: what is done to a batch's gradient, to the sum so far, and to the sum of an update.
        clears: when the sum is set to zero: "update", "batch" or "never".
        told: gets the sum of every update.
    """
    kept, so_far = [], torch.zeros_like(weight)
    for start in range(0, len(batches), every):
        group = batches[start : start + every]
        so_far = so_far if clears == "never" else torch.zeros_like(weight)
        for index in group:
            chances = (images[index] @ weight).softmax(dim=-1) - F.one_hot(labels[index], weight.shape[1])
            gradient = images[index].T @ chances / len(index)
            so_far = torch.zeros_like(weight) if clears == "batch" else so_far
            so_far = total(so_far + each(scale(len(index), [len(one) for one in group]) * gradient, clip), clip)
        if told is not None:
            told.append(so_far)
        so_far = end(so_far, clip)
        weight = weight - rate * so_far
        kept.append(weight)
    return torch.stack(kept)


def wrong(
    weight: Tensor, images: Tensor, labels: Tensor, batches: list[Tensor], every: int, rate: float, clip: float
) -> dict[str, Tensor]:
    case, all_items, largest = (weight, images, labels, batches), sum(map(len, batches)), max(map(len, batches))

    def found(every: int = every, **how: object) -> Tensor:
        return _run(*case, every, rate, clip, **how)

    def nothing(gradient: Tensor, _: float) -> Tensor:
        return gradient

    made = found()
    return {
        "steps-every-batch": found(every=1),
        "drops-the-rest": made[:-1],
        "with-start": torch.cat([weight[None], made]),
        "last-only": made[-1],
        "mean-of-means": found(scale=lambda _, sizes: 1 / len(sizes)),
        "not-divided": found(scale=lambda *_: 1.0),
        "rest-too-short": found(scale=lambda *_: 1 / every),
        "rest-too-short/items": found(scale=lambda size, _: size / (every * largest)),
        "rest-too-short/first": found(scale=lambda size, _: size / (every * len(batches[0]))),
        "summed-loss": found(scale=lambda size, _: float(size)),
        "summed-loss/batches": found(scale=lambda size, sizes: size / len(sizes)),
        "summed-loss/every": found(scale=lambda size, _: size / every),
        "divided-by-all": found(scale=lambda size, _: size / all_items),
        "divided-by-all/batches": found(scale=lambda *_: 1 / len(batches)),
        "not-cleared": found(clears="never"),
        "only-last-batch": found(clears="batch"),
        "only-last-batch/whole": found(clears="batch", scale=lambda *_: 1.0),
        "only-last-batch/means": found(clears="batch", scale=lambda _, sizes: 1 / len(sizes)),
        "clips-every-batch": found(each=shortened, end=nothing),
        "clips-every-batch/sum": found(total=shortened, end=nothing),
        "not-clipped": found(end=nothing),
        "always-to-the-bound": found(end=lambda gradient, clip: gradient * clip / gradient.norm()),
        "clips-each-number": found(end=lambda gradient, clip: gradient.clamp(-clip, clip)),
        "clips-by-the-square": found(
            end=lambda gradient, clip: shortened(gradient, clip) if gradient.norm() ** 2 > clip else gradient
        ),
        "uphill": found(scale=lambda size, sizes: -size / sum(sizes)),
    }


accumulate = Solved("training.accumulate", right=right, wrong=wrong, parts=("the weights",), first="update")


def draw(probe: Probe, short: bool = True) -> Inputs:
    """Batches of one size, or with a smaller one and fewer of them in the last update; nothing is clipped."""
    size, every, (pixels, classes) = probe.integer(4, 6), probe.integer(2, 3), probe.sizes(2, 3, 6)
    sizes = [size] * (3 * every - short)
    if short:  # not the only batch of its update, which would not be seen
        sizes[1 if every == 2 else -1] = probe.integer(1, size - 2)
    labels = torch.randint(classes, (sum(sizes),), generator=probe.generator)
    images, weight = probe.normal(len(labels), pixels), probe.normal(pixels, classes)
    batches = list(torch.randperm(len(labels), generator=probe.generator).split(sizes))
    return weight, images, labels, batches, every, 0.5, 1000.0


def draw_clipped(probe: Probe) -> Inputs:
    """A bound below the parts of the first gradients, and above the last one, whose images are faint.

    The second gradient is a little longer than the bound, and its square is less than that.
    """
    while True:
        weight, images, labels, batches, every, rate, _ = draw(probe, short=False)
        images[torch.cat(batches[-every:])] *= 0.05
        images[torch.cat(batches[every : 2 * every])] *= 0.3
        totals: list[Tensor] = []
        _run(weight, images, labels, batches, every, rate, 0.0, told=totals)
        clip = round(0.2 * totals[0].norm().item(), 3)
        ends = totals[-1].norm().item(), totals[0].abs().max().item()
        totals.clear()
        _run(weight, images, labels, batches, every, rate, clip, told=totals)
        second = totals[1].norm().item()
        between = second > 1.2 * clip and second**2 < 0.8 * clip
        if ends[0] < 0.8 * clip and ends[1] > 1.2 * clip and between:
            return weight, images, labels, batches, every, rate, clip


accumulate.on("batches of one size: every update is that of one large batch")(lambda probe: draw(probe, short=False))
accumulate.on("batches of several sizes, and fewer of them in the last update: so is every update now")(draw)
accumulate.on(
    "the gradient of an update is clipped, once, where it is longer than `clip`",
    only=["clips-every-batch", "not-clipped", "always-to-the-bound", "clips-each-number", "clips-by-the-square"],
)(draw_clipped)

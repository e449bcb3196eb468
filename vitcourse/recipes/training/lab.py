"""The fault-finding lab of lesson 08: the diagnoses that a run may be given, and what speaks for or against each.

A diagnosis is a list of signs. All of them show in a run that has this fault; in any other run one of them is missing,
and it says why the diagnosis does not fit. So nothing here says which fault a run has.
"""

import math
from collections.abc import Callable
from statistics import fmean
from textwrap import fill
from typing import NamedTuple

from vitcourse.errors import InputError
from vitcourse.recipes.training.broken import run
from vitcourse.recipes.training.faults import BATCHES, GROUPS, Log


class Sign(NamedTuple):
    """What a fault shows: how a run with it would look, whether a log does show it, and what is seen in that log."""

    would: str
    shows: Callable[[Log], bool]
    seen: Callable[[Log], str]


def copies(log: Log) -> float:
    """The share of held-out images that are among the training images."""
    return fmean(distance == 0 for distance in log.nearest)


def trained(log: Log) -> float:
    """The share of right answers in training, in the last epoch."""
    return fmean(log.right[-BATCHES:])


def unmoved(log: Log) -> list[str]:
    """The groups of layers that no step has moved."""
    return [group for group in GROUPS if not any(log.updates[group])]


def cut(log: Log) -> list[str]:
    """The groups of layers whose gradient was 0 throughout."""
    return [group for group in GROUPS if not any(log.gradients[group])]


def _cut(log: Log) -> str:
    return f"no gradient reaches {', '.join(cut(log))}" if cut(log) else "a gradient reaches all layers"


def _unmoved(log: Log) -> str:
    return f"no step moves {', '.join(unmoved(log))}" if unmoved(log) else "all layers move"


def _trained(log: Log) -> str:
    return f"{trained(log):.0%} of the training images are right"


def _largest(log: Log) -> float:
    return max(max(log.updates[group]) for group in ("block 1", "block 2"))


def _late(log: Log) -> float:
    """The largest update in the second half."""
    return max(max(sizes[len(sizes) // 2 :]) for sizes in log.updates.values())


def _first(log: Log) -> float:
    """The head's first gradient, as a share of that in the healthy run."""
    return log.gradients["head"][0] / run("healthy").gradients["head"][0]


GOOD = Sign(
    "70% or more of the held-out images would be right",
    lambda log: log.held[-1][2] > 0.7,
    lambda log: f"{log.held[-1][2]:.0%} of the held-out images are right",
)
REACHED = Sign("a gradient would reach all layers", lambda log: not cut(log), _cut)
MOVED = Sign("all layers would move", lambda log: not unmoved(log), _unmoved)
SAME_LEVELS = Sign(
    "mean and deviation of the pixels would be the same in both parts",
    lambda log: math.dist(log.levels["train"], log.levels["held"]) < 0.1,
    lambda log: f"mean and deviation are {levels(log, 'train')} in train, {levels(log, 'held')} in the held-out part",
)
SAME_TWICE = Sign(
    "the order of the held-out images would not matter",
    lambda log: abs(log.twice[0] - log.twice[1]) < 0.02,
    lambda log: "in two orders {:.1%} and {:.1%} of the held-out images are right".format(*log.twice),
)
NO_COPIES = Sign(
    "none of the held-out images would be a training image",
    lambda log: not copies(log),
    lambda log: f"{copies(log):.0%} of the held-out images are training images",
)


def levels(log: Log, part: str) -> str:
    """Mean and deviation of all pixels of "train" or "held", in words."""
    mean, deviation = log.levels[part]
    return f"{round(mean, 2) + 0.0:.2f} and {deviation:.2f}"


def _not(sign: Sign, would: str) -> Sign:
    return Sign(would, lambda log: not sign.shows(log), sign.seen)


# What a run may suffer from: name, the fault in words, signs.
DIAGNOSES: dict[str, tuple[str, list[Sign]]] = {
    "wrong labels": (
        "the labels belong to other images",
        [
            Sign(
                "the images nearest to each other would agree in their labels only by chance",
                lambda log: log.agree < 0.5,
                lambda log: f"{log.agree:.0%} of them agree in their labels",
            )
        ],
    ),
    "other inputs": (
        "the held-out images are prepared otherwise than the training images",
        [_not(SAME_LEVELS, "the pixels of both parts would have another mean or deviation")],
    ),
    "leak": (
        "held-out images are among the training images",
        [_not(NO_COPIES, "some held-out images would have a training image at distance 0")],
    ),
    "rate too high": (
        "the learning rate is far too high",
        [
            Sign(
                "single steps would change blocks by a good part of their size, 30% or more",
                lambda log: _largest(log) > 0.3,
                lambda log: f"the largest step changes a block by {_largest(log):.1%}",
            )
        ],
    ),
    "rate too low": (
        "the learning rate is far too low",
        [
            Sign(
                "no step would change a block by more than a thousandth",
                lambda log: 0 < _largest(log) < 1e-3,
                lambda log: f"the largest step changes a block by {_largest(log):.2%}",
            )
        ],
    ),
    "schedule": (
        "the schedule has ended long before the training",
        [
            Sign(
                "no weight would move in the second half, and all of them before",
                lambda log: _late(log) == 0 and not unmoved(log),
                lambda log: f"the largest step of the second half is {_late(log):.2%}, and over all {_unmoved(log)}",
            )
        ],
    ),
    "detached": (
        "what the head reads is cut off from the graph",
        [Sign("the head alone would have a gradient", lambda log: cut(log) == [*GROUPS][:-1], _cut)],
    ),
    "blind token": (
        "the token that the head reads has seen nothing of the image",
        [Sign("the patches alone would have no gradient", lambda log: cut(log) == ["patches"], _cut)],
    ),
    "not in the optimizer": (
        "the optimizer does not have all of the parameters",
        [
            Sign(
                "layers with a gradient would never move",
                lambda log: bool(set(unmoved(log)) - set(cut(log))),
                lambda log: f"{_unmoved(log)}; {_cut(log)}",
            )
        ],
    ),
    "softmax twice": (
        "the loss is given probabilities, and takes a softmax of them",
        [
            Sign(
                "the first gradient of the head would be about a tenth of the healthy one",
                lambda log: 0.05 < _first(log) < 0.2,
                lambda log: f"the head's first gradient is {_first(log):.2f} of the healthy one",
            )
        ],
    ),
    "norm in training mode": (
        "batch norm takes mean and variance from the held-out images",
        [_not(SAME_TWICE, "the share of right answers would depend on the order of the held-out images")],
    ),
    "overfitting": (
        "the model fits the training images and not the others, and all else is in order",
        [
            Sign(
                "the training images would be right, and far fewer of the others",
                lambda log: trained(log) > 0.9 and log.held[-1][2] < trained(log) - 0.15,
                lambda log: f"{_trained(log)}, and {log.held[-1][2]:.0%} of the others",
            ),
            SAME_LEVELS,
            SAME_TWICE,
        ],
    ),
    "too small": (
        "the model is too small to fit the training images, and all else is in order",
        [
            Sign(
                "more images would be right than by chance",
                lambda log: trained(log) > 0.15,
                _trained,
            ),
            Sign(
                "fewer than 80% of the training images would be right",
                lambda log: trained(log) < 0.8,
                _trained,
            ),
            REACHED,
            MOVED,
            Sign(
                "the first gradient of the head would be about as long as the healthy one",
                lambda log: _first(log) > 0.4,
                lambda log: f"the head's first gradient is {_first(log):.2f} of the healthy one",
            ),
        ],
    ),
    "healthy": ("nothing is wrong", [GOOD, REACHED, MOVED, SAME_LEVELS, SAME_TWICE, NO_COPIES]),
}


def fitting(log: Log) -> list[str]:
    """The diagnoses all of whose signs show."""
    return [name for name, (_, signs) in DIAGNOSES.items() if all(sign.shows(log) for sign in signs)]


def diagnose(name: str, diagnosis: str) -> None:
    """Prints whether a diagnosis fits a run, and what speaks for or against it.

    Args:
        name: of the run, see `broken.run`.
        diagnosis: a name in `DIAGNOSES`.

    Raises:
        InputError: there is no such run, or no such diagnosis.
    """
    if diagnosis not in DIAGNOSES:
        raise InputError(f"there is no diagnosis {diagnosis!r}; there are {', '.join(DIAGNOSES)}")
    log, (fault, signs) = run(name), DIAGNOSES[diagnosis]
    missing = [sign for sign in signs if not sign.shows(log)]
    if missing:
        sign = missing[0]
        lines = [f"Run {name}: not {diagnosis!r}.", f"If {fault}, {sign.would}.", f"Here {sign.seen(log)}."]
    else:
        lines = [f"Run {name}: yes, {diagnosis!r}: {fault}.", *(f"Seen: {sign.seen(log)}." for sign in signs)]
    print(*(fill(line, 66, subsequent_indent="  ") for line in lines), sep="\n")  # the width of a page

"""``asl_experiments.calibrate(logits, labels, temperatures)``: the temperature with the least cross-entropy.

Source: Guo et al. 2017, https://arxiv.org/abs/1706.04599, section 4.2.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Found = tuple[Tensor, Tensor, Tensor]


def right(logits: Tensor, labels: Tensor, temperatures: Tensor) -> Found:
    losses = torch.stack([F.cross_entropy(logits / t, labels) for t in temperatures])
    return temperatures[losses.argmin()], F.cross_entropy(logits, labels), losses.min()


def wrong(logits: Tensor, labels: Tensor, temperatures: Tensor) -> dict[str, Found]:
    best, before, after = right(logits, labels, temperatures)

    def chosen(losses: Tensor, place: Tensor | None = None) -> Found:
        place = losses.argmin() if place is None else place
        return temperatures[place], before, losses[place]

    losses = torch.stack([F.cross_entropy(logits / t, labels) for t in temperatures])
    shares = torch.stack([F.cross_entropy(logits.softmax(1) / t, labels) for t in temperatures])
    return {
        "multiplies": chosen(torch.stack([F.cross_entropy(logits * t, labels) for t in temperatures])),
        "of-shares": chosen(shares),
        "of-shares/before": (chosen(shares)[0], F.cross_entropy(logits.softmax(1), labels), shares.min()),
        "of-shares/logs": (temperatures.min(), before, before + temperatures.min().log()),
        "first-for-before": (best, losses[0], after),
        "greatest-loss": chosen(losses, losses.argmax()),
        "by-accuracy": chosen(losses, torch.tensor(0)),
        "place-not-value": (losses.argmin().to(logits.dtype), before, after),
        "summed": (best, before * len(labels), after * len(labels)),
    }


calibrate = Solved(
    "asl_experiments.calibrate",
    right=right,
    wrong=wrong,
    parts=("the temperature", "the loss before", "the loss after"),
)


def draw(probe: Probe) -> tuple[Tensor, Tensor, Tensor]:
    """A model that is too sure: its scores are three times those by which the labels are drawn."""
    count, letters = probe.integer(150, 200), probe.integer(5, 8)
    scores = 2 * probe.normal(count, letters)
    labels = torch.multinomial(scores.softmax(1), 1, generator=probe.generator)[:, 0]
    tried = torch.tensor([1.3, 0.35, 1.7, 2.6, 3.2, 0.15, 5.0])
    return 3 * scores, labels, tried


calibrate.on("the scores are divided by each temperature, and the least loss chooses")(draw)


@calibrate.exact
def in_float64(probe: Probe) -> tuple[Tensor, Tensor, Tensor]:
    scores, labels, tried = draw(probe)
    return scores.double() * 0.987654321, labels, tried.double()

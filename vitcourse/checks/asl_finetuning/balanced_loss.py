"""``asl_finetuning.balanced_loss(logits, boxes, labels, true_boxes, divisor)``: two losses and their balanced sum.

Cross-entropy of the letters divided by a constant C, plus the mean squared error of the boxes, as the project that the
lesson follows has it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.asl_data.common import draw_boxes
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, Tensor, Tensor, Tensor, float]
Losses = tuple[Tensor, Tensor, Tensor]


def right(logits: Tensor, boxes: Tensor, labels: Tensor, true_boxes: Tensor, divisor: float) -> Losses:
    return _told(F.cross_entropy(logits, labels), F.mse_loss(boxes, true_boxes), divisor)


def _told(letter: Tensor, box: Tensor, divisor: float) -> Losses:
    return letter / divisor + box, letter, box


def wrong(logits: Tensor, boxes: Tensor, labels: Tensor, true_boxes: Tensor, divisor: float) -> dict[str, Losses]:
    total, letter, box = right(logits, boxes, labels, true_boxes, divisor)
    raw, error = -logits.gather(1, labels[:, None]).mean(), boxes - true_boxes
    chance = logits.softmax(dim=1).gather(1, labels[:, None])[:, 0]
    letters = {
        "softmax-twice": F.cross_entropy(logits.softmax(dim=1), labels),
        "no-softmax": raw,
        "no-softmax/sign": -raw,
        "wrong-axis": -logits.log_softmax(dim=0).gather(1, labels[:, None]).mean(),
        "no-logarithm": chance.mean(),
        "no-logarithm/sign": -chance.mean(),
        "no-logarithm/rest": 1 - chance.mean(),
        "logarithm-of-the-mean": -chance.mean().log(),
        "letter-summed": len(labels) * letter,
        "wrong-sign": -letter,
        "other-base/2": letter / math.log(2),
        "other-base/10": letter / math.log(10),
    }
    squared = {
        "box-summed": 4 * box,
        "box-summed/all": boxes.numel() * box,
        "box-absolute": error.abs().mean(),
        "box-absolute/summed": error.abs().sum(1).mean(),
        "box-root": box.sqrt(),
        "box-root/each": error.norm(dim=1).mean(),
        "box-half": box / 2,
    }
    return {
        **{name: _told(made, box, divisor) for name, made in letters.items()},
        **{name: _told(letter, made, divisor) for name, made in squared.items()},
        "divided-twice": (total, letter / divisor, box),
        "divided-twice/sum": _told(letter / divisor, box, divisor),
        "divides-box": (letter + box / divisor, letter, box),
        "divides-box/told": (letter + box / divisor, letter, box / divisor),
        "divides-box/part": (total, letter, box / divisor),
        "multiplies-by-c": (letter * divisor + box, letter, box),
        "divides-both": ((letter + box) / divisor, letter, box),
        "c-ignored": (letter + box, letter, box),
        "mean-not-sum": (total / 2, letter, box),
    }


balanced_loss = Solved(
    "asl_finetuning.balanced_loss",
    right=right,
    wrong=wrong,
    parts=("the loss", "the cross-entropy", "the box loss"),
)


def draw(probe: Probe, dtype: torch.dtype = torch.float32) -> Inputs:
    batch, letters = probe.integer(5, 7), probe.integer(9, 12)
    logits, labels = 2 * probe.normal(batch, letters, dtype=dtype), (probe.uniform(batch) * letters).long()
    boxes, true_boxes = probe.uniform(batch, 4).to(dtype), draw_boxes(probe, batch).to(dtype)
    return logits, boxes, labels, true_boxes, float(probe.integer(15, 95))


def in_float64(probe: Probe) -> Inputs:
    return draw(probe, torch.float64)


balanced_loss.on("cross-entropy divided by C plus the mean squared error, then each of them as it is")(draw)
balanced_loss.exact(in_float64)
balanced_loss.differentiable(in_float64, to="both heads", slack=10, of=["logits", "boxes"])

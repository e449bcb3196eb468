"""``asl_finetuning.balanced_loss(logits, boxes, labels, true_boxes, divisor)``: two losses and their balanced sum.

Cross-entropy of the letters divided by a constant C, plus the mean squared error of the boxes, as the project that the
lesson follows has it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.asl_data.common import draw_boxes
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, close, several

balanced_loss = Check("asl_finetuning.balanced_loss")
Inputs = tuple[Tensor, Tensor, Tensor, Tensor, float]


def _draw(probe: Probe, dtype: torch.dtype = torch.float32) -> Inputs:
    batch, letters = probe.integer(5, 7), probe.integer(9, 12)
    logits = 2 * probe.normal(batch, letters, dtype=dtype)
    labels = (probe.uniform(batch) * letters).long()
    true_boxes = draw_boxes(probe, batch).to(dtype)
    boxes = true_boxes + 0.12 * (probe.uniform(batch, 4).to(dtype) - 0.5)
    return logits, boxes, labels, true_boxes, float(probe.integer(15, 95))


def _letter(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.double(), labels)


def _box(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    return (boxes.double() - true_boxes.double()).square().mean()


def _call(probe: Probe, inputs: Inputs, gradient: bool = False) -> tuple[list[Tensor], tuple]:
    value, gradients = probe.call(*inputs, gradient=True) if gradient else (probe.call(*inputs), ())
    parts = several(value, 3, "three numbers (loss, cross-entropy, box loss)")
    names = ("The loss", "The cross-entropy", "The box loss")
    return [probe.tensor(part, (), inputs[0].dtype, name) for part, name in zip(parts, names, strict=True)], gradients


@balanced_loss.property("the second number is the mean cross-entropy of the letters")
def _letters(probe: Probe) -> None:
    inputs = _draw(probe)
    logits, _, labels, _, divisor = inputs
    right, batch = _letter(logits, labels), len(labels)
    raw = -logits.double().gather(1, labels[:, None]).mean()
    suspects = {
        "softmax-twice": _letter(logits.softmax(dim=1), labels),
        "no-softmax": raw,
        "no-softmax/sign": -raw,
        "letter-summed": batch * right,
        "wrong-sign": -right,
        "other-base/2": right / math.log(2),
        "other-base/10": right / math.log(10),
        "divided-twice": right / divisor,
    }
    probe.equal(_call(probe, inputs)[0][1], right, suspects, name="the cross-entropy")


@balanced_loss.property("the third number is the mean squared error of the boxes")
def _boxes(probe: Probe) -> None:
    inputs = _draw(probe)
    _, boxes, _, true_boxes, divisor = inputs
    right = _box(boxes, true_boxes)
    absolute = (boxes.double() - true_boxes).abs()
    suspects = {
        "box-summed": 4 * right,
        "box-summed/all": boxes.numel() * right,
        "box-absolute": absolute.mean(),
        "box-absolute/summed": absolute.sum(1).mean(),
        "box-root": right.sqrt(),
        "box-root/each": (boxes.double() - true_boxes).norm(dim=1).mean(),
        "box-half": right / 2,
        "divides-box": right / divisor,
    }
    probe.equal(_call(probe, inputs)[0][2], right, suspects, name="the box loss", slack=0.02)


@balanced_loss.property("the first number is the cross-entropy divided by C, plus the box loss")
def _sum(probe: Probe) -> None:
    inputs = _draw(probe)
    logits, boxes, labels, true_boxes, divisor = inputs
    letter, box = _letter(logits, labels), _box(boxes, true_boxes)
    right = letter / divisor + box
    suspects = {
        "multiplies-by-c": letter * divisor + box,
        "divides-box": letter + box / divisor,
        "divides-both": (letter + box) / divisor,
        "c-ignored": letter + box,
        "mean-not-sum": right / 2,
    }
    probe.equal(_call(probe, inputs)[0][0], right, suspects, name="the loss", slack=0.02)


@balanced_loss.property("float64 comes in, float64 comes out, and both heads get their gradient")
def _gradient(probe: Probe) -> None:
    inputs = _draw(probe, torch.float64)
    parts, gradients = _call(probe, inputs, gradient=True)
    logits, boxes, labels, true_boxes, divisor = inputs
    with torch.enable_grad():
        logits, boxes = logits.clone().requires_grad_(), boxes.clone().requires_grad_()
        letter, box = _letter(logits, labels), _box(boxes, true_boxes)
        right = [letter / divisor + box, letter, box]
        sent = [upstream((), torch.float64)] * 3
        wanted = torch.autograd.grad(right, (logits, boxes), sent)
    for part, expected in zip(parts, right, strict=True):
        probe.equal(part, expected.detach(), name="a loss")
    for found, expected in zip(gradients, wanted, strict=False):
        probe.require(found is not None and close(found, expected, slack=10), "cuts-gradient")

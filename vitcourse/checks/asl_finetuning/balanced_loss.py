"""``asl_finetuning.balanced_loss(logits, boxes, labels, true_boxes, divisor)``: two losses and their balanced sum.

Cross-entropy of the letters divided by a constant C, plus the mean squared error of the boxes, as the project that the
lesson follows has it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.asl_finetuning.common import LESSON, PROVIDED, draw_boxes, several
from vitcourse.checks.check import Check
from vitcourse.checks.guard import upstream
from vitcourse.checks.probe import Probe, close

balanced_loss = Check(
    "asl_finetuning.balanced_loss",
    lesson=LESSON,
    title="Two losses and a constant",
    objective="10.2",
    difficulty=1,
    minutes=15,
    points=4,
    forbidden=PROVIDED,
    misconceptions={
        "softmax-twice": "The softmax is taken twice. `F.cross_entropy` takes logits and does the softmax itself: give "
        "it the scores as they are.",
        "no-softmax": "The logits are used as if they were logarithms of probabilities. They become that by "
        "`log_softmax` over the letters, the last axis.",
        "letter-summed": "The cross-entropies of the batch are added up. Take their mean, or the loss grows with the "
        "batch and C no longer fits.",
        "wrong-sign": "The cross-entropy is negative. It is minus the logarithm of the probability of the right "
        "letter; the logarithm itself is below 0.",
        "other-base": "The logarithm has another base. The cross-entropy uses the natural one, `log`.",
        "divided-twice": "The second number is divided by C already. The task asks for the cross-entropy as it is; "
        "only the sum sees C.",
        "box-summed": "The four sides of a box are added up. The mean squared error is the mean over all B times 4 "
        "numbers.",
        "box-absolute": "The errors of the box are not squared. That is the L1 loss, which is another one: see the "
        "section on what can take the place of C.",
        "box-root": "A root is taken of the box loss. The mean squared error has none.",
        "box-half": "The box loss is half of the mean squared error. `smooth_l1_loss` and `huber_loss` give that for "
        "small errors.",
        "multiplies-by-c": "The cross-entropy is multiplied by C. It is the large one of the two: divide it.",
        "divides-box": "The box loss is divided by C. It is the small one of the two already: divide the "
        "cross-entropy.",
        "divides-both": "The whole sum is divided by C. That changes the step and not the balance: divide the "
        "cross-entropy alone.",
        "c-ignored": "The sum does not depend on C. Divide the cross-entropy by it before you add.",
        "mean-not-sum": "The two parts are averaged. Add them.",
    },
)
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

"""``asl_data.blind(train_labels, train_boxes, valid_labels, valid_boxes)``: what an answer without looking reaches.

The letter is the most frequent of train, the box the mean of the train boxes; both are judged on valid.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import numbers, overlaps
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe

blind = Check("asl_data.blind")
Inputs = tuple[Tensor, Tensor, Tensor, Tensor]


def _draw(probe: Probe) -> Inputs:
    """Letters of which one is the most frequent in train and another in valid; boxes that lie higher in valid."""
    usual, other, *rest = torch.randperm(26, generator=probe.generator, device="cpu").tolist()
    often, seldom = probe.integer(7, 9), probe.integer(2, 3)
    train = [usual] * often + [other] * seldom + rest[: probe.integer(8, 12)]
    valid = [usual] * seldom + [other] * often + rest[: probe.integer(3, 6)]
    labels = [torch.tensor(part)[torch.randperm(len(part), generator=probe.generator)] for part in (train, valid)]
    boxes = [_boxes(probe, len(part), place) for part, place in zip((train, valid), (0.0, 0.06), strict=True)]
    return labels[0], boxes[0], labels[1], boxes[1]


def _boxes(probe: Probe, count: int, place: float) -> Tensor:
    """Boxes around the middle; a third of them are small, so that mean and median differ."""
    noise = 0.06 * probe.uniform(count, 4)
    boxes = torch.tensor([0.22, 0.22, 0.72, 0.76]) + noise + place
    boxes[: max(2, count // 3)] += torch.tensor([0.16, 0.1, -0.1, -0.16])
    return boxes


def _right(inputs: Inputs) -> Tensor:
    train_labels, train_boxes, valid_labels, valid_boxes = inputs
    usual = train_labels.bincount(minlength=26).argmax()
    found = overlaps(train_boxes.mean(0).expand_as(valid_boxes), valid_boxes)
    accuracy = (valid_labels == usual).double().mean()
    return torch.stack([accuracy, found.mean(), (found >= 0.5).double().mean()]).float()


def _call(probe: Probe, draws: list[Inputs], place: int) -> Tensor:
    """One of the three results, for every draw: one number alone could fit two mistakes."""
    return torch.stack([numbers(probe.call(*inputs), 3, "The result")[place] for inputs in draws])


@blind.property("the accuracy is that of the most frequent letter of train, on valid")
def _accuracy(probe: Probe) -> None:
    draws = [_draw(probe) for _ in range(3)]

    def suspects(inputs: Inputs) -> dict[str, float]:
        train, _, valid, _ = inputs
        usual, of_valid = (part.bincount(minlength=26).argmax() for part in (train, valid))
        return {
            "letter-of-valid": (valid == of_valid).float().mean(),
            "judged-on-train": (train == usual).float().mean(),
            "percent": 100 * _right(inputs)[0],
            "one-in-k/26": 1 / 26,
            "one-in-k/train": 1 / len(train.unique()),
            "one-in-k/valid": 1 / len(valid.unique()),
            "one-in-k/all": 1 / len(torch.cat([train, valid]).unique()),
        }

    _judge(probe, draws, 0, suspects, "the accuracy")


@blind.property("the mean IoU is that of the mean box of train, over the boxes of valid")
def _mean_iou(probe: Probe) -> None:
    draws = [_draw(probe) for _ in range(3)]

    def mean_iou(box: Tensor, boxes: Tensor) -> Tensor:
        return overlaps(box.expand_as(boxes), boxes).mean().float()

    def suspects(inputs: Inputs) -> dict[str, float]:
        _, train, _, valid = inputs
        return {
            "box-of-valid": mean_iou(valid.mean(0), valid),
            "judged-on-train": mean_iou(train.mean(0), train),
            "median-box": mean_iou(train.median(0).values, valid),
            "median-box/between": mean_iou(train.quantile(0.5, dim=0), valid),
            "overlap-of-means": mean_iou(train.mean(0), valid.mean(0, keepdim=True)),
            "one-number": mean_iou(train.mean().expand(4), valid),
            "percent": 100 * _right(inputs)[1],
        }

    _judge(probe, draws, 1, suspects, "the mean IoU")


def _judge(
    probe: Probe, draws: list[Inputs], place: int, suspects: Callable[[Inputs], dict[str, float]], name: str
) -> None:
    found = [suspects(inputs) for inputs in draws]
    wrong = {key: torch.tensor([float(one[key]) for one in found]) for key in found[0]}
    right = torch.stack([_right(inputs)[place] for inputs in draws])
    probe.equal(_call(probe, draws, place), right, wrong, name=name)


@blind.property("IoU@50 counts the boxes with an IoU of 0.5 or more")
def _threshold(probe: Probe) -> None:
    # Sides that floats hold exactly: many of the valid boxes have an IoU of exactly 0.5, some more, some less.
    train_labels, _, valid_labels, _ = _draw(probe)
    rows = {1.0: 0.75, 0.625: 0.5625, 0.5: 0.5, 0.25: 0.375}  # IoU with the train box: right edge
    counts = [probe.integer(1, 3), probe.integer(1, 3), probe.integer(4, 6), probe.integer(1, 3)]
    edges = [edge for edge, count in zip(rows.values(), counts, strict=True) for _ in range(count)]
    valid_boxes = torch.tensor([[0.25, 0.25, edge, 0.75] for edge in edges])
    train_boxes = torch.tensor([[0.25, 0.25, 0.75, 0.75]]).repeat(len(train_labels), 1)
    inputs = (train_labels, train_boxes, valid_labels.repeat(3)[: len(edges)], valid_boxes)
    right = _right(inputs)[2]
    suspects = {"more-than-half": torch.tensor([sum(counts[:2]) / len(edges)]), "percent": 100 * right[None]}
    probe.equal(_call(probe, [inputs], 2), right[None], suspects, name="IoU@50")

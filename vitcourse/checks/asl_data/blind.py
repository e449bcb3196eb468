"""``asl_data.blind(train_labels, train_boxes, valid_labels, valid_boxes)``: what an answer without looking reaches.

The letter is the most frequent of train, the box the mean of the train boxes; both are judged on valid.
"""

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import numbers, overlaps
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, Tensor, Tensor, Tensor]
Numbers = tuple[Tensor, Tensor, Tensor]


def right(train_labels: Tensor, train_boxes: Tensor, valid_labels: Tensor, valid_boxes: Tensor) -> Numbers:
    found = _ious(train_boxes.mean(0), valid_boxes)
    return _share(valid_labels == _usual(train_labels)), found.mean(), _share(found >= 0.5)


def _usual(labels: Tensor) -> Tensor:
    return labels.bincount(minlength=26).argmax()


def _kinds(labels: Tensor) -> Tensor:
    return labels.bincount().count_nonzero()


def _ious(box: Tensor, boxes: Tensor) -> Tensor:
    return overlaps(box.expand_as(boxes), boxes)


def _share(holds: Tensor) -> Tensor:
    return holds.float().mean()


def wrong(train_labels: Tensor, train_boxes: Tensor, valid_labels: Tensor, valid_boxes: Tensor) -> dict[str, Numbers]:
    accuracy, mean_iou, half = solution = right(train_labels, train_boxes, valid_labels, valid_boxes)
    usual, box, found = _usual(train_labels), train_boxes.mean(0), _ious(train_boxes.mean(0), valid_boxes)
    of_letters = {
        "letter-of-valid": _share(valid_labels == _usual(valid_labels)),
        "judged-on-train": _share(train_labels == usual),
        "one-in-k": torch.tensor(1 / 26),
        "one-in-k/train": 1 / _kinds(train_labels),
        "one-in-k/valid": 1 / _kinds(valid_labels),
        "one-in-k/both": 1 / _kinds(torch.cat([train_labels, valid_labels])),
    }
    of_boxes = {
        "box-of-valid": _ious(valid_boxes.mean(0), valid_boxes),
        "judged-on-train/box": _ious(box, train_boxes),
        "median-box": _ious(train_boxes.median(0).values, valid_boxes),
        "median-box/between": _ious(train_boxes.quantile(0.5, dim=0), valid_boxes),
        "overlap-of-means": _ious(box, valid_boxes.mean(0, keepdim=True)),
        "one-number": _ious(train_boxes.mean().expand(4), valid_boxes),
    }
    # A mistake with the box shows in the mean IoU; IoU@50 after it is a share of a few boxes, and would fit by chance.
    return {
        "percent": tuple(100 * part for part in solution),
        "counted-not-shared": tuple(len(valid_labels) * part for part in solution),
        **{name: (made, mean_iou, half) for name, made in of_letters.items()},
        **{name: (accuracy, made.mean(), half) for name, made in of_boxes.items()},
        "more-than-half": (accuracy, mean_iou, _share(found > 0.5)),
        "half-of-the-mean": (accuracy, mean_iou, _share(mean_iou >= 0.5)),
    }


blind = Solved(
    "asl_data.blind",
    right=right,
    wrong=wrong,
    parts=("the accuracy", "the mean IoU", "IoU@50"),
    read=lambda value: tuple(numbers(value, 3, "The result")),
)


@blind.on("letter and box are chosen on train, and judged on valid")
def usual(probe: Probe) -> Inputs:
    """Letters of which one is the most frequent in train and another in valid; boxes that lie higher in valid."""
    common, other, *rest = torch.randperm(26, generator=probe.generator, device="cpu").tolist()
    often, seldom = probe.integer(7, 9), probe.integer(2, 3)
    train = [common] * often + [other] * seldom + rest[: probe.integer(8, 12)]
    valid = [common] * seldom + [other] * often + rest[: probe.integer(3, 6)]
    labels = [torch.tensor(part)[torch.randperm(len(part), generator=probe.generator)] for part in (train, valid)]
    boxes = [_boxes(probe, len(part), place) for part, place in zip((train, valid), (0.0, 0.04), strict=True)]
    return labels[0], boxes[0], labels[1], boxes[1]


def _boxes(probe: Probe, count: int, place: float) -> Tensor:
    """Boxes around the middle; a third of them are small, so that mean and median differ."""
    boxes = torch.tensor([0.22, 0.22, 0.72, 0.76]) + 0.06 * probe.uniform(count, 4) + place
    boxes[: max(2, count // 3)] += torch.tensor([0.16, 0.1, -0.1, -0.16])
    return boxes


@blind.on("IoU@50 counts the boxes with an IoU of 0.5 or more")
def exactly_half(probe: Probe) -> Inputs:
    """Sides that floats hold exactly: many of the valid boxes have an IoU of exactly 0.5, some more, some less."""
    train_labels, _, valid_labels, _ = usual(probe)
    counts = [probe.integer(1, 3), probe.integer(1, 3), probe.integer(4, 6), probe.integer(1, 3)]
    edges = torch.tensor([0.75, 0.5625, 0.5, 0.375]).repeat_interleave(torch.tensor(counts))  # IoU 1, 0.625, 0.5, 0.25
    corner = torch.tensor([[0.25, 0.25]]).expand(len(edges), 2)
    valid_boxes = torch.cat([corner, edges[:, None], torch.full((len(edges), 1), 0.75)], dim=1)
    train_boxes = torch.tensor([[0.25, 0.25, 0.75, 0.75]]).repeat(len(train_labels), 1)
    return train_labels, train_boxes, valid_labels.repeat(3)[: len(edges)], valid_boxes

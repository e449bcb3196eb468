"""``asl_finetuning.giou(boxes, true_boxes)``: generalised intersection over union of pairs, (B, 4) and (B, 4) to (B,).

Source: Rezatofighi et al. 2019, https://arxiv.org/abs/1902.09630, algorithm 1.
"""

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import draw_boxes
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, close

giou = Check("asl_finetuning.giou")


def _area(box: Tensor) -> Tensor:
    return (box[:, 2:] - box[:, :2]).prod(dim=1)


def _parts(boxes: Tensor, true_boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Overlap, union and frame, in float64."""
    a, b = boxes.double(), true_boxes.double()
    sides = torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])
    both = sides.clamp(min=0).prod(1)
    frame = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    return both, _area(a) + _area(b) - both, frame


def _right(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    both, union, frame = _parts(boxes, true_boxes)
    return both / union - (frame - union) / frame


def _suspects(boxes: Tensor, true_boxes: Tensor) -> dict[str, Tensor]:
    a, b = boxes.double(), true_boxes.double()
    both, union, frame = _parts(a, b)
    iou, right, total = both / union, _right(a, b), _area(a) + _area(b)
    sides = torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])
    signed, inner = sides.prod(1), sides.prod(1)
    wide = (a[:, 2:] - a[:, :2] + b[:, 2:] - b[:, :2]).prod(1)
    outer = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    centre = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2).square().sum(1)

    def wrong(shared: Tensor, area: Tensor) -> Tensor:
        return shared / area - (frame - area) / frame

    return {
        "plain-iou": iou,
        "loss-not-measure": 1 - right,
        "loss-not-measure/iou": 1 - iou,
        "added-not-taken-off": iou + (frame - union) / frame,
        "over-union": iou - (frame - union) / union,
        "not-divided": iou - (frame - union),
        "empty-of-both": iou - (frame - both) / frame,
        "frame-inside-out": iou - (inner - union) / inner,
        "frame-of-sums": iou - (wide - union) / wide,
        "shared-counted-twice": wrong(both, total),
        "negative-overlap": wrong(signed, total - signed),
        "negative-overlap/clamped": wrong(signed.clamp(min=0), total - signed.clamp(min=0)),
        "clamped": right.clamp(min=0),
        "centre-distance": iou - centre / outer.square().sum(1),
    }


def _near(probe: Probe, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Boxes that overlap their true boxes in part, and are of another size."""
    true_boxes = draw_boxes(probe, probe.integer(5, 8))
    size = true_boxes[:, 2:] - true_boxes[:, :2]
    moved = (0.15 + 0.25 * probe.uniform(len(size), 2)) * size * (1 - 2 * (probe.uniform(len(size), 2) < 0.5).float())
    boxes = torch.cat([true_boxes[:, :2] + moved, true_boxes[:, 2:] + moved * 0.6], dim=1)
    return boxes.to(dtype), true_boxes.to(dtype)


def _apart(probe: Probe) -> tuple[Tensor, Tensor]:
    """Boxes beside, below and diagonally apart."""
    true_boxes = draw_boxes(probe, 6, 0.02, 0.42)
    away = torch.tensor([[0.5, 0.0], [0.0, 0.5], [0.5, 0.5]]).repeat(2, 1)
    size = 0.1 + 0.2 * probe.uniform(6, 2)
    corner = true_boxes[:, :2] + away + 0.02
    return torch.cat([corner, corner + size], dim=1), true_boxes


def _call(probe: Probe, boxes: Tensor, true_boxes: Tensor) -> Tensor:
    return probe.tensor(probe.call(boxes, true_boxes), (len(boxes),), boxes.dtype)


@giou.property("for boxes that overlap it is the IoU less the empty share of the frame")
def _values(probe: Probe) -> None:
    pair = _near(probe)
    probe.equal(_call(probe, *pair), _right(*pair), _suspects(*pair), name="the GIoU")


@giou.property("equal boxes have 1; for boxes that lie apart it is negative")
def _far(probe: Probe) -> None:
    boxes, true_boxes = _apart(probe)
    pair = torch.cat([boxes, true_boxes[:1]]), torch.cat([true_boxes, true_boxes[:1]])
    suspects = _suspects(*pair)
    del suspects["plain-iou"]  # was found above; here it is what a clamp gives, too
    probe.equal(_call(probe, *pair), _right(*pair), suspects, name="the GIoU", slack=5)


@giou.property("float64 comes in, float64 comes out, and boxes that lie apart get a gradient, too")
def _gradient(probe: Probe) -> None:
    boxes, true_boxes = (part.double() for part in _apart(probe))
    value, gradients = probe.call(boxes, true_boxes, gradient=True)
    value = probe.tensor(value, (len(boxes),), torch.float64)
    with torch.enable_grad():
        copy = boxes.clone().requires_grad_()
        right = _right(copy, true_boxes)
        (wanted,) = torch.autograd.grad(right, copy, upstream(right.shape, right.dtype))
    probe.equal(value, right.detach(), _suspects(boxes, true_boxes), name="the GIoU")
    probe.require(gradients[0] is not None and close(gradients[0], wanted, slack=100), "cuts-gradient")

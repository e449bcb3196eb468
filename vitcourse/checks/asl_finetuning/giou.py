"""``asl_finetuning.giou(boxes, true_boxes)``: generalised intersection over union of pairs, (B, 4) and (B, 4) to (B,).

Source: Rezatofighi et al. 2019, https://arxiv.org/abs/1902.09630, algorithm 1.
"""

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import EPSILONS, areas, draw_boxes, frame
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Pair = tuple[Tensor, Tensor]


def right(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    both, one, two = areas(boxes, true_boxes)
    return _made(both, one + two - both, frame(boxes, true_boxes))


def _made(both: Tensor, union: Tensor, around: Tensor) -> Tensor:
    return both / union - (around - union) / around


def wrong(boxes: Tensor, true_boxes: Tensor) -> dict[str, Tensor]:
    a, b = boxes, true_boxes
    (both, one, two), around = areas(a, b), frame(a, b)
    union, signed = one + two - both, areas(a, b, least=-torch.inf)[0]
    iou, solution = both / union, right(a, b)
    wide = (a[:, 2:] - a[:, :2] + b[:, 2:] - b[:, :2]).prod(1)
    outer = torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])
    centre = ((a[:, :2] + a[:, 2:] - b[:, :2] - b[:, 2:]) / 2).square().sum(1)
    cut = signed.clamp(min=0)
    return {
        "plain-iou": iou,
        "loss-not-measure": 1 - solution,
        "loss-not-measure/iou": 1 - iou,
        "added-not-taken-off": iou + (around - union) / around,
        "over-union": iou - (around - union) / union,
        "not-divided": iou - (around - union),
        "empty-of-both": iou - (around - both) / around,
        "empty-part-alone": (around - union) / around,
        "frame-inside-out": iou - (signed - union) / signed,
        "frame-of-sums": iou - (wide - union) / wide,
        "shared-counted-twice": _made(both, one + two, around),
        "shared-counted-twice/frame": iou - (around - one - two) / around,
        "negative-overlap": _made(signed, one + two - signed, around),
        "negative-overlap/clamped": _made(cut, one + two - cut, around),
        "clamped": solution.clamp(min=0),
        "centre-distance": iou - centre / outer.square().sum(1),
        "clipped": right(a.clamp(0, 1), b.clamp(0, 1)),
        "clipped/one": right(a.clamp(0, 1), b),
        **{f"adds-epsilon/{e}": both / (union + e) - (around - union) / around for e in EPSILONS},
        **{f"adds-epsilon/{e}, frame": iou - (around - union) / (around + e) for e in EPSILONS},
        **{f"adds-epsilon/{e}, both": both / (union + e) - (around - union) / (around + e) for e in EPSILONS},
        **{f"adds-epsilon/{e}, union": _made(both, union + e, around) for e in EPSILONS},
        **{f"adds-epsilon/{e}, all": _made(both, union + e, around + e) for e in EPSILONS},
    }


giou = Solved("asl_finetuning.giou", right=right, wrong=wrong, parts=("the GIoU",))


@giou.on("for boxes that overlap it is the IoU less the empty share of the frame")
def near(probe: Probe) -> Pair:
    """Boxes that overlap their true boxes in part, and are of another size."""
    true_boxes = draw_boxes(probe, probe.integer(5, 8))
    size = true_boxes[:, 2:] - true_boxes[:, :2]
    moved = (0.15 + 0.25 * probe.uniform(len(size), 2)) * size * (1 - 2 * (probe.uniform(len(size), 2) < 0.5).float())
    return torch.cat([true_boxes[:, :2] + moved, true_boxes[:, 2:] + moved * 0.6], dim=1), true_boxes


# A plain IoU was found above; here it is what a clamp gives, too.
@giou.on("equal boxes have 1; for boxes that lie apart it is negative", but=["plain-iou"])
def apart(probe: Probe) -> Pair:
    boxes, true_boxes = far(probe)
    return torch.cat([boxes, true_boxes[:1]]), torch.cat([true_boxes, true_boxes[:1]])


def far(probe: Probe) -> Pair:
    """Boxes beside, below and diagonally apart."""
    true_boxes = draw_boxes(probe, 6, 0.02, 0.42)
    away = torch.tensor([[0.5, 0.0], [0.0, 0.5], [0.5, 0.5]]).repeat(2, 1)
    corner = true_boxes[:, :2] + away + 0.02
    return torch.cat([corner, corner + 0.1 + 0.2 * probe.uniform(6, 2)], dim=1), true_boxes


@giou.on("nothing is clipped, wherever the boxes lie", only=["clipped"])
def outside(probe: Probe) -> Pair:
    boxes, true_boxes = near(probe)
    moved = torch.tensor([[0.3, -0.4, 0.3, -0.4]])
    return boxes + moved, true_boxes + moved


giou.exact(lambda probe: tuple(part.double() * 0.987654321 for part in near(probe)))
giou.differentiable(
    lambda probe: tuple(part.double() for part in far(probe)), "boxes that lie apart", slack=100, of=["boxes"]
)

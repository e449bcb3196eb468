"""``asl_data.iou(boxes, true_boxes)``: intersection over union of pairs of boxes, (B, 4) and (B, 4) to (B,).

Source: Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge" (2010), section 4.2.
"""

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import draw_boxes, overlaps
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe

iou = Check("asl_data.iou")


def _suspects(boxes: Tensor, true_boxes: Tensor) -> dict[str, Tensor]:
    """What each mistake gives for boxes inside the image, none inverted."""
    a, b = boxes.double(), true_boxes.double()
    sides = torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])
    shared = sides.clamp(min=0).prod(1)
    first, second = ((box[:, 2:] - box[:, :2]).prod(1) for box in (a, b))
    frame = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)
    more = [(part + 1).prod(1) for part in (sides.clamp(min=0), a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2])]
    late = [(part + 1).prod(1) for part in (sides, a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2])]
    signed = sides.prod(1)
    return {
        "shared-counted-twice": shared / (first + second),
        "over-one-box/true": shared / second,
        "over-one-box/predicted": shared / first,
        "over-one-box/smaller": shared / torch.minimum(first, second),
        "over-one-box/larger": shared / torch.maximum(first, second),
        "over-frame": shared / frame,
        "dice": 2 * shared / (first + second),
        "pixel-added": more[0] / (more[1] + more[2] - more[0]),
        "pixel-added/late": late[0] / (late[1] + late[2] - late[0]),
        "negative-overlap": signed / (first + second - signed),
        "negative-overlap/clamped": signed.clamp(min=0) / (first + second - signed.clamp(min=0)),
    }


def _pairs(probe: Probe, count: int) -> tuple[Tensor, Tensor]:
    """Boxes that overlap their true boxes in part, moved by up to a third of their size, and a little smaller."""
    true_boxes = draw_boxes(probe, count)
    size = true_boxes[:, 2:] - true_boxes[:, :2]
    moved = (0.1 + 0.2 * probe.uniform(count, 2)) * size
    return torch.cat([true_boxes[:, :2] + moved, true_boxes[:, 2:] + 0.3 * moved], dim=1).clamp(0, 1), true_boxes


def _call(probe: Probe, boxes: Tensor, true_boxes: Tensor) -> Tensor:
    count = len(boxes)
    return probe.tensor(
        probe.call(boxes, true_boxes), (count,), boxes.dtype, shapes={"all-pairs": (count, count)}, exact=True
    )


@iou.property("one number a pair")
def _shape(probe: Probe) -> None:
    _call(probe, *_pairs(probe, probe.integer(5, 9)))


@iou.property("the overlap is divided by what at least one of the two covers")
def _values(probe: Probe) -> None:
    pair = _pairs(probe, probe.integer(5, 9))
    probe.equal(_call(probe, *pair), overlaps(*pair), _suspects(*pair))


@iou.property("a perfect box has 1; boxes that lie apart, or only touch, have 0")
def _apart(probe: Probe) -> None:
    low = draw_boxes(probe, 4, 0.05, 0.45)
    away = torch.tensor([[0.5, 0.0], [0.0, 0.5], [0.5, 0.5], [0.0, 0.0]])
    boxes = low + torch.cat([away, away], dim=1)  # aside, below, both, and the same
    touching = torch.tensor([[0.25, 0.25, 0.5, 0.5]])
    boxes = torch.cat([boxes, touching + 0.25])
    true_boxes = torch.cat([low, touching])
    probe.equal(_call(probe, boxes, true_boxes), overlaps(boxes, true_boxes), _suspects(boxes, true_boxes))


@iou.property("an inverted or empty box has 0, whatever the other one is")
def _inverted(probe: Probe) -> None:
    true_boxes = draw_boxes(probe, 4)
    x1, y1, x2, y2 = true_boxes.unbind(1)
    order = ((x2, y1, x1, y2), (x1, y2, x2, y1), (x2, y2, x1, y1), (x1, y1, x1, y2))
    boxes = torch.stack([torch.stack(sides, dim=1)[row] for row, sides in enumerate(order)])
    turned = torch.stack([boxes[:, ::2], boxes[:, 1::2]], dim=2).sort(dim=1).values.flatten(1)
    zero = torch.zeros(4)
    value = _call(probe, boxes, true_boxes)
    probe.require(not bool(value.isnan().any()), "zero-by-zero", "The union of an inverted box came out as 0.")
    suspects = {"inverted-counts": overlaps(turned, true_boxes)}
    suspects |= {f"inverted-counts/{row}": suspects["inverted-counts"] * (torch.arange(4) == row) for row in range(3)}
    probe.equal(value, zero, suspects)


@iou.property("of a box that leaves the image only the part inside counts")
def _clipped(probe: Probe) -> None:
    true_boxes = draw_boxes(probe, 4, 0.0, 1.0)
    out = 0.1 + 0.3 * probe.uniform(4)
    boxes = true_boxes.clone()
    for row, (side, sign) in enumerate(((0, -1), (1, -1), (2, 1), (3, 1))):
        boxes[row, side] = (0.0 if sign < 0 else 1.0) + sign * out[row]
    sides = torch.minimum(boxes[:, 2:], true_boxes[:, 2:]) - torch.maximum(boxes[:, :2], true_boxes[:, :2])
    shared = sides.clamp(min=0).prod(1)
    union = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (true_boxes[:, 2:] - true_boxes[:, :2]).prod(1) - shared
    probe.equal(_call(probe, boxes, true_boxes), overlaps(boxes, true_boxes), {"not-clipped": shared / union})


@iou.property("float64 comes in, float64 comes out, with nothing lost on the way")
def _precision(probe: Probe) -> None:
    boxes, true_boxes = _pairs(probe, probe.integer(5, 9))
    boxes, true_boxes = boxes.double() * 0.987654321, true_boxes.double() * 0.987654321
    probe.equal(_call(probe, boxes, true_boxes), overlaps(boxes, true_boxes), _suspects(boxes, true_boxes))

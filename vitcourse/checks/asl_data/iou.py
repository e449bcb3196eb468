"""``asl_data.iou(boxes, true_boxes)``: intersection over union of pairs of boxes, (B, 4) and (B, 4) to (B,).

Source: Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge" (2010), section 4.2.
"""

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import EPSILONS, areas, draw_boxes, frame, overlaps
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Pair = tuple[Tensor, Tensor]


def wrong(boxes: Tensor, true_boxes: Tensor) -> dict[str, Tensor]:
    a, b = boxes.clamp(0, 1), true_boxes
    shared, one, two = areas(a, b)
    signed, first, second = areas(a, b, least=-torch.inf)
    around, union = frame(a, b), one + two - shared
    turned = torch.stack([a[:, ::2], a[:, 1::2]], dim=2).sort(dim=1).values.flatten(1)
    sized = [torch.cat([box[:, :2], box[:, :2] + box[:, 2:]], dim=1) for box in (a, b)]
    over = {
        "shared-counted-twice": one + two,
        "over-one-box/true": two,
        "over-one-box/predicted": one,
        "over-one-box/smaller": torch.minimum(one, two),
        "over-one-box/larger": torch.maximum(one, two),
        "over-frame": around,
        "dice": (one + two) / 2,
        "not-divided": torch.ones_like(one),
        "zero-by-zero": first + second - shared,
        **{f"adds-epsilon/{e}": union + e for e in EPSILONS},
    }
    of = {
        "all-pairs": (a[:, None], b),
        "size-as-corner": sized,
        "size-as-corner/clipped": (sized[0].clamp(0, 1), sized[1]),
        "pixel-added": (a, b, 0, 1),
        "pixel-added/late": (a, b, -torch.inf, 1),
        "inverted-counts": (turned, b),
        "not-clipped": (boxes, b),
        "not-clipped/below": (boxes.clamp(max=1), b),
        "not-clipped/above": (boxes.clamp(min=0), b),
    }
    parts = {name: areas(*how) for name, how in of.items()} | {
        "outer-edges": (around, one, two),
        "negative-overlap": (signed, first, second),
        "negative-overlap/clamped": (signed.clamp(min=0), first, second),
    }
    return {
        **{name: shared / area for name, area in over.items()},
        **{f"adds-epsilon/{e}, twice": (shared + e) / (union + e) for e in EPSILONS},
        **{name: both / (one + two - both) for name, (both, one, two) in parts.items()},
    }


iou = Solved("asl_data.iou", right=overlaps, wrong=wrong, parts=("the overlap",), typed=True)


@iou.on("the overlap is divided by what at least one of the two covers")
def near(probe: Probe) -> Pair:
    """Boxes that overlap their true boxes in part, moved by up to a third of their size, and a little smaller."""
    true_boxes = draw_boxes(probe, probe.integer(5, 9))
    moved = (0.1 + 0.2 * probe.uniform(len(true_boxes), 2)) * (true_boxes[:, 2:] - true_boxes[:, :2])
    return torch.cat([true_boxes[:, :2] + moved, true_boxes[:, 2:] + 0.3 * moved], dim=1).clamp(0, 1), true_boxes


@iou.on("a perfect box has 1; boxes that lie apart, or only touch, have 0")
def apart(probe: Probe) -> Pair:
    low, touching = draw_boxes(probe, 4, 0.05, 0.45), torch.tensor([[0.25, 0.25, 0.5, 0.5]])
    away = torch.tensor([[0.5, 0.0], [0.0, 0.5], [0.5, 0.5], [0.0, 0.0]])  # aside, below, both, and the same
    return torch.cat([low + away.repeat(1, 2), touching + 0.25]), torch.cat([low, touching])


@iou.on("an inverted or empty box has 0, whatever the other one is")
def inverted(probe: Probe) -> Pair:
    true_boxes = draw_boxes(probe, 4)
    orders = torch.tensor([[2, 1, 0, 3], [0, 3, 2, 1], [2, 3, 0, 1], [0, 1, 0, 3]])
    return true_boxes.gather(1, orders), true_boxes


@iou.on("of a box that leaves the image only the part inside counts", only=["not-clipped"])
def outside(probe: Probe) -> Pair:
    true_boxes = draw_boxes(probe, 4, 0.0, 1.0)
    out = (torch.eye(4) > 0) * torch.tensor([-1, -1, 1, 1]) * (0.1 + 0.3 * probe.uniform(4))
    return torch.where(out != 0, (out > 0) + out, true_boxes), true_boxes


iou.exact(lambda probe: tuple(box.double() * 0.987654321 for box in near(probe)))

"""``asl_data.undo_growth(boxes, width, height, k)``: boxes that grew by k of the other side, as they were: (B, 4).

With W = w + k h and H = h + k w in pixels; sides at the edge of the picture were cut off, and stay.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import draw_boxes
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Loss = Callable[[Tensor, Tensor, float], Tensor]  # from W, H and k to W - w
SIDES = (0.5, 0.5)  # of what an axis loses: the share of its first side, and of its second


def _loss(own: Tensor, other: Tensor, k: float) -> Tensor:
    return k * (other - k * own) / (1 - k * k)


def right(
    boxes: Tensor,
    width: int,
    height: int,
    k: float,
    loss: Loss = _loss,
    sides: tuple[float, float] = SIDES,
    counted: tuple[float, float] | None = None,
    cut: str = "stays",
) -> Tensor:
    first, second = (made.view(1, 2) for made in boxes.new_tensor([counted or (width, height), (width, height)]))
    extent = (boxes[:, 2:] - boxes[:, :2]) * first
    lost = loss(extent, extent.flip(1), k) / (first if counted else second)
    low, high = boxes[:, :2] == 0, boxes[:, 2:] == 1
    before, after = lost * sides[0], lost * sides[1]
    if cut == "takes-all":
        before, after = torch.where(high, lost, before), torch.where(low, lost, after)
    if cut == "axis-stays":
        low = high = low | high
    if cut != "moves":
        before, after = torch.where(low, 0.0, before), torch.where(high, 0.0, after)
    return boxes + torch.cat([before, -after], dim=1)


def wrong(boxes: Tensor, width: int, height: int, k: float) -> dict[str, Tensor]:
    losses: dict[str, Loss] = {
        "first-order": lambda _own, other, k: k * other,
        "own-side": lambda own, _other, k: own - own / (1 + k),
        "own-side/share": lambda own, _other, k: k * own,
        "divisor": lambda own, other, k: own - (own - k * other) / (1 + k * k),
        "divisor/one-k": lambda own, other, k: own - (own - k * other) / (1 - k),
        "sign": lambda own, other, k: own - (own + k * other) / (1 - k * k),
        "sign/plain": lambda _own, other, k: -k * other,
        "sign/back": lambda own, other, k: -_loss(own, other, k),
    }
    inputs, made = (boxes, width, height, k), right(boxes, width, height, k)
    in_order = right(*inputs, loss=losses["first-order"])
    in_order[:, 1::2] = right(*inputs, loss=lambda own, other, k: k * (other - k * own))[:, 1::2]
    pixels = boxes.new_tensor([width, height] * 2)
    return {
        **{name: right(*inputs, loss=loss) for name, loss in losses.items()},
        "first-order/in-order": in_order,
        "in-fractions": right(*inputs, counted=(1.0, 1.0)),
        "axes-exchanged": right(*inputs, counted=(height, width)),
        "whole-not-half": right(*inputs, sides=(1.0, 1.0)),
        "one-side": right(*inputs, sides=(0.0, 1.0)),
        "one-side/other": right(*inputs, sides=(1.0, 0.0)),
        "in-pixels": made * pixels,
        "cut-moves": right(*inputs, cut="moves"),
        "cut-takes-all": right(*inputs, cut="takes-all"),
        "cut-axis-stays": right(*inputs, cut="axis-stays"),
    }


undo_growth = Solved("asl_data.undo_growth", right=right, wrong=wrong, parts=("the boxes",), first="box")
CUT = ("cut-moves", "cut-takes-all", "cut-axis-stays")


@undo_growth.on("each side gives back the share of the other one", but=CUT)
def whole(probe: Probe) -> tuple[Tensor, int, int, float]:
    """Boxes inside a picture that is wider than high, and a k large enough that its square shows."""
    width, height = probe.integer(50, 60) * 10, probe.integer(20, 30) * 10
    return draw_boxes(probe, probe.integer(4, 7)), width, height, probe.integer(20, 30) / 100


@undo_growth.on("a side at the edge of the picture stays, and its opposite loses its half", only=CUT)
def cut(probe: Probe) -> tuple[Tensor, int, int, float]:
    boxes, *others = whole(probe)
    boxes = boxes[:4]
    for place in range(4):
        boxes[place, place] = float(place > 1)
    return boxes, *others


undo_growth.exact(lambda probe: (whole(probe)[0].double() * 0.987654321, 500, 300, 0.2))

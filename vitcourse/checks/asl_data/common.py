"""What the exercises of lesson 09 share: results that may come as lists or as tensors, and the measure of overlap."""

import torch
from torch import Tensor

from vitcourse.checks.boxes import draw_boxes
from vitcourse.checks.engine.probe import Wrong, describe, several

__all__ = ["LESSON", "LETTERS", "PROVIDED", "draw_boxes", "numbers", "overlaps", "several"]

LESSON = "09_asl_data"
PROVIDED = ("vitcourse", "torchvision")  # readers, measures and transforms of boxes
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def numbers(value: object, count: int, name: str) -> Tensor:
    """``count`` numbers from a list, a tuple or a tensor, as (count,) float32.

    Raises:
        Wrong: they are no numbers, or another count.
    """
    parts = list(value) if isinstance(value, list | tuple) else value
    if isinstance(parts, list) and all(_is_number(part) for part in parts):
        parts = torch.tensor([float(part) for part in parts], dtype=torch.float64, device="cpu")
    if not isinstance(parts, Tensor) or parts.dtype == torch.bool or parts.is_complex():
        raise Wrong("wrong-type", f"{name} should be {count} numbers, in a list or a tensor, and is {describe(value)}.")
    if tuple(parts.shape) != (count,):
        raise Wrong("wrong-shape", f"{name} should be {count} numbers; its shape is {tuple(parts.shape)}.")
    return parts.float()


def _is_number(value: object) -> bool:
    if isinstance(value, Tensor):
        return value.ndim == 0 and value.dtype != torch.bool and not value.is_complex()
    return isinstance(value, int | float) and not isinstance(value, bool)


def overlaps(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    """IoU in float64, (B, 4) and (B, 4) to (B,): predicted boxes are clipped to the image, inverted ones have 0."""
    boxes, true_boxes = boxes.double().clamp(0, 1), true_boxes.double()
    sides = torch.minimum(boxes[:, 2:], true_boxes[:, 2:]) - torch.maximum(boxes[:, :2], true_boxes[:, :2])
    shared = sides.clamp(min=0).prod(dim=1)
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)
    return shared / (area + (true_boxes[:, 2:] - true_boxes[:, :2]).prod(dim=1) - shared)

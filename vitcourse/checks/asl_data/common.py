"""What the exercises on boxes share: boxes drawn from a probe, their overlap, and numbers that may come as a list."""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe, Wrong, describe

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
EPSILONS = [10.0**-digits for digits in range(4, 11)]  # as written against a division by 0


def draw_boxes(probe: Probe, count: int, low: float = 0.1, high: float = 0.9) -> Tensor:
    """(count, 4): boxes between ``low`` and ``high``, xyxy, each from a fifth to a half of that extent in size."""
    extent = high - low
    size = (0.2 + 0.3 * probe.uniform(count, 2)) * extent
    corner = low + probe.uniform(count, 2) * (extent - size)
    return torch.cat([corner, corner + size], dim=1)


def areas(a: Tensor, b: Tensor, least: float = 0.0, more: float = 0.0) -> tuple[Tensor, Tensor, Tensor]:
    """What two boxes both cover, and each alone; sides are clamped to ``least``, and ``more`` is added to them."""
    inner = torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])
    every = (inner, *(box[..., 2:] - box[..., :2] for box in (a, b)))
    return tuple((sides.clamp(min=least) + more).prod(-1) for sides in every)


def frame(a: Tensor, b: Tensor) -> Tensor:
    """The area of the smallest box around both."""
    return (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)


def overlaps(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    """IoU, (B, 4) and (B, 4) to (B): predicted boxes are clipped to the image, inverted ones have 0."""
    both, one, two = areas(boxes.clamp(0, 1), true_boxes)
    return both / (one + two - both)


def numbers(value: object, count: int | None, name: str) -> Tensor:
    """``count`` numbers (None: any) from a list, a tuple or a tensor, as (count,) float32.

    Raises:
        Wrong: they are no numbers, or another count.
    """
    parts = list(value) if isinstance(value, list | tuple) else value
    if isinstance(parts, list) and all(map(is_number, parts)):
        parts = torch.tensor([float(part) for part in parts], dtype=torch.float64, device="cpu")
    wanted = f"{name} should be {count or 'a list of'} numbers"
    if not isinstance(parts, Tensor) or parts.dtype == torch.bool or parts.is_complex():
        raise Wrong("wrong-type", f"{wanted}, in a list or a tensor, and is {describe(value)}.")
    if count is not None and tuple(parts.shape) != (count,):
        raise Wrong("wrong-shape", f"{wanted}; its shape is {tuple(parts.shape)}.")
    return parts.float()


def is_number(value: object) -> bool:
    if isinstance(value, Tensor):
        return value.ndim == 0 and value.dtype != torch.bool and not value.is_complex()
    return isinstance(value, int | float) and not isinstance(value, bool)

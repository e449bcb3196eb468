"""What the exercises on boxes share: boxes drawn from a probe.

It stands outside of the topics: what lies in one loads all exercises of that lesson.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe


def draw_boxes(probe: Probe, count: int, low: float = 0.1, high: float = 0.9) -> Tensor:
    """(count, 4): boxes between ``low`` and ``high``, xyxy, each from a fifth to a half of that extent in size."""
    extent = high - low
    size = (0.2 + 0.3 * probe.uniform(count, 2)) * extent
    corner = low + probe.uniform(count, 2) * (extent - size)
    return torch.cat([corner, corner + size], dim=1)

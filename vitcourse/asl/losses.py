"""The two losses of the sign model and how they are put together."""

import torch.nn.functional as F
from torch import Tensor


def sign_loss(
    logits: Tensor, boxes: Tensor, labels: Tensor, true_boxes: Tensor, classification_divisor: float = 1.0
) -> dict[str, Tensor]:
    """Cross-entropy over the letters, divided by a constant C, plus the mean squared error of the boxes.

    A box is in fractions of the image, so its squared error is a few hundredths as soon as it is roughly right, while
    the cross-entropy starts near ln 26 = 3.26: without C the letter decides how the shared backbone moves.

    Args:
        logits: (B, K). boxes: (B, 4). labels: (B,), 0 to K - 1. true_boxes: (B, 4).
        classification_divisor: the constant C.

    Returns:
        ``loss`` (what is minimised), ``classification`` (before the division) and ``box``; scalars.

    Raises:
        ValueError: C is not above 0.
    """
    if classification_divisor <= 0:
        raise ValueError(f"the constant C must be above 0, got {classification_divisor}")
    classification = F.cross_entropy(logits, labels)
    box = F.mse_loss(boxes, true_boxes)
    return {"loss": classification / classification_divisor + box, "classification": classification, "box": box}

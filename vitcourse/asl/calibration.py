"""Whether a model that is 80% sure is right 80 times in 100, and one number that mends much of it.

Source: Guo, Pleiss, Sun and Weinberger 2017, https://arxiv.org/abs/1706.04599, sections 2 (equations 2 and 3) and 4.2.

Shape legend: N pictures, K letters, M bins.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def reliability(logits: Tensor, labels: Tensor, bins: int = 10) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures sorted into bins by how sure the model is of the letter that it says.

    Args:
        logits: (N, K). labels: (N,). bins: M bins of equal width; bin m holds confidences in ((m - 1) / M, m / M].

    Returns:
        The mean confidence, the share that is right, and the number of pictures of each bin, (M,); the first two are
        NaN where a bin is empty.
    """
    sure, said = logits.double().softmax(1).max(1)
    place = (sure * bins).ceil().long().clamp(1, bins) - 1
    count = place.bincount(minlength=bins)
    means = [torch.zeros(bins).double().index_add(0, place, v.double()) / count for v in (sure, said == labels)]
    return *means, count


def expected_calibration_error(logits: Tensor, labels: Tensor, bins: int = 10) -> float:
    """The mean distance of confidence and share right over the bins, each weighed by its pictures; a fraction of 1."""
    sure, right, count = reliability(logits, labels, bins)
    return ((sure - right).abs().nan_to_num() * count).sum().item() / int(count.sum())


def temperature(logits: Tensor, labels: Tensor) -> float:
    """The T > 0 for which softmax(logits / T) has the least cross-entropy. No letter changes: its order stays.

    In 1/T the cross-entropy is convex, so that its slope has one root, which is halved in on, from 1/20 to 20. A model
    that is always right, or always wrong, has none between them; it gets the end that is nearer.
    """
    logits, labels = logits.double(), labels[:, None]
    low, high = 0.05, 20.0
    for _ in range(60):
        factor = (low * high) ** 0.5
        expected = (F.softmax(factor * logits, 1) * logits).sum(1)
        slope = (expected - logits.gather(1, labels)[:, 0]).mean()
        low, high = (factor, high) if slope < 0 else (low, factor)
    return 1 / (low * high) ** 0.5

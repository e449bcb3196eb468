"""What repeated runs allow to say."""

from collections.abc import Sequence

import numpy as np


def paired_interval(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """The mean of the differences ``a - b`` of paired runs, and the ends of its confidence interval: (mean, low, high).

    Run i of both has the same seed, so what they share, such as the order of the data, is not in the difference. The
    interval is Student's: mean ± t * s / sqrt(n), with n - 1 degrees of freedom and s the standard deviation of the
    differences. It takes these to be normally distributed, and to be of seeds alone: another task is another question.

    Source: Student, "The Probable Error of a Mean" (1908).

    Raises:
        ValueError: the two are not of equal length, there are fewer than two pairs, or ``confidence`` is not in (0, 1).
    """
    from scipy import stats

    if len(a) != len(b) or len(a) < 2:
        raise ValueError(f"a paired interval needs two pairs or more, got {len(a)} and {len(b)} runs")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, got {confidence}")
    apart = np.subtract(a, b)
    half = stats.t.ppf((1 + confidence) / 2, len(apart) - 1) * stats.sem(apart)
    return float(apart.mean()), float(apart.mean() - half), float(apart.mean() + half)

"""Intervals of paired differences: by hand, and how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from vitcourse.statistics import paired_interval


def test_by_hand():
    """Differences 1, 2, 3: mean 2, deviation 1, and t for 95% and two degrees of freedom is 4.303."""
    found = paired_interval([2, 4, 6], [1, 2, 3])
    assert found == pytest.approx((2, 2 - 4.3027 / 3**0.5, 2 + 4.3027 / 3**0.5), abs=1e-4)
    assert paired_interval([1, 2, 3], [2, 4, 6]) == pytest.approx((-2, -found[2], -found[1]))


def test_it_is_the_interval_of_the_paired_t_test():
    a, b = np.random.default_rng(0).normal(size=(2, 7))
    theirs = stats.ttest_rel(a, b).confidence_interval(0.9)
    assert paired_interval(a, b, 0.9)[1:] == pytest.approx((theirs.low, theirs.high))


def test_it_holds_the_truth_as_often_as_it_says():
    """Also where both runs of a pair share a large part, which an unpaired interval would not leave out."""
    rng, held = np.random.default_rng(1), 0
    for _ in range(600):
        shared = rng.normal(scale=10, size=5)
        _, low, high = paired_interval(shared + rng.normal(0.5, 1, 5), shared + rng.normal(0, 1, 5))
        held += low <= 0.5 <= high
    assert 0.92 < held / 600 < 0.98


@pytest.mark.parametrize(
    ("a", "b", "confidence", "words"),
    [
        ([1, 2], [1, 2, 3], 0.95, "got 2 and 3 runs"),
        ([1], [2], 0.95, "got 1 and 1 runs"),
        ([1, 2], [1, 3], 95, "got 95"),
    ],
)
def test_bad_input_is_named(a, b, confidence, words):
    with pytest.raises(ValueError, match=words):
        paired_interval(a, b, confidence)

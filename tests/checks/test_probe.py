"""What a wrong number is taken for."""

import math

import pytest
import torch

from vitcourse import checks
from vitcourse.checks.engine.probe import Probe, Wrong

A, B = "divided", "doubled"


@pytest.mark.parametrize(
    ("value", "expected", "suspects", "misconception"),
    [
        pytest.param([0.5, 4.0], [1.0, 2.0], {A: [0.5, 1.0], B: [2.0, 4.0]}, "wrong-values", id="neither"),
        pytest.param([2.0, 4.0], [1.0, 2.0], {A: [0.5, 1.0], B: [2.0, 4.0]}, B, id="one of two"),
        pytest.param([2.0, 4.0], [1.0, 2.0], {A: [0.5, 1.0], f"{B}/by adding": [2.0, 4.0]}, B, id="a way into one"),
        pytest.param([1.0, 2.1], [1.0, 2.0], {A: [1.0, 2.10003], B: [1.0, 2.1]}, B, id="the nearer of two"),
        pytest.param([2e-3], [6e-4], {A: [2e-3 + 2e-7]}, A, id="rounded, small"),
        pytest.param([2e-3], [6e-4], {A: [2e-3 + 1.5e-5]}, "wrong-values", id="small, and by chance near a suspect"),
        pytest.param([math.nan, 1.0], [0.0, 1.0], {A: [math.nan, 1.0]}, A, id="not a number, as suspected"),
        pytest.param([math.nan, 1.0], [0.0, 1.0], {A: [math.inf, 1.0]}, "wrong-values", id="not a number, unforeseen"),
    ],
)
def test_the_suspect_that_explains_the_difference(value, expected, suspects, misconception):
    probe = Probe(checks.CATALOGUE["attention.scores"], None, seed=0, salt=0)
    with pytest.raises(Wrong) as wrong:
        probe.equal(torch.tensor(value), torch.tensor(expected), {k: torch.tensor(v) for k, v in suspects.items()})
    assert wrong.value.misconception == misconception

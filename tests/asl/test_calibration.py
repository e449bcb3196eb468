"""Reliability by hand, and a temperature that is known."""

import pytest
import torch
import torch.nn.functional as F

from vitcourse.asl.calibration import expected_calibration_error, reliability, temperature


def logits_of(sure, count=3):
    """Of letter 0, and what is left shared by the others."""
    sure = torch.tensor(sure, dtype=torch.float64)
    rest = ((1 - sure) / (count - 1))[:, None].expand(-1, count - 1)
    return torch.cat([sure[:, None], rest], dim=1).log()


def test_four_pictures_by_hand():
    """Sure 0.9, 0.9, 0.6 and 0.6, of which the first alone and the last two are right."""
    found, labels = logits_of([0.9, 0.9, 0.6, 0.6]), torch.tensor([0, 1, 0, 0])
    sure, right, count = reliability(found, labels, bins=2)
    assert count.tolist() == [0, 4]
    assert sure[1].item() == pytest.approx(0.75)
    assert right[1].item() == 0.75
    assert sure[0].isnan()
    assert expected_calibration_error(found, labels, bins=2) == pytest.approx(0.0)
    # In ten bins the errors do not cancel: 0.9 against 0.5, and 0.6 against 1.
    assert expected_calibration_error(found, labels, bins=10) == pytest.approx(0.4)


def test_a_confidence_at_an_edge_belongs_to_the_bin_below():
    assert reliability(logits_of([0.5, 1 - 1e-9]), torch.tensor([0, 0]), 2)[2].tolist() == [1, 1]


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_a_factor(factor):
    """Labels drawn from softmax(z): for z times a factor, the factor is the temperature."""
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(20_000, 5, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    found = temperature(factor * logits, labels)
    assert found == pytest.approx(factor, rel=0.05)
    assert expected_calibration_error(factor * logits / found, labels) < 0.02
    around = [F.cross_entropy(factor * logits / (found * t), labels).item() for t in (0.97, 1.0, 1.03)]
    assert min(around) == around[1]


def test_a_model_that_is_never_wrong_gets_the_end_of_the_range():
    logits = torch.eye(3)
    assert temperature(logits, torch.arange(3)) == pytest.approx(1 / 20, rel=1e-3)
    assert temperature(logits, torch.tensor([1, 2, 0])) == pytest.approx(20, rel=1e-3)

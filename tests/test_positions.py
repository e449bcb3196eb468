import math

import pytest
import torch

from vitcourse.positions import sinusoidal, sinusoidal_grid


def test_sinusoidal_by_hand():
    table = sinusoidal(3, 4)
    assert table[0].tolist() == [0, 0, 1, 1]
    expected = [math.sin(2), math.sin(2 / 100), math.cos(2), math.cos(2 / 100)]
    torch.testing.assert_close(table[2], torch.tensor(expected))


def test_a_shift_is_a_rotation():
    """PE(p + k) is one matrix times PE(p), whatever p is (Vaswani et al. 2017, section 3.5)."""
    table = sinusoidal(50, 16).double()
    sines, cosines = table[:, :8], table[:, 8:]
    turn_sin, turn_cos = sines[7], cosines[7]
    moved = torch.cat([sines * turn_cos + cosines * turn_sin, cosines * turn_cos - sines * turn_sin], dim=1)
    torch.testing.assert_close(moved[:43], table[7:], atol=1e-5, rtol=0)


def test_grid_is_in_reading_order_x_first():
    grid, line = sinusoidal_grid(3, 8), sinusoidal(3, 4)
    for row in range(3):
        for column in range(3):
            assert torch.equal(grid[3 * row + column], torch.cat([line[column], line[row]]))


@pytest.mark.parametrize("call", [lambda: sinusoidal(4, 5), lambda: sinusoidal_grid(4, 6)])
def test_a_dim_that_does_not_divide_is_named(call):
    with pytest.raises(ValueError, match=r"got [56]"):
        call()

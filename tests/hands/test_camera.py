"""What the camera does to a picture."""

import torch

from vitcourse.hands.camera import photograph
from vitcourse.hands.draws import Draws

SIZE = 40
STILL = torch.zeros(1, dtype=torch.bool)


def test_black_strips_never_reach_the_hand():
    margins = torch.tensor([[0.05, 0.1, 0.0, 0.3]]).expand(400, 4)
    photo = photograph(Draws(2, range(400)), torch.full((400, 3, SIZE, SIZE), 0.8), margins, STILL.expand(400))
    assert photo.dtype == torch.uint8
    left, top, bottom = round(0.05 * SIZE), round(0.1 * SIZE), SIZE - round(0.3 * SIZE)
    assert photo[:, :, top:bottom, left:].amax(1).min() > 30
    dark = photo[:, :, :2].amax((1, 2, 3)) < 30  # a strip along the upper edge
    assert 0.005 < dark.double().mean() < 0.08


def test_some_photos_are_grey():
    colours = torch.tensor([0.9, 0.5, 0.2])[:, None, None].expand(300, 3, SIZE, SIZE).clone()
    photo = photograph(Draws(3, range(300)), colours, torch.zeros(300, 4), STILL.expand(300)).float().mean((2, 3))
    grey = (photo[:, 0] - photo[:, 2]).abs() < 8
    assert 0.09 < grey.double().mean() < 0.22


def test_movements_are_blurred_and_brightness_is_kept():
    stripes = (torch.arange(SIZE) // 3 % 2).float().expand(200, 3, SIZE, SIZE).contiguous() * 0.6 + 0.2

    def contrast(moving: bool) -> torch.Tensor:
        photo = photograph(Draws(6, range(200)), stripes.clone(), torch.zeros(200, 4), torch.full((200,), moving))
        return photo.float().std((1, 2, 3))

    still, moved = contrast(False), contrast(True)
    blurred = moved < 0.8 * still
    assert 0.08 < blurred.double().mean() < 0.5  # every second moves, and some of these along the stripes
    torch.testing.assert_close(moved[~blurred], still[~blurred], rtol=0.25, atol=1)

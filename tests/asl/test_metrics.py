import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torchvision.ops import box_iou

from vitcourse.asl import aligned_iou, evaluate
from vitcourse.asl.metrics import both_ways, measure, predict


def boxes(*rows):
    return torch.tensor(rows, dtype=torch.float64)


def test_iou_by_hand():
    truth = boxes([0.0, 0.0, 0.5, 0.5])
    for box, expected in [
        ([0.0, 0.0, 0.5, 0.5], 1.0),
        ([0.25, 0.0, 0.75, 0.5], 1 / 3),
        ([0.0, 0.0, 0.5, 0.25], 0.5),
        ([0.5, 0.5, 1.0, 1.0], 0.0),
        ([-3.0, -1.0, 0.5, 0.5], 1.0),  # clipped to the image first
        ([0.5, 0.5, 0.0, 0.0], 0.0),  # inverted on both axes: two negative sides must not make an area
        ([0.5, 0.0, 0.0, 0.5], 0.0),
        ([0.2, 0.2, 0.2, 0.2], 0.0),
    ]:
        assert aligned_iou(boxes(box), truth).item() == pytest.approx(expected), box


UNIT = st.floats(0, 1, width=32)


@given(st.lists(st.tuples(UNIT, UNIT, UNIT, UNIT), min_size=1, max_size=5))
def test_iou_equals_torchvision_on_proper_boxes(rows):
    raw = boxes(*rows)
    proper = torch.cat([torch.minimum(raw[:, :2], raw[:, 2:]), torch.maximum(raw[:, :2], raw[:, 2:])], dim=1)
    truth = boxes([0.2, 0.3, 0.7, 0.6]).expand(len(rows), -1)
    torch.testing.assert_close(aligned_iou(proper, truth), box_iou(proper, truth).diagonal(), atol=1e-12, rtol=0)


def test_thresholds_include_their_value():
    """IoU@50 counts an IoU of exactly one half."""
    logits = torch.eye(2)
    half = torch.tensor([[0.0, 0.0, 0.5, 0.25], [0.0, 0.0, 0.5, 0.5]])
    result = measure(logits, half, torch.tensor([0, 0]), torch.tensor([[0.0, 0.0, 0.5, 0.5]] * 2))
    assert result["iou50"] == 1.0
    assert result["iou75"] == 0.5
    assert result["iou90"] == 0.5
    assert result["mean_iou"] == 0.75
    assert result["accuracy"] == 0.5
    assert result["loss"] == pytest.approx((torch.tensor([0.31326166, 1.31326166])).mean().item())


class Fixed(nn.Module):
    """A model whose outputs follow from the image: letter from the first pixel, box from the second."""

    image_size = 8

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images):
        assert not self.training
        first = ((images[:, 0, 0, 0] + 1) * 127.5).round().long()
        return torch.nn.functional.one_hot(first, 26) * self.scale, images[:, 0, 0, 4:8]


def test_evaluate_covers_the_data_in_any_batching_and_restores_the_mode():
    generator = torch.Generator().manual_seed(0)
    items = []
    for i in range(10):
        image = torch.randint(0, 255, (3, 8, 8), dtype=torch.uint8, generator=generator)
        image[:, 0, 0] = i
        items.append({"image": image, "label": i if i < 7 else 0, "box": torch.tensor([0.1, 0.1, 0.9, 0.9])})
    model = Fixed().train()
    results = [evaluate(model, items, batch_size=size) for size in (3, 64)]
    assert results[0] == results[1]
    assert results[0]["accuracy"] == pytest.approx(0.7)
    assert model.training


def test_predict_takes_images_of_any_size():
    images = [torch.zeros(3, 20, 30, dtype=torch.uint8), torch.full((3, 9, 9), 2, dtype=torch.uint8)]
    logits, predicted = predict(Fixed(), images)
    assert logits.argmax(1).tolist() == [0, 2]
    assert predicted.shape == (2, 4)


def test_a_picture_and_its_mirror_image_are_one_question():
    """A model that sees where the white is: its box in the mirror image is mirrored back before the mean is taken."""
    picture = torch.zeros(3, 40, 40, dtype=torch.uint8)
    picture[:, 10:20, 4:16] = 255

    def looks(pictures):
        down, across = torch.stack(pictures)[:, 0].gt(0).any(2), torch.stack(pictures)[:, 0].gt(0).any(1)
        left, top = across.float().argmax(1), down.float().argmax(1)
        box = torch.stack([left, top, left + 12, top + 10], 1) / 40
        letters = torch.zeros(len(pictures), 26)
        letters[:, 0], letters[:, 1] = left, 10.0
        return letters, box

    (letters, box), (mean_letters, mean_box) = both_ways(looks, [picture])
    torch.testing.assert_close(box, torch.tensor([[0.1, 0.25, 0.4, 0.5]]))
    torch.testing.assert_close(mean_box, box)
    assert (letters.argmax(1).item(), mean_letters.argmax(1).item()) == (1, 0)  # the mirror image is surer

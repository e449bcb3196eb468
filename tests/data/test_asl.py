import pytest
import torch

from vitcourse.data.asl import InMemory, augmentation, decode, load, resize, source_photo, to_input
from vitcourse.errors import DataError


def test_items_hold_what_the_design_says(export):
    dataset = load(export(), "train")
    assert len(dataset) == 2
    item = dataset[1]
    assert item["image"].dtype == torch.uint8
    assert item["image"].shape == (3, 32, 40)
    assert (item["label"], item["box"].tolist()) == (25, [0, 0, 1, 1])
    assert item["file"].endswith("Z1.jpg")


def test_decoding_reports_the_file(tmp_path):
    file = tmp_path / "no.jpg"
    file.write_bytes(b"\xff\xd8\xff\xe0 not a JPEG")
    with pytest.raises(DataError, match=r"no.jpg: the image cannot be decoded"):
        decode(file)


def test_in_memory_holds_the_same_images_resized(export):
    dataset, calls = load(export(), "train"), []
    memory = InMemory(dataset, 16, progress=lambda done, total: calls.append((done, total)))
    assert memory.images.shape == (2, 3, 16, 16)
    assert torch.equal(memory[1]["image"], resize(dataset[1]["image"], 16))
    assert torch.equal(memory[1]["box"], dataset[1]["box"])
    assert calls == [(1, 2), (2, 2)]


def test_input_is_between_minus_one_and_one():
    values = to_input(torch.tensor([0, 255], dtype=torch.uint8))
    assert values.tolist() == [-1.0, 1.0]


def test_source_photo_is_the_part_before_the_copy():
    assert source_photo("a/U7_jpg.rf.0037faea.jpg") == "U7"


def test_augmentation_moves_the_box_with_the_hand():
    """A white rectangle on black: after any augmentation the box is still its extent, to a pixel of interpolation."""
    image = torch.zeros(3, 64, 64, dtype=torch.uint8)
    image[:, 20:40, 10:30] = 255
    box = torch.tensor([10, 20, 30, 40]) / 64
    transform, moved = augmentation(), 0
    for _ in range(50):
        changed, new = transform(image, box)
        rows, columns = (changed.float().mean(0) > 100).nonzero().unbind(1)
        seen = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / 64
        torch.testing.assert_close(new, seen, atol=1.5 / 64, rtol=0)
        moved += not torch.allclose(new, box, atol=2 / 64)
    assert moved > 40


def test_augmentation_keeps_boxes_in_the_image():
    transform, image = augmentation(shift=0.4), torch.zeros(3, 32, 32, dtype=torch.uint8)
    boxes = torch.stack([transform(image, torch.tensor([0.0, 0.0, 1.0, 0.5]))[1] for _ in range(50)])
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert (boxes[:, 2:] > boxes[:, :2]).all()


def test_augmentation_moves_points_as_it_moves_a_box():
    """The two corners of a box, given as points, land on the corners of the moved box (mirrored: in another order)."""
    image, box = torch.zeros(3, 64, 64, dtype=torch.uint8), torch.tensor([0.3, 0.4, 0.6, 0.7])
    transform = augmentation()
    for seed in range(20):
        torch.manual_seed(seed)
        _, moved = transform(image, box)
        torch.manual_seed(seed)
        _, points = transform(image, box.view(2, 2))
        corners = torch.cat([points.amin(0), points.amax(0)])
        torch.testing.assert_close(corners, moved, atol=0.3 / 64, rtol=0)

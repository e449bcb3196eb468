import pytest
import torch
from torchvision.transforms.v2 import functional as TF

from vitcourse.data.augment import BatchAugmentation, StrongAugmentation

STILL = {"flip": 0.0, "shift": 0.0, "scale": 0.0, "colour": 0.0, "grey": 0.0}
SIDE = 48


def hands(boxes, side=SIDE):
    """White rectangles on black, one an image; boxes in fractions."""
    images = torch.zeros(len(boxes), 3, side, side, dtype=torch.uint8)
    for image, (x1, y1, x2, y2) in zip(images, (boxes * side).round().int().tolist(), strict=True):
        image[:, y1:y2, x1:x2] = 255
    return images


def boxes(count, generator):
    near = torch.randint(0, SIDE // 2, (count, 2), generator=generator)
    far = near + torch.randint(SIDE // 6, SIDE // 2 + 1, (count, 2), generator=generator)
    return torch.cat([near, far], dim=1) / SIDE


def extent(image):
    """The box of what is lighter than grey."""
    rows, columns = (image[0] > 127).nonzero().unbind(1)
    return torch.tensor([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / image.shape[-1]


def test_the_box_is_the_extent_of_the_hand():
    generator = torch.Generator().manual_seed(0)
    batch = {"box": boxes(200, generator), "label": torch.arange(200)}
    batch["image"] = hands(batch["box"])
    changed = BatchAugmentation(colour=0.0)(batch, torch.rand(200, 8, generator=generator))
    assert changed["image"].dtype == torch.uint8
    assert changed["label"] is batch["label"]
    found = torch.stack([extent(image) for image in changed["image"]])
    assert (found - changed["box"]).abs().max() <= 1 / SIDE  # a pixel of interpolation
    moved = (changed["box"] - batch["box"]).abs().max(dim=1).values
    assert (moved > 1 / SIDE).float().mean() > 0.9
    sizes = (changed["box"][:, 2] - changed["box"][:, 0]) / (batch["box"][:, 2] - batch["box"][:, 0])
    assert sizes.max() > 1.15
    assert sizes.min() < 0.85


def test_the_hand_stays_whole():
    """Boxes at every edge, one of them as large as the picture, and the greatest changes there are."""
    box = torch.tensor([[0.0, 0.0, 0.3, 0.4], [0.7, 0.6, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0], [0.1, 0.0, 0.9, 0.2]])
    box, draws = box.repeat(50, 1), torch.rand(200, 8)
    batch = {"image": hands(box), "box": box}
    changed = BatchAugmentation(shift=0.4, scale=0.5)(batch, draws)["box"]
    sides = changed[:, 2:] - changed[:, :2]
    ratio = sides / (box[:, 2:] - box[:, :2])
    torch.testing.assert_close(ratio[:, 0], ratio[:, 1])  # nothing was cut off: both sides grew alike
    assert (changed >= 0).all()
    assert (changed <= 1).all()
    assert (sides > 0).all()


def test_nothing_changes_where_nothing_may():
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (5, 3, 20, 20), dtype=torch.uint8, generator=generator)
    batch = {"image": images, "box": torch.rand(5, 4).sort(dim=1).values[:, [0, 1, 2, 3]]}
    changed = BatchAugmentation(**STILL)(batch, torch.rand(5, 8))
    assert (changed["image"].int() - images.int()).abs().max() <= 1
    torch.testing.assert_close(changed["box"], batch["box"])


def test_a_mirror_by_hand():
    image = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    image[..., 0, 0] = 200
    batch = {
        "image": image,
        "box": torch.tensor([[0.0, 0.0, 0.25, 0.5]]),
        "joints": torch.tensor([[[0.1, 0.2], [0.9, 0.5]]]),
    }
    changed = BatchAugmentation(**STILL | {"flip": 0.5})(batch, torch.full((1, 8), 0.4))
    assert changed["image"][0, 0, 0].tolist() == [0, 0, 0, 200]
    torch.testing.assert_close(changed["box"], torch.tensor([[0.75, 0.0, 1.0, 0.5]]))
    torch.testing.assert_close(changed["joints"], torch.tensor([[[0.9, 0.2], [0.1, 0.5]]]))
    kept = BatchAugmentation(**STILL | {"flip": 0.5})(batch, torch.full((1, 8), 0.6))
    torch.testing.assert_close(kept["box"], batch["box"])


def test_joints_move_with_the_box():
    generator = torch.Generator().manual_seed(2)
    box = boxes(40, generator)
    batch = {"image": hands(box), "box": box, "joints": box.view(-1, 2, 2)}
    changed = BatchAugmentation()(batch, torch.rand(40, 8, generator=generator))
    corners = changed["joints"].sort(dim=1).values.flatten(1)  # mirrored, the two corners change places
    torch.testing.assert_close(corners, changed["box"], atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("column", "adjust"), [(4, TF.adjust_brightness), (5, TF.adjust_contrast), (6, TF.adjust_saturation)]
)
def test_colours_are_torchvisions(column, adjust):
    """One of the three at a time, at both ends, against torchvision on the same pictures."""
    image = torch.randint(60, 180, (1, 3, 16, 16), dtype=torch.uint8)
    for draw, factor in ((0.0, 0.7), (1.0, 1.3)):
        draws = torch.full((1, 8), 0.5)
        draws[:, column] = draw
        options = STILL | {"colour": 0.3}
        changed = BatchAugmentation(**options)({"image": image, "box": torch.rand(1, 4)}, draws)["image"]
        assert (changed.int() - adjust(image, factor).int()).abs().max() <= 2
        assert (changed.int() - image.int()).abs().max() > 5


def test_grey_pictures_have_no_colour():
    batch = {"image": torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8), "box": torch.rand(2, 4)}
    draws = torch.full((2, 8), 0.5)
    draws[0, 7] = 0.05
    changed = BatchAugmentation(**STILL | {"grey": 0.1})(batch, draws)["image"]
    spread = (changed.amax(1) - changed.amin(1)).flatten(1).amax(1)
    assert spread[0] == 0
    assert spread[1] > 50


def test_an_item_does_not_depend_on_its_batch():
    generator = torch.Generator().manual_seed(3)
    box, draws = boxes(8, generator), torch.rand(8, 8, generator=generator)
    images = torch.randint(0, 256, (8, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator)
    augment = BatchAugmentation()
    whole = augment({"image": images, "box": box}, draws)
    alone = augment({"image": images[5:6], "box": box[5:6]}, draws[5:6])
    torch.testing.assert_close(alone["box"], whole["box"][5:6], atol=1e-7, rtol=0)
    assert (alone["image"].int() - whole["image"][5:6].int()).abs().max() <= 1


@pytest.mark.parametrize(("name", "value"), [("flip", 1.5), ("scale", 1.0), ("colour", -0.1), ("grey", float("nan"))])
def test_bad_strengths_are_named(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be in \[0, 1\)"):
        BatchAugmentation(**{name: value})
    with pytest.raises(ValueError, match=r"zoom must be in \[0, 1\)"):
        StrongAugmentation(32, zoom=1.0)


def test_a_strong_augmentation_boxes_the_hand_and_zooms_in():
    """Pictures of 48 pixels become some of 32; a share of the hands fills 50 to 85% of the frame."""
    generator = torch.Generator().manual_seed(0)
    batch = {"box": boxes(400, generator)}
    batch["image"], draws = hands(batch["box"]), torch.rand(400, 21, generator=generator)
    augment = StrongAugmentation(32, blur=0.0, cover=0.0)
    augment.colour = 0.0
    changed = augment(batch, draws)
    assert changed["image"].shape == (400, 3, 32, 32)
    found = torch.stack([extent(image) for image in changed["image"]])
    assert (found - changed["box"]).abs().max() <= 1.5 / 32
    longer = (changed["box"][:, 2:] - changed["box"][:, :2]).amax(1)
    close = draws[:, 8] < 0.4
    assert longer[close].min() > 0.49 * 0.95
    assert longer[close].max() < 0.85 * 1.06
    assert 0.35 < close.float().mean() < 0.45
    assert longer[~close].mean() < longer[close].mean() - 0.1
    middle = (changed["box"][close, :2] + changed["box"][close, 2:]) / 2
    assert (middle - 0.5).abs().max() < 0.2
    sides, own = ((box[:, 2:] - box[:, :2]) for box in (changed["box"], batch["box"]))
    stretch = (sides[:, 0] / sides[:, 1] * own[:, 1] / own[:, 0]).log().abs()
    assert 0.05 < stretch.max() < 0.11
    assert stretch[~close].mean() > 0.02


def test_blur_and_covers_touch_pixels_alone():
    generator = torch.Generator().manual_seed(1)
    box, draws = boxes(200, generator), torch.rand(200, 21, generator=generator)
    batch = {"image": torch.randint(0, 256, (200, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator), "box": box}
    made = {}
    for name, blur, cover in (("plain", 0, 0), ("blur", 0.99, 0), ("cover", 0, 0.99)):
        augment = StrongAugmentation(SIDE, blur=blur, cover=cover)
        draws[:, 14:16] = 0.5
        made[name] = augment(batch, draws)
    torch.testing.assert_close(made["plain"]["box"], made["cover"]["box"])
    plain, blurred, covered = (made[name]["image"].float() for name in made)
    inner = torch.nn.functional.avg_pool2d(plain, 3, stride=1).round()
    torch.testing.assert_close(blurred[:, :, 1:-1, 1:-1], inner, atol=1, rtol=0)
    share = (plain != covered).any(1).float().mean((1, 2))
    assert 0.9 * 0.08**2 < share.quantile(0.02) < share.max() < 0.25**2 + 0.02
    number = int(share.argmax())
    rows, columns = (plain != covered)[number].any(0).nonzero().unbind(1)
    hidden = covered[number][:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert hidden.unique().numel() == 1

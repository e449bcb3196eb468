"""``asl_data.mirror_and_turn(image, box, mirror, turns)``: an image mirrored and turned, and its box with it."""

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import numbers
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, several

mirror_and_turn = Check("asl_data.mirror_and_turn")


def mirrored(box: Tensor) -> Tensor:
    """xyxy in fractions, left and right exchanged."""
    x1, y1, x2, y2 = box.tolist()
    return torch.tensor([1 - x2, y1, 1 - x1, y2])


def turned(box: Tensor, turns: int = 1) -> Tensor:
    """xyxy in fractions after quarter turns counter-clockwise."""
    for _ in range(turns % 4):
        x1, y1, x2, y2 = box.tolist()
        box = torch.tensor([y1, 1 - x2, y2, 1 - x1])
    return box


def _spin(image: Tensor, turns: int = 1) -> Tensor:
    return torch.rot90(image, turns, (-2, -1))


def _draw(probe: Probe) -> tuple[Tensor, Tensor]:
    """A picture of any pixels, (3, h, w) uint8 with h unlike w, and a box that no mirror and no turn maps to itself."""
    height, width = probe.sizes(2, 9, 14)
    image = (probe.uniform(3, height, width) * 255).to(torch.uint8)
    x1, y1 = (0.03 + 0.1 * probe.uniform(2)).tolist()
    wide, high = (0.2 + 0.1 * probe.uniform(2)).tolist()
    return image, torch.tensor([x1 + 0.05, y1 + 0.2, x1 + 0.05 + wide, y1 + 0.4 + high])


def _judge(
    probe: Probe,
    inputs: tuple[Tensor, Tensor, bool, int],
    right: tuple[Tensor, Tensor],
    images: dict[str, Tensor],
    boxes: dict[str, Tensor],
) -> None:
    image, box = several(probe.call(*inputs), 2, "a pair of the image and the box")
    shapes = {name.partition("/")[0]: wrong.shape for name, wrong in images.items() if wrong.shape != right[0].shape}
    # Pixels may come back in any type of number.
    is_number = isinstance(image, Tensor) and image.dtype != torch.bool and not image.is_complex()
    image = probe.tensor(image, right[0].shape, image.dtype if is_number else torch.uint8, "The image", shapes)
    same_shape = {name: wrong for name, wrong in images.items() if wrong.shape == right[0].shape}
    probe.equal(image.double(), right[0], same_shape, name="the image")
    probe.equal(numbers(box, 4, "The box"), right[1], boxes, name="the box")


@mirror_and_turn.property("without mirror and turns, image and box stay as they are")
def _nothing(probe: Probe) -> None:
    image, box = _draw(probe)
    _judge(probe, (image, box, False, 0), (image, box), {}, {})


@mirror_and_turn.property("mirrored: the image from left to right, and the box with it")
def _mirror(probe: Probe) -> None:
    image, box = _draw(probe)
    x1, y1, x2, y2 = box.tolist()
    width, pixel = image.shape[-1], 1 / image.shape[-1]
    boxes = {
        "box-stays": [x1, y1, x2, y2],
        "inverted": [1 - x1, y1, 1 - x2, y2],
        "wrong-axis": [x1, 1 - y2, x2, 1 - y1],
        "wrong-axis/inverted": [x1, 1 - y1, x2, 1 - y2],
        "in-pixels": [width - x2, y1, width - x1, y2],
        "in-pixels/inverted": [width - x1, y1, width - x2, y2],
        "one-pixel-off": [1 - pixel - x2, y1, 1 - pixel - x1, y2],
    }
    _judge(
        probe,
        (image, box, True, 0),
        (image.flip(-1), mirrored(box)),
        {"image-stays": image, "upside-down": image.flip(-2)},
        {name: torch.tensor(wrong) for name, wrong in boxes.items()},
    )


@mirror_and_turn.property("a quarter turn counter-clockwise of both")
def _turn(probe: Probe) -> None:
    image, box = _draw(probe)
    x1, y1, x2, y2 = box.tolist()
    boxes = {
        "box-stays": [x1, y1, x2, y2],
        "inverted": [y1, 1 - x1, y2, 1 - x2],
        "box-clockwise": turned(box, 3).tolist(),
        "box-clockwise/inverted": [1 - y1, x1, 1 - y2, x2],
        "transposed": [y1, x1, y2, x2],
    }
    _judge(
        probe,
        (image, box, False, 1),
        (_spin(image), turned(box)),
        {"image-stays": image, "turns-clockwise": _spin(image, 3)},
        {name: torch.tensor(wrong) for name, wrong in boxes.items()},
    )


@mirror_and_turn.property("two and three quarter turns as well")
def _more(probe: Probe) -> None:
    for turns in (2, 3):
        image, box = _draw(probe)
        others = [other for other in range(4) if other != turns]
        _judge(
            probe,
            (image, box, False, turns),
            (_spin(image, turns), turned(box, turns)),
            {f"turns-ignored/{other}": _spin(image, other) for other in others},
            {f"turns-ignored/{other}": turned(box, other) for other in others},
        )


@mirror_and_turn.property("both together: mirrored first, then turned")
def _both(probe: Probe) -> None:
    image, box = _draw(probe)
    _judge(
        probe,
        (image, box, True, 1),
        (_spin(image.flip(-1)), turned(mirrored(box))),
        {"order": _spin(image).flip(-1)},
        {"order": mirrored(turned(box))},
    )

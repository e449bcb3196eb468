"""``asl_data.mirror_and_turn(image, box, mirror, turns)``: an image mirrored and turned, and its box with it."""

from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import numbers
from vitcourse.checks.engine.probe import Probe, Wrong, several
from vitcourse.checks.engine.solved import Draw, Solved

Pair = tuple[Tensor, Tensor]
Step = Callable[..., tuple[float, float, float, float]]  # the sides of a box before it and after it


def right(
    image: Tensor,
    box: Tensor,
    mirror: bool,
    turns: int,
    flip: Step = lambda x1, y1, x2, y2: (1 - x2, y1, 1 - x1, y2),
    turn: Step = lambda x1, y1, x2, y2: (y1, 1 - x2, y2, 1 - x1),
) -> Pair:
    for step in [flip] * mirror + [turn] * turns:
        box = box.new_tensor(step(*box.tolist()))
    return _turned(image.flip(-1) if mirror else image, turns), box


def _turned(image: Tensor, turns: int) -> Tensor:
    return torch.rot90(image, turns, (-2, -1)).double()


def wrong(image: Tensor, box: Tensor, mirror: bool, turns: int) -> dict[str, Pair]:
    inputs, (height, width) = (image, box, mirror, turns), image.shape[-2:]
    edges = {"in-pixels/width": width, "in-pixels/height": height, "one-pixel-off": 1 - 1 / width}
    made, moved = right(*inputs)
    flips: dict[str, Step] = {
        "box-stays": lambda *sides: sides,
        "inverted": lambda a, b, c, d: (1 - a, b, 1 - c, d),
        "wrong-axis": lambda a, b, c, d: (a, 1 - d, c, 1 - b),
        "wrong-axis/inverted": lambda a, b, c, d: (a, 1 - b, c, 1 - d),
        "in-pixels/inverted": lambda a, b, c, d: (width - a, b, width - c, d),
        **{name: lambda a, b, c, d, edge=edge: (edge - c, b, edge - a, d) for name, edge in edges.items()},
    }
    steps: dict[str, Step] = {
        "box-stays": lambda *sides: sides,
        "inverted": lambda a, b, c, d: (b, 1 - a, d, 1 - c),
        "box-clockwise": lambda a, b, c, d: (1 - d, a, 1 - b, c),
        "box-clockwise/inverted": lambda a, b, c, d: (1 - b, a, 1 - d, c),
        "transposed": lambda a, b, c, d: (b, a, d, c),
        **{name: lambda a, b, c, d, edge=edge: (b, edge - c, d, edge - a) for name, edge in edges.items()},
    }
    images = {
        "image-stays": image.double(),
        "image-stays/mirror": _turned(image, turns),
        "upside-down": _turned(image.flip(-2) if mirror else image, turns),
        "turns-clockwise": _turned(image.flip(-1) if mirror else image, -turns),
    }
    image_first, box_first = right(*right(image, box, False, turns), mirror, 0)
    others = {other: right(image, box, mirror, other) for other in range(4)}
    return {
        "order": (image_first, box_first),
        "order/box": (made, box_first),
        "order/image": (image_first, moved),
        **{name: (other, moved) for name, other in images.items()},
        "in-pixels/all": (made, moved * moved.new_tensor([*made.shape[:0:-1]] * 2)),
        **{f"{name}/mirror": (made, right(*inputs, flip=step)[1]) for name, step in flips.items()},
        **{f"{name}/turn": (made, right(*inputs, turn=step)[1]) for name, step in steps.items()},
        **{f"turns-ignored/{other}": pair for other, pair in others.items()},
        **{f"turns-ignored/box, {other}": (made, pair[1]) for other, pair in others.items()},
    }


def _read(value: object) -> Pair:
    """Pixels may come back in any type of number."""
    image, box = several(value, 2, "a pair of the image and the box")
    if isinstance(box, Tensor) and box.ndim == 3:
        raise Wrong("swapped")
    if isinstance(image, Tensor) and (image.dtype == torch.bool or image.is_complex()):
        raise Wrong("wrong-dtype", f"The image should hold numbers as before and is {image.dtype}.")
    return image.double() if isinstance(image, Tensor) else image, numbers(box, 4, "The box")


mirror_and_turn = Solved(
    "asl_data.mirror_and_turn", right=right, wrong=wrong, parts=("the image", "the box"), read=_read
)


def _given(mirror: bool, turns: int) -> Draw:
    """Draws a picture of any pixels, (3, h, w) uint8 with h unlike w, and a box that none of the moves maps to
    itself."""

    def draw(probe: Probe) -> tuple[Tensor, Tensor, bool, int]:
        height, width = probe.sizes(2, 9, 14)
        image = (probe.uniform(3, height, width) * 255).to(torch.uint8)
        corner = torch.tensor([0.08, 0.23]) + 0.1 * probe.uniform(2)
        return image, torch.cat([corner, corner + 0.2 + 0.1 * probe.uniform(2)]), mirror, turns

    return draw


mirror_and_turn.on("without mirror and turns, image and box stay as they are")(_given(False, 0))
mirror_and_turn.on("mirrored: the image from left to right, and the box with it")(_given(True, 0))
mirror_and_turn.on("a quarter turn counter-clockwise of both")(_given(False, 1))
mirror_and_turn.on("two quarter turns as well", only=["turns-ignored"])(_given(False, 2))
mirror_and_turn.on("three quarter turns as well", only=["turns-ignored"])(_given(False, 3))
mirror_and_turn.on("both together: mirrored first, then turned", only=["order"])(_given(True, 1))

"""Answers to ``asl_data.mirror_and_turn``: (image, box)."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_data.mirror_and_turn")


def mirrored(box):
    x1, y1, x2, y2 = box.tolist()
    return torch.tensor([1 - x2, y1, 1 - x1, y2])


def turned(box):
    x1, y1, x2, y2 = box.tolist()
    return torch.tensor([y1, 1 - x2, y2, 1 - x1])


def step_by_step(image, box, mirror, turns, flip=mirrored, turn=turned):
    if mirror:
        image, box = image.flip(-1), flip(box)
    for _ in range(turns):
        image, box = torch.rot90(image, 1, (-2, -1)), turn(box)
    return image, box


BANK.right(lambda image, box, mirror, turns: step_by_step(image, box, mirror, turns))


@BANK.right
def by_indices(image, box, mirror, turns):
    x1, y1, x2, y2 = box.tolist()
    if mirror:
        image, x1, x2 = image[:, :, torch.arange(image.shape[2] - 1, -1, -1)], 1 - x2, 1 - x1
    for _ in range(turns):
        image = image.transpose(1, 2).flip(1)
        x1, y1, x2, y2 = y1, 1 - x2, y2, 1 - x1
    return [image, [x1, y1, x2, y2]]


@BANK.right
def by_corners(image, box, mirror, turns):
    points = box.view(2, 2).clone()
    if mirror:
        image, points[:, 0] = image.flip(-1), 1 - points[:, 0]
    for _ in range(turns):
        points = torch.stack([points[:, 1], 1 - points[:, 0]], dim=1)
    return torch.rot90(image, turns, (1, 2)), torch.cat([points.amin(0), points.amax(0)])


def box_of(flip=mirrored, turn=turned):
    """The right image with a wrong box."""
    return lambda image, box, mirror, turns: step_by_step(image, box, mirror, turns, flip, turn)


def image_of(rule):
    """The right box with a wrong image."""
    return lambda *given: (rule(*given), step_by_step(*given)[1])


def sides(rule):
    return lambda box: torch.tensor(rule(*box.tolist()))


BANK.wrong("box-stays")(lambda image, box, mirror, turns: (step_by_step(image, box, mirror, turns)[0], box))
BANK.wrong("box-stays")(box_of(turn=lambda box: box))
BANK.wrong("inverted")(box_of(flip=sides(lambda a, b, c, d: [1 - a, b, 1 - c, d])))
BANK.wrong("inverted")(box_of(turn=sides(lambda a, b, c, d: [b, 1 - a, d, 1 - c])))
BANK.wrong("wrong-axis")(box_of(flip=sides(lambda a, b, c, d: [a, 1 - d, c, 1 - b])))
BANK.wrong("box-clockwise")(box_of(turn=sides(lambda a, b, c, d: [1 - d, a, 1 - b, c])))
BANK.wrong("transposed")(box_of(turn=sides(lambda a, b, c, d: [b, a, d, c])))
BANK.wrong("image-stays")(image_of(lambda image, *_: image))
BANK.wrong("image-stays")(image_of(lambda image, box, mirror, turns: torch.rot90(image, turns, (-2, -1))))
BANK.wrong("upside-down")(
    image_of(lambda image, box, mirror, turns: torch.rot90(image.flip(-2) if mirror else image, turns, (-2, -1)))
)
BANK.wrong("turns-clockwise")(
    image_of(lambda image, box, mirror, turns: torch.rot90(image.flip(-1) if mirror else image, -turns, (-2, -1)))
)
BANK.wrong("turns-ignored")(lambda image, box, mirror, turns: step_by_step(image, box, mirror, min(turns, 1)))
BANK.wrong("turns-ignored")(
    lambda *given: (step_by_step(*given)[0], step_by_step(given[0], given[1], given[2], min(given[3], 1))[1])
)
BANK.wrong("wrong-type")(lambda *given: step_by_step(*given)[0])
BANK.wrong("wrong-dtype")(image_of(lambda *given: step_by_step(*given)[0].bool()))
BANK.wrong("wrong-values")(box_of(flip=sides(lambda a, b, c, d: [a, b, 1 - c, d])))


@BANK.wrong("in-pixels")
def with_the_width(image, box, mirror, turns):
    width = image.shape[-1]
    return step_by_step(image, box, mirror, turns, flip=sides(lambda a, b, c, d: [width - c, b, width - a, d]))


@BANK.wrong("one-pixel-off")
def as_if_edges_were_pixels(image, box, mirror, turns):
    last = 1 - 1 / image.shape[-1]
    return step_by_step(image, box, mirror, turns, flip=sides(lambda a, b, c, d: [last - c, b, last - a, d]))


@BANK.wrong("order")
def turns_first(image, box, mirror, turns):
    return step_by_step(*step_by_step(image, box, False, turns), mirror, 0)


@BANK.wrong("in-pixels")
def all_in_pixels(image, box, mirror, turns):
    image, box = step_by_step(image, box, mirror, turns)
    return image, box * torch.tensor([image.shape[2], image.shape[1]] * 2)


@BANK.wrong("in-pixels")
def turns_about_the_width(image, box, mirror, turns):
    width = image.shape[-1]
    return step_by_step(image, box, mirror, turns, turn=sides(lambda a, b, c, d: [b, width - c, d, width - a]))


BANK.wrong("swapped")(lambda *given: step_by_step(*given)[::-1])
BANK.wrong("wrong-axis")(box_of(flip=sides(lambda a, b, c, d: [a, 1 - b, c, 1 - d])))
BANK.wrong("order")(lambda *given: (step_by_step(*given)[0], turns_first(*given)[1]))

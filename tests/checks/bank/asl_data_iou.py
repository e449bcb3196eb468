"""Answers to ``asl_data.iou``."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_data.iou")


def area(box):
    return (box[:, 2:] - box[:, :2]).clamp(min=0).prod(dim=1)


def shared(a, b):
    return (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(dim=1)


def clipped(boxes):
    return boxes.clamp(0, 1)


@BANK.right
def plain(boxes, true_boxes):
    boxes = clipped(boxes)
    both = shared(boxes, true_boxes)
    return both / (area(boxes) + area(true_boxes) - both)


@BANK.right
def side_by_side(boxes, true_boxes):
    x1, y1, x2, y2 = boxes.clip(0.0, 1.0).T
    u1, v1, u2, v2 = true_boxes.T
    wide = torch.relu(torch.minimum(x2, u2) - torch.maximum(x1, u1))
    high = torch.relu(torch.minimum(y2, v2) - torch.maximum(y1, v1))
    own = torch.relu(x2 - x1) * torch.relu(y2 - y1)
    return wide * high / (own + (u2 - u1) * (v2 - v1) - wide * high)


@BANK.right
def one_by_one(boxes, true_boxes):
    found = []
    for box, true in zip(boxes.clamp(0, 1), true_boxes, strict=True):
        if box[2] <= box[0] or box[3] <= box[1]:
            found.append(box.new_zeros(()))
            continue
        both = shared(box[None], true[None])[0]
        found.append(both / (area(box[None])[0] + area(true[None])[0] - both))
    return torch.stack(found)


def divided_by(rule):
    def answer(boxes, true_boxes):
        boxes = clipped(boxes)
        return shared(boxes, true_boxes) / rule(boxes, true_boxes)

    return answer


def frame(a, b):
    return (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).prod(1)


BANK.wrong("shared-counted-twice")(divided_by(lambda a, b: area(a) + area(b)))
BANK.wrong("over-one-box")(divided_by(lambda a, b: area(b)))
BANK.wrong("over-one-box")(divided_by(lambda a, b: area(a)))
BANK.wrong("over-one-box")(divided_by(lambda a, b: torch.minimum(area(a), area(b))))
BANK.wrong("over-one-box")(divided_by(lambda a, b: torch.maximum(area(a), area(b))))
BANK.wrong("over-frame")(divided_by(frame))
BANK.wrong("adds-epsilon")(divided_by(lambda a, b: area(a) + area(b) - shared(a, b) + 1e-7))
BANK.wrong("adds-epsilon")(divided_by(lambda a, b: (area(a) + area(b) - shared(a, b)).add(1e-9)))
BANK.wrong("adds-epsilon")(divided_by(lambda a, b: area(a) + area(b) - shared(a, b) + 1e-4))
BANK.wrong("not-divided")(divided_by(lambda a, b: 1))
BANK.wrong("dice")(divided_by(lambda a, b: (area(a) + area(b)) / 2))
BANK.wrong("wrong-values")(lambda a, b: 1 - plain(a, b))
BANK.wrong("wrong-dtype")(lambda a, b: plain(a, b).double())
BANK.wrong("lost-precision")(lambda a, b: plain(a.float(), b.float()).to(a))
BANK.wrong("wrong-type")(lambda a, b: plain(a, b).tolist())
BANK.wrong("wrong-shape")(lambda a, b: plain(a, b).mean())


@BANK.wrong("all-pairs")
def every_box_with_every_other(boxes, true_boxes):
    boxes = clipped(boxes)
    low = torch.maximum(boxes[:, None, :2], true_boxes[:, :2])
    both = (torch.minimum(boxes[:, None, 2:], true_boxes[:, 2:]) - low).clamp(min=0).prod(-1)
    return both / (area(boxes)[:, None] + area(true_boxes) - both)


@BANK.wrong("pixel-added")
def with_last_pixels(boxes, true_boxes):
    boxes = clipped(boxes)
    sides = torch.minimum(boxes[:, 2:], true_boxes[:, 2:]) - torch.maximum(boxes[:, :2], true_boxes[:, :2]) + 1
    both = sides.clamp(min=0).prod(1)
    first, second = ((box[:, 2:] - box[:, :2] + 1).prod(1) for box in (boxes, true_boxes))
    return both / (first + second - both)


@BANK.wrong("negative-overlap")
def without_a_clamp(boxes, true_boxes):
    boxes = clipped(boxes)
    both = (torch.minimum(boxes[:, 2:], true_boxes[:, 2:]) - torch.maximum(boxes[:, :2], true_boxes[:, :2])).prod(1)
    return both / (area(boxes) + area(true_boxes) - both)


@BANK.wrong("negative-overlap")
def clamps_the_product(boxes, true_boxes):
    boxes = clipped(boxes)
    sides = torch.minimum(boxes[:, 2:], true_boxes[:, 2:]) - torch.maximum(boxes[:, :2], true_boxes[:, :2])
    both = sides.prod(1).clamp(min=0)
    return both / (area(boxes) + area(true_boxes) - both)


@BANK.wrong("inverted-counts")
def sorts_the_corners(boxes, true_boxes):
    x, y = boxes[:, ::2].sort(dim=1).values, boxes[:, 1::2].sort(dim=1).values
    return plain(torch.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], dim=1), true_boxes)


@BANK.wrong("zero-by-zero")
def lets_areas_be_negative(boxes, true_boxes):
    boxes = clipped(boxes)
    both = shared(boxes, true_boxes)
    return both / ((boxes[:, 2:] - boxes[:, :2]).prod(1) + area(true_boxes) - both)


@BANK.wrong("not-clipped")
def counts_what_is_outside(boxes, true_boxes):
    both = shared(boxes, true_boxes)
    return both / (area(boxes) + area(true_boxes) - both)


@BANK.wrong("changes-inputs")
def clips_in_place(boxes, true_boxes):
    found = plain(boxes, true_boxes)
    boxes -= 0.5
    return found


def sized(boxes):
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)


@BANK.wrong("size-as-corner")
def takes_corners_for_sizes(boxes, true_boxes):
    a, b = sized(clipped(boxes)), sized(true_boxes)
    return shared(a, b) / (area(a) + area(b) - shared(a, b))


BANK.wrong("size-as-corner")(lambda a, b: plain(sized(clipped(a)), sized(b)))


@BANK.wrong("adds-epsilon")
def above_and_below(boxes, true_boxes):
    both = shared(clipped(boxes), true_boxes)
    return (both + 1e-8) / (area(clipped(boxes)) + area(true_boxes) - both + 1e-8)


@BANK.wrong("outer-edges")
def shares_the_frame(boxes, true_boxes):
    a, both = clipped(boxes), frame(clipped(boxes), true_boxes)
    return both / (area(a) + area(true_boxes) - both)


@BANK.wrong("not-clipped")
def clips_below_alone(boxes, true_boxes):
    a = boxes.clamp(min=0)
    return shared(a, true_boxes) / (area(a) + area(true_boxes) - shared(a, true_boxes))

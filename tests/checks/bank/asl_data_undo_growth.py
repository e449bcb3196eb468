"""Answers to ``asl_data.undo_growth``."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_data.undo_growth")


def tight_sides(wide, high, k):
    return (wide - k * high) / (1 - k * k), (high - k * wide) / (1 - k * k)


def answer(solve=tight_sides, move=0.5, keep=lambda box, moved: torch.where((box == 0) | (box == 1), box, moved)):
    """The right answer, or one with a part replaced."""

    def undo(boxes, width, height, k):
        x1, y1, x2, y2 = boxes.unbind(1)
        wide, high = (x2 - x1) * width, (y2 - y1) * height
        w, h = solve(wide, high, k)
        x, y = (wide - w) * move / width, (high - h) * move / height
        return keep(boxes, torch.stack([x1 + x, y1 + y, x2 - x, y2 - y], dim=1))

    return undo


plain = answer()
BANK.right(plain)


@BANK.right
def by_a_linear_system(boxes, width, height, k):
    size = torch.tensor([width, height], dtype=boxes.dtype)
    matrix = torch.tensor([[1, k], [k, 1]], dtype=boxes.dtype)
    grown = (boxes[:, 2:] - boxes[:, :2]) * size
    lost = (grown - torch.linalg.solve(matrix, grown.T).T) / size
    low, high = boxes[:, :2], boxes[:, 2:]
    low = torch.where(low > 0, low + lost / 2, low)
    return torch.cat([low, torch.where(high < 1, high - lost / 2, high)], dim=1)


@BANK.right
def one_by_one_about_the_middle(boxes, width, height, k):
    made = []
    for x1, y1, x2, y2 in boxes.tolist():
        w, h = tight_sides((x2 - x1) * width, (y2 - y1) * height, k)
        x, y, w, h = (x1 + x2) / 2, (y1 + y2) / 2, w / width, h / height
        new = [x - w / 2, y - h / 2, x + w / 2, y + h / 2]
        made.append([old if old in (0, 1) else side for old, side in zip((x1, y1, x2, y2), new, strict=True)])
    return torch.tensor(made, dtype=boxes.dtype)


BANK.wrong("first-order")(answer(lambda wide, high, k: (wide - k * high, high - k * wide)))
BANK.wrong("first-order")(answer(lambda wide, high, k: (wide - k * high, high - k * (wide - k * high))))
BANK.wrong("own-side")(answer(lambda wide, high, k: (wide / (1 + k), high / (1 + k))))
BANK.wrong("own-side")(answer(lambda wide, high, k: (wide * (1 - k), high * (1 - k))))
BANK.wrong("divisor")(answer(lambda wide, high, k: ((wide - k * high) / (1 + k**2), (high - k * wide) / (1 + k**2))))
BANK.wrong("divisor")(answer(lambda wide, high, k: ((wide - k * high) / (1 - k), (high - k * wide) / (1 - k))))
BANK.wrong("sign")(answer(lambda wide, high, k: ((wide + k * high) / (1 - k**2), (high + k * wide) / (1 - k**2))))
BANK.wrong("sign")(answer(lambda wide, high, k: (wide + k * high, high + k * wide)))
BANK.wrong("sign")(answer(move=-0.5))
BANK.wrong("whole-not-half")(answer(move=1))
BANK.wrong("cut-moves")(answer(keep=lambda box, moved: moved))
BANK.wrong("in-fractions")(lambda boxes, width, height, k: plain(boxes, 1, 1, k))
BANK.wrong("axes-exchanged")(lambda boxes, width, height, k: plain(boxes, height, width, k))
BANK.wrong("in-pixels")(lambda boxes, w, h, k: plain(boxes, w, h, k) * torch.tensor([w, h, w, h]))
BANK.wrong("one-side")(lambda boxes, *given: torch.cat([boxes[:, :2], (2 * plain(boxes, *given) - boxes)[:, 2:]], 1))
BANK.wrong("one-side")(lambda boxes, *given: torch.cat([(2 * plain(boxes, *given) - boxes)[:, :2], boxes[:, 2:]], 1))
BANK.wrong("wrong-type")(lambda *given: plain(*given).tolist())
BANK.wrong("wrong-shape")(lambda *given: plain(*given).view(-1))
BANK.wrong("lost-precision")(lambda boxes, *given: plain(boxes.float(), *given).to(boxes))
BANK.wrong("wrong-values")(lambda boxes, *given: 1 - plain(boxes, *given))


@BANK.wrong("cut-takes-all")
def moves_the_other_side_by_all(boxes, width, height, k):
    lost = 2 * (answer(keep=lambda box, moved: moved)(boxes, width, height, k) - boxes)
    low, high = boxes[:, :2], boxes[:, 2:]
    first = torch.where(low == 0, 0, torch.where(high == 1, lost[:, :2], lost[:, :2] / 2))
    second = torch.where(high == 1, 0, torch.where(low == 0, lost[:, 2:], lost[:, 2:] / 2))
    return boxes + torch.cat([first, second], dim=1)


@BANK.wrong("cut-axis-stays")
def leaves_the_axis_alone(boxes, *given):
    cut = (boxes[:, :2] == 0) | (boxes[:, 2:] == 1)
    return torch.where(cut.repeat(1, 2), boxes, plain(boxes, *given))


@BANK.wrong("changes-inputs")
def in_place(boxes, *given):
    boxes += plain(boxes, *given) - boxes
    return boxes

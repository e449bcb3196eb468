"""Answers to ``asl_data.yolo_box``: (letter, xyxy in fractions)."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_data.yolo_box")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def parts(line):
    number, *sides = line.split()
    return int(number), *map(float, sides)


@BANK.right
def by_hand(line, names):
    number, x, y, w, h = parts(line)
    return names[number], [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


@BANK.right
def with_tensors(line, names):
    words = line.strip().split()
    centre, size = torch.tensor([float(word) for word in words[1:]]).view(2, 2)
    return [names[int(words[0])], torch.cat([centre - size / 2, centre + size / 2])]


@BANK.right
def corner_then_size(line, names):
    number, x, y, w, h = parts(line)
    left, top = x - 0.5 * w, y - 0.5 * h
    return names[number], (left, top, left + w, top + h)


def letter(rule):
    """A wrong letter with the right box."""
    return lambda line, names: (rule(parts(line)[0], names), by_hand(line, names)[1])


def box(rule):
    """The right letter with a wrong box; the rule gets x, y, w, h."""
    return lambda line, names: (by_hand(line, names)[0], rule(*parts(line)[1:]))


BANK.wrong("alphabet")(letter(lambda number, names: ALPHABET[number]))
BANK.wrong("alphabet")(letter(lambda number, names: sorted(names)[number]))
BANK.wrong("class-number")(letter(lambda number, names: number))
BANK.wrong("class-number")(letter(lambda number, names: str(number)))
BANK.wrong("counts-from-one")(letter(lambda number, names: names[number - 1]))
BANK.wrong("wrong-values")(letter(lambda number, names: names[number].lower()))
BANK.wrong("wrong-type")(letter(lambda number, names: [names[number]]))
BANK.wrong("wrong-type")(lambda line, names: by_hand(line, names)[1])
BANK.wrong("centre-as-corner")(box(lambda x, y, w, h: [x, y, x + w, y + h]))
BANK.wrong("whole-not-half")(box(lambda x, y, w, h: [x - w, y - h, x + w, y + h]))
BANK.wrong("centre-form")(box(lambda x, y, w, h: [x, y, w, h]))
BANK.wrong("corner-and-size")(box(lambda x, y, w, h: [x - w / 2, y - h / 2, w, h]))
BANK.wrong("axes-grouped")(box(lambda x, y, w, h: [x - w / 2, x + w / 2, y - h / 2, y + h / 2]))
BANK.wrong("axes-swapped")(box(lambda x, y, w, h: [y - h / 2, x - w / 2, y + h / 2, x + w / 2]))
BANK.wrong("sizes-swapped")(box(lambda x, y, w, h: [x - h / 2, y - w / 2, x + h / 2, y + w / 2]))
BANK.wrong("rounded")(box(lambda x, y, w, h: [round(n, 2) for n in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)]))
BANK.wrong("wrong-shape")(box(lambda x, y, w, h: [x - w / 2, y - h / 2]))
BANK.wrong("wrong-values")(box(lambda x, y, w, h: [100 * (x - w / 2), y, x + w / 2, y + h / 2]))


@BANK.wrong("one-space")
def splits_at_single_spaces(line, names):
    number, x, y, w, h = line.split(" ")
    return by_hand(f"{int(number)} {float(x)} {float(y)} {float(w)} {float(h)}", names)


BANK.wrong("one-digit")(lambda line, names: (names[int(line.strip()[0])], by_hand(line, names)[1]))
BANK.wrong("half-at-one-edge")(box(lambda x, y, w, h: [x - w / 2, y - h / 2, x + w, y + h]))
BANK.wrong("rounded")(box(lambda x, y, w, h: [round(n, 4) for n in (x - w / 2, y - h / 2, x + w / 2, y + h / 2)]))

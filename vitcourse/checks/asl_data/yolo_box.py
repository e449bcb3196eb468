"""``asl_data.yolo_box(line, names)``: a line of a YOLO label file as (letter, [x1, y1, x2, y2]), in fractions."""

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import LETTERS, numbers
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, several

yolo_box = Check("asl_data.yolo_box")


def _draw(probe: Probe) -> tuple[list[float], int, list[str]]:
    """Centre and size of a box inside the image, to six digits; a class; names in an order that is no alphabet."""
    w, h = (0.2 + 0.2 * float(part) for part in probe.uniform(2))
    h = h + 0.25  # taller than wide: no two of the four can be confused unseen
    x, y = (
        side / 2 + 0.02 + float(share) * 0.6 * (0.96 - side)
        for side, share in zip((w, h), probe.uniform(2), strict=True)
    )
    order = torch.randperm(26, generator=probe.generator, device="cpu").tolist()
    names = [LETTERS[place] for place in order]
    usable = [i for i in range(1, 25) if LETTERS[i] not in (names[i - 1], names[i], names[i + 1])]
    return [round(float(part), 6) for part in (x, y, w, h)], usable[probe.integer(0, len(usable) - 1)], names


def _corners(x: float, y: float, w: float, h: float) -> list[float]:
    return [x - w / 2, y - h / 2, x + w / 2, y + h / 2]


def _call(probe: Probe, line: str, names: list[str], on_error: str | None = None) -> tuple[object, object]:
    return several(probe.call(line, names, on_error=on_error), 2, "a pair of the letter and the box")


@yolo_box.property("the class is a place in names, whatever their order")
def _letter(probe: Probe) -> None:
    box, place, names = _draw(probe)
    found, _ = _call(probe, " ".join(map(str, (place, *box))), names)
    right, detail = names[place], f"Class {place} of {''.join(names)} became {found!r} and should be {names[place]!r}."
    if isinstance(found, Tensor | int | float) or (isinstance(found, str) and found.isdigit()):
        raise Wrong("class-number", detail)
    if not isinstance(found, str):
        raise Wrong("wrong-type", detail)
    for misconception, letters in {
        "alphabet": [LETTERS[place]],
        "counts-from-one": [names[place - 1], names[place + 1]],
    }.items():
        probe.require(found not in letters, misconception, detail)
    probe.require(found == right, "wrong-values", detail)


@yolo_box.property("the box is given by two corners, from its centre and its size")
def _values(probe: Probe) -> None:
    box, place, names = _draw(probe)
    x, y, w, h = box
    x1, y1, x2, y2 = right = _corners(*box)
    suspects = {
        "centre-as-corner": [x, y, x + w, y + h],
        "whole-not-half": [x - w, y - h, x + w, y + h],
        "centre-form": box,
        "corner-and-size": [x1, y1, w, h],
        "axes-grouped": [x1, x2, y1, y2],
        "axes-swapped": [y1, x1, y2, x2],
        "sizes-swapped": _corners(x, y, h, w),
        **{f"rounded/{digits}": [round(part, digits) for part in right] for digits in (1, 2, 3)},
    }
    value = numbers(_call(probe, " ".join(map(str, (place, *box))), names)[1], 4, "The box")
    probe.equal(
        value, torch.tensor(right), {name: torch.tensor(wrong) for name, wrong in suspects.items()}, name="the box"
    )


@yolo_box.property("any white space may part the numbers, and a box may touch the edges")
def _spaces(probe: Probe) -> None:
    _, place, names = _draw(probe)
    w = probe.integer(20, 80) / 100
    box = (w / 2, 0.5, w, 1.0)
    for line in (f"{place}  {box[0]} {box[1]} {box[2]}  {box[3]}\n", f" {place}\t{box[0]}\t{box[1]} {box[2]} {box[3]}"):
        found, corners = _call(probe, line, names, on_error="one-space")
        probe.require(found == names[place], "one-space", f"The line was {line!r}.")
        probe.equal(numbers(corners, 4, "The box"), torch.tensor([0, 0, w, 1.0]), name="the box")

"""``asl_data.yolo_box(line, names)``: a line of a YOLO label file as (letter, [x1, y1, x2, y2]), in fractions."""

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import LETTERS, numbers
from vitcourse.checks.engine.probe import Probe, Wrong, several
from vitcourse.checks.engine.solved import Solved


def right(line: str, names: list[str]) -> Tensor:  # noqa: ARG001 - the letter is judged by properties of its own
    x, y, w, h = map(float, line.split()[1:])
    return torch.tensor([x - w / 2, y - h / 2, x + w / 2, y + h / 2])


def wrong(line: str, names: list[str]) -> dict[str, Tensor]:
    x, y, w, h = map(float, line.split()[1:])
    x1, y1, x2, y2 = box = right(line, names).tolist()
    made = {
        "centre-as-corner": [x, y, x + w, y + h],
        "whole-not-half": [x - w, y - h, x + w, y + h],
        "half-at-one-edge/first": [x1, y1, x + w, y + h],
        "half-at-one-edge/second": [x - w, y - h, x2, y2],
        "centre-form": [x, y, w, h],
        "corner-and-size": [x1, y1, w, h],
        "axes-grouped": [x1, x2, y1, y2],
        "axes-swapped": [y1, x1, y2, x2],
        "sizes-swapped": [x - h / 2, y - w / 2, x + h / 2, y + w / 2],
        **{f"rounded/{digits}": [round(side, digits) for side in box] for digits in range(1, 5)},
    }
    return {name: torch.tensor(sides) for name, sides in made.items()}


def _pair(value: object) -> tuple:
    return several(value, 2, "a pair of the letter and the box")


yolo_box = Solved(
    "asl_data.yolo_box",
    right=right,
    wrong=wrong,
    parts=("the box",),
    read=lambda value: numbers(_pair(value)[1], 4, "The box"),
)


def draw(probe: Probe) -> tuple[str, list[str]]:
    """A box inside the image, to six digits; a class of two digits; names in an order that is no alphabet."""
    w, h = (0.2 + 0.2 * float(part) for part in probe.uniform(2))
    h = h + 0.25  # taller than wide: no two of the four can be confused unseen
    x, y = (
        side / 2 + 0.02 + float(share) * 0.6 * (0.96 - side)
        for side, share in zip((w, h), probe.uniform(2), strict=True)
    )
    names = [LETTERS[place] for place in torch.randperm(26, generator=probe.generator, device="cpu").tolist()]
    usable = [i for i in range(10, 25) if LETTERS[i] not in {names[j] for j in (i - 1, i, i + 1, i // 10, i % 10)}]
    place = usable[probe.integer(0, len(usable) - 1)]
    return " ".join(map(str, (place, *(round(float(part), 6) for part in (x, y, w, h))))), names


@yolo_box.property("the class is a place in names, whatever their order")
def _letter(probe: Probe) -> None:
    line, names = draw(probe)
    place, found = int(line[:2]), _pair(probe.call(line, names))[0]
    detail = f"Class {place} of {''.join(names)} became {found!r} and should be {names[place]!r}."
    if isinstance(found, Tensor | int | float) or (isinstance(found, str) and found.isdigit()):
        raise Wrong("class-number", detail)
    if not isinstance(found, str):
        raise Wrong("wrong-type", detail)
    for misconception, letters in {
        "alphabet": [LETTERS[place]],
        "counts-from-one": [names[place - 1], names[place + 1]],
        "one-digit": [names[place // 10], names[place % 10]],
    }.items():
        probe.require(found not in letters, misconception, detail)
    probe.require(found == names[place], "wrong-values", detail)


yolo_box.on("the box is given by two corners, from its centre and its size")(draw)


@yolo_box.property("any white space may part the numbers, and a box may touch the edges")
def _spaces(probe: Probe) -> None:
    line, names = draw(probe)
    place, w = int(line[:2]), probe.integer(20, 80) / 100
    for line in (f"{place}  {w / 2} 0.5 {w}  1.0\n", f" {place}\t{w / 2}\t0.5 {w} 1.0"):
        found, corners = _pair(probe.call(line, names, on_error="one-space"))
        probe.require(found == names[place], "one-space", f"The line was {line!r}.")
        probe.equal(numbers(corners, 4, "The box"), right(line, names), name="the box")

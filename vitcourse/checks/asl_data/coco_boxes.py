"""``asl_data.coco_boxes(content)``: the boxes of a COCO file, one for each image, as xyxy fractions; bad ones refused.

Source: the format of the COCO data set, https://cocodataset.org/#format-data, "Object Detection".
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from vitcourse.checks.asl_data.common import numbers
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, Wrong, describe

coco_boxes = Check("asl_data.coco_boxes")
Box = tuple[float, float, float, float]


def _content(names: list[str], sizes: list[tuple[int, int]], boxes: list[Box], ids: list[int]) -> dict:
    """A COCO file; box i belongs to image i, annotations stand in this order."""
    images = [
        {"id": key, "file_name": name, "width": width, "height": height}
        for key, name, (width, height) in zip(ids, names, sizes, strict=True)
    ]
    annotations = [
        {"id": 50 + place, "image_id": key, "category_id": 1, "bbox": [float(side) for side in box]}
        for place, (key, box) in enumerate(zip(ids, boxes, strict=True))
    ]
    return {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "L"}]}


def _draw(probe: Probe, count: int) -> tuple[list[str], list[tuple[int, int]], list[Box], list[int]]:
    names = [f"{letter}{probe.integer(1, 30)}.jpg" for letter in "KTLSW"[:count]]
    sizes = [(probe.integer(150, 170), probe.integer(180, 220)) for _ in names]
    # Read in another form, it is still a box inside the image, so that it is not refused in place of being wrong.
    boxes = [
        (probe.integer(36, 44), probe.integer(50, 56), probe.integer(46, 64), probe.integer(66, 84)) for _ in names
    ]
    order = torch.randperm(9, generator=probe.generator, device="cpu")[:count]
    return names, sizes, boxes, [101 + 7 * int(key) for key in order]


def _fractions(boxes: Iterable[Box], sizes: Iterable[tuple[float, float]]) -> Tensor:
    """COCO's form to xyxy fractions, clipped."""
    rows = [
        (x / width, y / height, (x + w) / width, (y + h) / height)
        for (x, y, w, h), (width, height) in zip(boxes, sizes, strict=True)
    ]
    return torch.tensor(rows).clamp(0, 1)


def _call(probe: Probe, content: dict, on_error: str | None = None) -> Tensor:
    count = len(content["images"])
    value = probe.call(content, on_error=on_error)
    if isinstance(value, Tensor) and value.ndim == 2:
        value = list(value)
    if not isinstance(value, list | tuple):
        raise Wrong("wrong-type", f"Expected a list of boxes, got {describe(value)}.")
    if len(value) != count:
        raise Wrong("wrong-shape", f"Expected {count} boxes, one for each image, got {len(value)}.")
    return torch.stack([numbers(box, 4, f"Box {place}") for place, box in enumerate(value)])


@coco_boxes.property("x, y, width and height in pixels become two corners in fractions")
def _values(probe: Probe) -> None:
    names, sizes, boxes, _ = _draw(probe, 1)
    (x, y, w, h), (width, height) = boxes[0], sizes[0]
    extents = {"": (width, height), "/turned": (height, width), "/width": (width, width), "/height": (height, height)}
    forms = {"size-as-corner": (x, y, w, h), "centre-as-corner": (x - w / 2, y - h / 2, x + w / 2, y + h / 2)}
    corners = (x, y, x + w, y + h)
    suspects = {name: torch.tensor([form]) / torch.tensor([*sizes[0]] * 2) for name, form in forms.items()}
    suspects |= {f"not-fractions/{form}": torch.tensor([form]).float() for form in (corners, *forms.values())}
    suspects |= {
        f"sides-swapped{name}": torch.tensor([corners]) / torch.tensor([*extent] * 2)
        for name, extent in extents.items()
        if name
    }
    value = _call(probe, _content(names, sizes, boxes, [0]))
    probe.equal(value, _fractions(boxes, sizes), suspects, name="the boxes")


@coco_boxes.property("a box belongs to the image whose id it names, and comes in the order of the images")
def _ids(probe: Probe) -> None:
    names, sizes, boxes, ids = _draw(probe, 5)
    content = _content(names, sizes, boxes, ids)
    shift = probe.integer(1, 4)
    content["annotations"] = content["annotations"][shift:] + content["annotations"][:shift]
    moved_boxes, moved_sizes = boxes[shift:] + boxes[:shift], sizes[shift:] + sizes[:shift]
    suspects = {
        "by-place": _fractions(moved_boxes, sizes),
        "annotation-order": _fractions(moved_boxes, moved_sizes),
    }
    value = _call(probe, content, on_error="id-as-index")
    probe.equal(value, _fractions(boxes, sizes), suspects, name="the boxes")


@coco_boxes.property("a box may touch the edges of its image")
def _edges(probe: Probe) -> None:
    names, sizes, _, ids = _draw(probe, 3)
    boxes = [(0, 0, *sizes[0]), (sizes[1][0] - 20, 30, 20, 40), (10, sizes[2][1] - 50, 30, 50)]
    value = _call(probe, _content(names, sizes, boxes, ids), on_error="refuses-edge")
    probe.equal(value, _fractions(boxes, sizes), name="the boxes")


@coco_boxes.property("a box that leaves its image by less than a pixel is clipped")
def _rounding(probe: Probe) -> None:
    names, sizes, _, ids = _draw(probe, 2)
    (width, height), out = sizes[1], 0.9
    boxes = [(-out, 20, 30, 40), (width - 30, height - 40, 30 + out, 40 + out)]
    raw = [(x / w0, y / h0, (x + w) / w0, (y + h) / h0) for (x, y, w, h), (w0, h0) in zip(boxes, sizes, strict=True)]
    value = _call(probe, _content(names, sizes, boxes, ids), on_error="refuses-rounding")
    probe.equal(value, _fractions(boxes, sizes), {"not-clipped": torch.tensor(raw)}, name="the boxes")


def _bad(probe: Probe) -> list[tuple[str, str | None, dict]]:
    """(misconception where it is accepted, name of the image at fault, content)."""
    drawn, place = _draw(probe, 4), probe.integer(1, 3)
    width, height = drawn[1][place]
    boxes = [
        ("accepts-outside", (width + 20, 20, 40, 60)),
        ("accepts-outside", (-1, 20, 40, 60)),
        ("accepts-outside", (20, height - 40, 40, 41.5)),
        ("accepts-empty", (40, 40, 0, 20)),
        ("accepts-empty", (40, 40, 20, -10)),
        ("accepts-emptied", (-0.75, 20, 0.5, 40)),
        ("accepts-emptied", (20, height, 40, 0.5)),
    ]
    cases = []

    def add(misconception: str, name: str | None = drawn[0][place]) -> list[dict]:
        content = _content(*drawn)
        cases.append((misconception, name, content))
        return content["annotations"]

    for misconception, box in boxes:
        add(misconception)[place]["bbox"] = [float(side) for side in box]
    del add("accepts-none")[place]
    twice, stranger = add("accepts-two"), add("accepts-stranger", None)
    twice.append({**twice[place], "id": 99, "bbox": [5.0, 6.0, 20.0, 30.0]})
    stranger.append({**stranger[0], "id": 99, "image_id": 7})
    return cases


def _refusal(probe: Probe, content: dict) -> tuple[str, bool] | None:
    """What the function says against this file, and whether that is a ValueError; None where it accepts it."""
    try:
        probe.call(content)
    except Wrong as wrong:
        if wrong.misconception != "raises":
            raise
        return wrong.detail.removeprefix("Given a dict: "), "ValueError" in wrong.errors
    return None


@coco_boxes.property(
    "a bad file is refused with a ValueError: a box outside, none, two, one without an area or an image"
)
def _refuses(probe: Probe) -> None:
    for misconception, _, content in _bad(probe):
        refusal = _refusal(probe, content)
        probe.require(refusal is not None, misconception)
        probe.require(refusal[1], "other-error", f"In place of a refusal: {refusal[0]}")


@coco_boxes.property("the error names the image")
def _names(probe: Probe) -> None:
    for _, name, content in _bad(probe):
        if name is not None:
            said, _ = _refusal(probe, content) or ("", False)
            probe.require(name in said, "names-no-file", f"The image was {name}. Your function said: {said}")

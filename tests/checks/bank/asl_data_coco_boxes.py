"""Answers to ``asl_data.coco_boxes``: xyxy in fractions for every image, or a ValueError."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_data.coco_boxes")
CHECKS = ("stranger", "one", "two", "area", "inside", "left")


def corners(x, y, w, h, width, height):
    return [x / width, y / height, (x + w) / width, (y + h) / height]


def clip(box):
    return [min(max(side, 0.0), 1.0) for side in box]


def reader(leave_out="", form=corners, slack=1.0, clipped=clip, error=ValueError, named=True, order="images"):
    """A right reader, with a part replaced or one of the `CHECKS` left out."""

    def require(check, holds, image, problem):
        if not holds and check != leave_out:
            raise error(f"{image['file_name'] if named and image else 'the file'}: {problem}")

    def answer(content):
        boxes = {image["id"]: [] for image in content["images"]}
        for entry in content["annotations"]:
            require("stranger", entry["image_id"] in boxes, None, "an annotation of no image")
            boxes.setdefault(entry["image_id"], []).append(entry["bbox"])
        found = {}
        for image in content["images"]:
            own, width, height = boxes[image["id"]], image["width"], image["height"]
            require("one", own, image, "no box")
            require("two", len(own) < 2, image, "two boxes")
            if not own:
                continue
            x, y, w, h = own[-1]
            require("area", w > 0 and h > 0, image, "a box without an area")
            outside = max(-x, -y, x + w - width, y + h - height)
            require("inside", outside < slack, image, "a box outside")
            left = min(x + w, y + h, width - x, height - y) > 0 or w <= 0 or h <= 0
            require("left", left or outside >= 1, image, "a box of which nothing is left")
            found[image["id"]] = clipped(form(x, y, w, h, width, height))
        if order == "annotations":
            return [found[entry["image_id"]] for entry in content["annotations"]]
        return list(found.values())

    return answer


BANK.right(reader())


@BANK.right
def with_lists(content):
    result = []
    ids = [image["id"] for image in content["images"]]
    for entry in content["annotations"]:
        if entry["image_id"] not in ids:
            raise ValueError(f"annotation {entry['id']} belongs to no image")
    for image in content["images"]:
        own = [entry["bbox"] for entry in content["annotations"] if entry["image_id"] == image["id"]]
        if len(own) != 1:
            raise ValueError(f"{image['file_name']} has {len(own)} boxes")
        (x, y, w, h), size = own[0], (image["width"], image["height"])
        if not (w > 0 and h > 0 and x > -1 and y > -1 and x + w < size[0] + 1 and y + h < size[1] + 1):
            raise ValueError(f"the box of {image['file_name']} is {own[0]}")
        if x + w <= 0 or y + h <= 0 or x >= size[0] or y >= size[1]:
            raise ValueError(f"nothing is left of the box of {image['file_name']}")
        result.append((torch.tensor([x, y, x + w, y + h]) / torch.tensor([*size, *size])).clamp(0, 1))
    return result


@BANK.right
def as_one_tensor(content):
    return torch.tensor(reader()(content))


def other(form):
    return reader(form=form)


BANK.wrong("size-as-corner")(other(lambda x, y, w, h, W, H: [x / W, y / H, w / W, h / H]))
BANK.wrong("centre-as-corner")(
    other(lambda x, y, w, h, W, H: [(x - w / 2) / W, (y - h / 2) / H, (x + w / 2) / W, (y + h / 2) / H])
)
BANK.wrong("not-fractions")(reader(form=lambda x, y, w, h, W, H: [x, y, x + w, y + h], clipped=list))
BANK.wrong("sides-swapped")(other(lambda x, y, w, h, W, H: [x / H, y / W, (x + w) / H, (y + h) / W]))
BANK.wrong("sides-swapped")(other(lambda x, y, w, h, W, H: [x / W, y / W, (x + w) / W, (y + h) / W]))
BANK.wrong("wrong-values")(other(lambda x, y, w, h, W, H: [x / W, (x + w) / W, y / H, (y + h) / H]))
BANK.wrong("annotation-order")(reader(order="annotations"))
BANK.wrong("refuses-edge")(reader(slack=0.0))
BANK.wrong("refuses-rounding")(reader(slack=1e-9))
BANK.wrong("not-clipped")(reader(clipped=list))
BANK.wrong("accepts-outside")(reader(leave_out="inside"))
BANK.wrong("accepts-empty")(reader(leave_out="area"))
BANK.wrong("accepts-emptied")(reader(leave_out="left"))
BANK.wrong("accepts-outside")(reader(slack=2.5))
BANK.wrong("accepts-outside")(reader(slack=1 + 1e-9))
BANK.wrong("refuses-rounding")(reader(slack=0.5))
BANK.wrong("accepts-two")(reader(leave_out="two"))
BANK.wrong("accepts-stranger")(reader(leave_out="stranger"))
BANK.wrong("other-error")(reader(error=KeyError))
BANK.wrong("other-error")(reader(error=AssertionError))
BANK.wrong("names-no-file")(reader(named=False))
BANK.wrong("wrong-type")(lambda content: {str(place): box for place, box in enumerate(reader()(content))})
BANK.wrong("wrong-shape")(lambda content: reader()(content)[0])


@BANK.wrong("accepts-none")
def an_empty_box_for_none(content):
    own = {entry["image_id"] for entry in content["annotations"]}
    kept = [image for image in content["images"] if image["id"] in own]
    boxes = dict(zip((image["id"] for image in kept), reader()({**content, "images": kept}), strict=True))
    return [boxes.get(image["id"], [0.0] * 4) for image in content["images"]]


@BANK.wrong("by-place")
def pairs_them_as_they_come(content):
    reader()(content)
    pairs = zip(content["images"], content["annotations"], strict=True)
    return [clip(corners(*entry["bbox"], image["width"], image["height"])) for image, entry in pairs]


@BANK.wrong("id-as-index")
def ids_are_places(content):
    boxes = [[0.0] * 4 for _ in content["images"]]
    for entry in content["annotations"]:
        image = content["images"][entry["image_id"]]
        boxes[entry["image_id"]] = clip(corners(*entry["bbox"], image["width"], image["height"]))
    return boxes


@BANK.wrong("changes-inputs")
def empties_the_file(content):
    boxes = reader()(content)
    content["annotations"].clear()
    return boxes


def refuses_what_is_inverted(x, y, w, h, W, H):
    if not (x < w <= W and y < h <= H):
        raise ValueError("a box without an area")
    return [x / W, y / H, w / W, h / H]


BANK.wrong("size-as-corner")(other(refuses_what_is_inverted))

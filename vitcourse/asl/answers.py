"""What a trained model answers for images as they come from a file: its labels in order, and where it sees the hand."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from vitcourse.asl.looks import readings
from vitcourse.data.asl import resize, to_input
from vitcourse.errors import InputError

Model = Callable[[Tensor], tuple[Tensor, ...]]


class Answers(nn.Module):
    """A model of the course from images to its answers: what it is exported as.

    Args:
        model: gives logits (B, K), or (logits, boxes), for normalised images.

    ``forward`` takes uint8 images (B, 3, size, size) and returns (logits,), or (logits, boxes) with the boxes clipped
    to the image, xyxy in fractions of it.
    """

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        given = self.model(to_input(images))
        logits, *boxes = given if isinstance(given, tuple) else (given,)
        return (logits, *(box.clamp(0, 1) for box in boxes))


@torch.no_grad()
def answer(
    model: Model, image: Tensor, labels: Sequence[str], size: int, top: int = 1, second_look: bool = False
) -> dict:
    """The answer to one image.

    Args:
        model: an `Answers`, or what it was exported as (`training.export.OnnxModel`).
        image: uint8 (3, height, width), of any size.
        labels: of the K logits.
        size: height and width of the images that the model takes.
        top: how many labels to name, the likeliest first.
        second_look: look again at the window around the first box: five looks in place of one (see `asl.looks`).

    Returns:
        ``top``: for each its ``label`` and ``share``, the softmax of the logits; ``box``, if the model gives one: xyxy
        in fractions of the image; ``size``: width and height of the image in pixels.

    Raises:
        InputError: a second look with a model that boxes nothing.
    """

    def look(images: list[Tensor]) -> tuple[Tensor, ...]:
        return model(torch.stack([resize(one, size) for one in images]))

    logits, *boxes = look([image])
    if second_look:
        if not boxes:
            raise InputError("a second look needs a box, and this model gives none")
        twice = readings(look, [image], size)["second look"]
        logits, boxes = twice["logits"], [twice["boxes"].clamp(0, 1)]
    shares, places = logits[0].float().softmax(0).topk(min(top, len(labels)))
    found = {"top": [{"label": labels[p], "share": s} for p, s in zip(places.tolist(), shares.tolist(), strict=True)]}
    if boxes:
        found["box"] = boxes[0][0].tolist()
    return found | {"size": [image.shape[2], image.shape[1]]}

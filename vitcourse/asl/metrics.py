"""What a sign model is judged by: accuracy and loss of the letters, intersection over union of the boxes.

All measures are fractions of 1. IoU@t is the share of images whose box has an IoU of at least t.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from vitcourse.data.asl import resize, to_input
from vitcourse.data.augment import mirrored

THRESHOLDS = {"iou50": 0.50, "iou75": 0.75, "iou90": 0.90}


def aligned_iou(boxes: Tensor, true_boxes: Tensor) -> Tensor:
    """Intersection over union of boxes that belong together, (B, 4) and (B, 4) to (B,).

    Boxes are xyxy in fractions of the image. A predicted box is first clipped to the image; an inverted or empty one
    has IoU 0.
    """
    boxes = boxes.clamp(0, 1)
    corner = torch.maximum(boxes[:, :2], true_boxes[:, :2])
    far_corner = torch.minimum(boxes[:, 2:], true_boxes[:, 2:])
    # Two inverted axes would multiply to a positive area: clamp each side before the product.
    overlap = (far_corner - corner).clamp(min=0).prod(dim=1)
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)
    true_area = (true_boxes[:, 2:] - true_boxes[:, :2]).prod(dim=1)
    return overlap / (area + true_area - overlap)


@contextmanager
def in_evaluation(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, and afterwards in the mode it was in."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


@torch.no_grad()
def predict(model: nn.Module, images: list[Tensor], batch_size: int = 64) -> tuple[Tensor, Tensor]:
    """Logits (N, K) and boxes (N, 4), on the CPU, for uint8 images of any size; dropout is off meanwhile."""
    device, logits, boxes = next(model.parameters()).device, [], []
    with in_evaluation(model):
        for start in range(0, len(images), batch_size):
            batch = torch.stack([resize(image, model.image_size) for image in images[start : start + batch_size]])
            outputs = model(to_input(batch.to(device)))
            logits.append(outputs[0].float().cpu())
            boxes.append(outputs[1].float().cpu())
    return torch.cat(logits), torch.cat(boxes)


def both_ways(
    answers: Callable[[list[Tensor]], tuple[Tensor, Tensor]], images: list[Tensor]
) -> list[tuple[Tensor, Tensor]]:
    """Logits and boxes of images as they are, and the means of these and of what their mirror images give.

    A left hand's sign is a right hand's in a mirror, so both are the same question.

    Args:
        answers: gives logits (N, K) and boxes (N, 4), xyxy in fractions, for N images.
    """
    logits, boxes = answers(images)
    other_logits, other_boxes = answers([image.flip(-1) for image in images])
    back = mirrored(other_boxes.view(-1, 2, 2), torch.full((len(boxes),), -1.0)).view(-1, 4)
    return [(logits, boxes), ((logits.softmax(1) + other_logits.softmax(1)).log(), (boxes + back) / 2)]


def evaluate(
    model: nn.Module, dataset: Dataset, batch_size: int = 64, progress: Callable[[int, int], None] | None = None
) -> dict[str, float]:
    """Measures of a sign model on a data set of `data.asl`, without augmentation.

    Args:
        progress: called as ``progress(done, total)`` after every batch.

    Returns:
        ``accuracy`` and ``loss`` (mean cross-entropy) of the letters; ``iou50``, ``iou75``, ``iou90`` and ``mean_iou``
        of the boxes.
    """
    logits, boxes, labels, true_boxes = [], [], [], []
    for start in range(0, len(dataset), batch_size):
        items = [dataset[i] for i in range(start, min(start + batch_size, len(dataset)))]
        outputs = predict(model, [item["image"] for item in items], batch_size)
        logits.append(outputs[0])
        boxes.append(outputs[1])
        labels.append(torch.tensor([int(item["label"]) for item in items]))
        true_boxes.append(torch.stack([item["box"] for item in items]))
        if progress is not None:
            progress(start + len(items), len(dataset))
    return measure(torch.cat(logits), torch.cat(boxes), torch.cat(labels), torch.cat(true_boxes))


def measure(logits: Tensor, boxes: Tensor, labels: Tensor, true_boxes: Tensor) -> dict[str, float]:
    """The measures of `evaluate` from predictions that are already at hand."""
    iou = aligned_iou(boxes, true_boxes)
    result = {
        "accuracy": (logits.argmax(dim=1) == labels).float().mean().item(),
        "loss": F.cross_entropy(logits, labels).item(),
    }
    result |= {name: (iou >= threshold).float().mean().item() for name, threshold in THRESHOLDS.items()}
    return result | {"mean_iou": iou.mean().item()}

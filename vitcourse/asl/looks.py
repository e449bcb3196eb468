"""A second look: the window around the first box is cut out of the whole photo, and read again.

The first look sees the photo at the model's size. In a window that the hand fills, the same model sees more of it. What
it says of the window is carried back to the photo. Nothing is trained for it; but a model that has learned from
close-ups (`data.augment.StrongAugmentation`) knows such pictures.

Shape legend: N photos, K letters.
"""

import time
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.asl.metrics import both_ways, predict

FILL = 0.7  # of the window, by the longer side of the first box
LEAST, MOST = 0.1, 1.3  # sides of a window, in photos
READINGS = ("single look", "mirror image", "second look", "both looks")


def window(image: Tensor, box: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """What lies around a box: uint8 (3, size, size), black where the photo ends, and its place (4,), xyxy.

    Args:
        image: uint8 (3, height, width), of any size; it is stretched to a square, as for the first look.
        box: (4,) xyxy in fractions of the photo; its longer side takes `FILL` of the window.
    """
    near, far = box.clamp(0, 1).view(2, 2)
    side, middle = ((far - near).max() / FILL).clamp(LEAST, MOST), (near + far) / 2
    # affine_grid asks where a pixel of the window comes from, in coordinates from -1 to 1; two by two are averaged.
    zero = torch.zeros(())
    x, y = 2 * middle - 1
    places = torch.stack([side, zero, x, zero, side, y]).view(1, 2, 3)
    grid = F.affine_grid(places, [1, 3, 2 * size, 2 * size], align_corners=False)
    pixels = F.avg_pool2d(F.grid_sample(image[None].float(), grid, align_corners=False), 2)
    return pixels[0].round().to(torch.uint8), torch.cat([middle - side / 2, middle + side / 2])


def second_look(model: nn.Module, images: list[Tensor], boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, K) and boxes (N, 4) that the windows around boxes (N, 4) give, each read with its mirror image.

    Args:
        images: uint8 (3, height, width), of any sizes.
    """
    windows, places = zip(*(window(*pair, model.image_size) for pair in zip(images, boxes, strict=True)), strict=True)
    logits, inside = both_ways(partial(predict, model), list(windows))[1]
    near, far = torch.stack(places).chunk(2, dim=1)
    return logits, (near.repeat(1, 2) + inside * (far - near).repeat(1, 2)).clamp(0, 1)


def readings(model: nn.Module, images: list[Tensor]) -> dict[str, dict]:
    """Four answers of one model to the same photos, and what each took.

    Args:
        images: uint8 (3, height, width), of any sizes.

    Returns:
        For each of `READINGS` its ``logits`` (N, K), ``boxes`` (N, 4) and ``seconds``, of the processor, with all
        looks before it. "mirror image" is the mean over a photo and its mirror image; "second look" takes the box from
        the window around that, and the letter from both; "both looks" takes the mean of both boxes.
    """
    started = time.process_time()
    look = partial(predict, model)
    single = look(images)
    after_one = time.process_time() - started
    mirror = both_ways(look, images)[1]
    after_both = time.process_time() - started - after_one  # which looks at the photos as they are once more
    logits, boxes = second_look(model, images, mirror[1])
    after_window = time.process_time() - started - after_one
    letters = (mirror[0].softmax(1) + logits.softmax(1)).log()
    answers = (single, mirror, (letters, boxes), (letters, (mirror[1] + boxes) / 2))
    seconds = (after_one, after_both, after_window, after_window)
    return {
        name: {"logits": answer[0], "boxes": answer[1], "seconds": taken}
        for name, answer, taken in zip(READINGS, answers, seconds, strict=True)
    }

"""A second look: the window around the first box is cut out of the whole photo, and read again.

The first look sees the photo at the model's size. In a window that the hand fills, the same model sees more of it. What
it says of the window is carried back to the photo. Nothing is trained for it; but a model that has learned from
close-ups (`data.augment.StrongAugmentation`) knows such pictures.

Shape legend: N photos, K letters.
"""

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.asl.metrics import both_ways

FILL = 0.7  # of the window, by the longer side of the first box
LEAST, MOST = 0.1, 1.3  # sides of a window, in photos
Look = Callable[[list[Tensor]], tuple[Tensor, Tensor]]
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


def readings(look: Look, images: list[Tensor], size: int) -> dict[str, dict]:
    """Four answers of one model to the same photos, and what each took.

    Args:
        look: gives logits (N, K) and boxes (N, 4) of N images, such as ``partial(asl.metrics.predict, model)``.
        images: uint8 (3, height, width), of any sizes.
        size: height and width of the windows: those that the model reads.

    Returns:
        For each of `READINGS` its ``logits`` (N, K), ``boxes`` (N, 4) and ``seconds``, of the processor, with all that
        it needs. "mirror image" is the mean over a photo and its mirror image; "second look" takes the box from the
        window around that one, read with its mirror image as well, and the letter from both; "both looks" takes the
        mean of both boxes.
    """
    spent, started = [], time.process_time()

    def timed(pictures: list[Tensor]) -> tuple[Tensor, Tensor]:
        answer = look(pictures)
        spent.append(time.process_time() - started)
        return answer

    single, mirror = both_ways(timed, images)
    windows, places = zip(*(window(*pair, size) for pair in zip(images, mirror[1], strict=True)), strict=True)
    logits, inside = both_ways(timed, list(windows))[1]
    near, far = torch.stack(places).chunk(2, dim=1)
    boxes = near.repeat(1, 2) + inside * (far - near).repeat(1, 2)
    letters = (mirror[0].softmax(1) + logits.softmax(1)).log()
    answers = (single, mirror, (letters, boxes), (letters, (mirror[1] + boxes) / 2))
    return {
        name: {"logits": answer[0], "boxes": answer[1], "seconds": spent[last]}
        for name, answer, last in zip(READINGS, answers, (0, 1, 3, 3), strict=True)
    }

"""The recorded run ``asl_domain``: what real photos have and rendered hands lack, one thing at a time.

The model that knows rendered hands alone (`sign_transfer`) reads the photos held out of train once for each of a list
of changes. Each takes one thing that is real out of the photos: the size of the hand, what stands behind it, its
colour, its light, its grain, the frame that was stretched. Nothing is trained, so no photo reaches a weight or the
renderer. What brings letters back was missing in the renderer; what no change brings back lies in the hands.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.asl.looks import window
from vitcourse.asl.metrics import both_ways, measure
from vitcourse.asl.table import interval
from vitcourse.data.asl import resize
from vitcourse.data.augment import GREY
from vitcourse.data.copies import source_photo
from vitcourse.data.letters import LETTERS
from vitcourse.hands import Draws, background, draw_skin, render
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity, real_parts
from vitcourse.recipes.asl_finetuning.rows import HOLD_OUT
from vitcourse.recipes.asl_finetuning.sign_backbone import PIXELS, hand_model, read

RENDERED, SEED = 26 * 10, 21  # pictures of the renderer, for comparison: the model has seen none of this seed
Changed = tuple[Tensor, Tensor]  # pictures (B, 3, S, S) uint8, and their boxes (B, 4)


def close_up(images: Tensor, boxes: Tensor) -> Changed:
    """The window around each hand, which then takes 0.7 of it (`asl.looks.window`)."""
    cut, places = zip(*(window(image, box, PIXELS) for image, box in zip(images, boxes, strict=True)), strict=True)
    near, far = torch.stack(places).chunk(2, dim=1)
    return torch.stack(cut), (boxes - near.repeat(1, 2)) / (far - near).repeat(1, 2)


def outside(images: Tensor, boxes: Tensor, other: Tensor) -> Changed:
    """Another picture outside the box, with a margin of a fiftieth of the picture."""
    place = (torch.arange(images.shape[-1]) + 0.5) / images.shape[-1]
    left, top, right, bottom = (side[:, None] for side in (boxes + torch.tensor([-0.02, -0.02, 0.02, 0.02])).unbind(1))
    inside = ((place > top) & (place < bottom))[:, :, None] & ((place > left) & (place < right))[:, None, :]
    return torch.where(inside[:, None], images, other), boxes


def rendered_behind(images: Tensor, boxes: Tensor) -> Changed:
    """What the renderer puts behind a hand, in place of all outside the box."""
    draws = Draws(SEED, range(len(images)))
    scene = background(draws, images.shape[-1], draw_skin(draws)).clamp(0, 1)
    return outside(images, boxes, (255 * scene).to(torch.uint8))


def grey_behind(images: Tensor, boxes: Tensor) -> Changed:
    """Nothing but grey outside the box."""
    return outside(images, boxes, torch.full_like(images, 127))


def no_colour(images: Tensor, boxes: Tensor) -> Changed:
    """Grey pictures."""
    grey = (images * torch.tensor(GREY).view(3, 1, 1)).sum(1, keepdim=True)
    return grey.expand_as(images).to(torch.uint8), boxes


def even_light(images: Tensor, boxes: Tensor) -> Changed:
    """Every place as bright as the middle: divided by the mean of its surroundings, a third of the picture wide."""
    side = 2 * (images.shape[-1] // 6) + 1
    around = F.avg_pool2d(images.float().mean(1, keepdim=True), side, 1, side // 2, count_include_pad=False)
    return (images / around.clamp(min=8) * 127).clamp(0, 255).to(torch.uint8), boxes


def smooth(images: Tensor, boxes: Tensor) -> Changed:
    """The mean of three by three pixels: grain and the marks of compression go, and edges with them."""
    return F.avg_pool2d(images.float(), 3, 1, 1, count_include_pad=False).round().to(torch.uint8), boxes


def squeezed(images: Tensor, boxes: Tensor) -> Changed:
    """As the camera saw it, if the exporter stretched a picture of 3:4: three quarters as wide, grey at both sides."""
    size = images.shape[-1]
    edge = size // 8
    narrow = torch.full_like(images, 127)
    narrow[..., edge : size - edge] = F.interpolate(images.float(), (size, size - 2 * edge), mode="bilinear").round()
    scale, move = torch.tensor([(size - 2 * edge) / size, 1.0] * 2), torch.tensor([edge / size, 0.0] * 2)
    return narrow, boxes * scale + move


def both(images: Tensor, boxes: Tensor) -> Changed:
    """A close-up before what the renderer puts behind."""
    return rendered_behind(*close_up(images, boxes))


CHANGES: dict[str, Callable[[Tensor, Tensor], Changed]] = {
    "as they are": lambda images, boxes: (images, boxes),
    "close-up": close_up,
    "rendered background": rendered_behind,
    "grey background": grey_behind,
    "no colour": no_colour,
    "even light": even_light,
    "smooth": smooth,
    "squeezed to 3:4": squeezed,
    "close-up, rendered background": both,
}


@recipe("asl_domain", needs_data=True)
def record(data: Path, say: Say) -> dict:
    """Reads the hold-out once for each change, and rendered hands as they are."""
    parts, model = real_parts(data, say, tight=True), hand_model()
    train, (_, held) = parts.split("train"), parts.places(HOLD_OUT)
    images = torch.stack([resize(train[place]["image"], 2 * PIXELS) for place in held])
    labels, boxes = train.labels[held], parts.boxes("tight")[held]
    photos = [source_photo(train.files[place]) for place in held]
    rows, first = [], None
    for title, change in CHANGES.items():
        changed, places = change(images, boxes)
        answers = both_ways(partial(read, model), list(changed))[1]
        right = (answers[0].argmax(1) == labels).float()
        first = right if first is None else first
        rows.append({"title": title, **measure(*answers, labels, places), "gained": gained(right, first, photos)})
        rows[-1]["by_letter"] = shares(right, labels)
        say(f"{title}: letters {rows[-1]['accuracy']:.1%}, IoU@75 {rows[-1]['iou75']:.1%}")
    letters = torch.arange(RENDERED) % len(LETTERS)
    drawn, places = render(letters, SEED, PIXELS)
    answers = both_ways(partial(read, model), list(drawn))[1]
    rendered = {
        **measure(*answers, letters, places),
        "by_letter": shares((answers[0].argmax(1) == letters).float(), letters),
    }
    counts = {"share": HOLD_OUT, "images": len(held), "photos": len(set(photos))}
    return {"data": identity(data), "hold_out": counts, "rows": rows, "rendered": {"images": RENDERED} | rendered}


def gained(right: Tensor, before: Tensor, photos: list[str]) -> list[float]:
    """Letters gained, and the ends of the 95% interval: the copies of a photo count as one, and are paired."""
    of_photo = {photo: [i for i, other in enumerate(photos) if other == photo] for photo in photos}
    middle, half = interval((right - before)[places].mean().item() for places in of_photo.values())
    return [round(value, 4) for value in (middle, middle - half, middle + half)]


def shares(right: Tensor, labels: Tensor) -> dict[str, float]:
    """The share that is right, by letter."""
    found = ((LETTERS[i], right[labels == i]) for i in range(len(LETTERS)))
    return {letter: round(some.mean().item(), 3) for letter, some in found if len(some)}

"""The recorded run ``asl_sides``: where a model looks for each side of the box, on a few rendered hands.

The head `Sides` is trained on rendered pictures with the last block of the sign backbone, as
``vitcourse train asl --box-head sides --freeze 5 --box-loss giou --no-augment --epochs 12`` would. Kept are, for each
picture and side, how much each place of the map counts and its offset, in 8 bits.
"""

import base64
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor

from vitcourse.asl import ClassificationBBoxTransformer, evaluate
from vitcourse.asl.backbones import adapter
from vitcourse.asl.parts import Parts
from vitcourse.asl.trainer import train_signs
from vitcourse.data.asl import resize, synthesise, to_input
from vitcourse.data.images import decode
from vitcourse.data.letters import LETTERS
from vitcourse.hands import render
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_experiments.many import PICTURES, RUN
from vitcourse.recipes.asl_finetuning.sign_pictures import QUALITY, as_base64, rounded

RUN = replace(RUN, box_head="sides", box_loss="giou", training=replace(RUN.training, epochs=12))
DATA = PICTURES | {"valid": 130}
SEED, PIXELS = 9, 288
CHOSEN = "LYBCWI"  # what is shown, drawn from the seed


@torch.no_grad()
def looks(model: ClassificationBBoxTransformer, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How much each place counts for each side, (B, 4, H, W), the offsets there, in places, and the boxes (B, 4)."""
    _, *maps = adapter(model.backbone).features_and_maps(to_input(images))
    return *model.bounding_box.places(*maps), model.bounding_box(*maps)


@recipe("asl_sides")
def record(say: Say) -> dict:
    """Trains the head, and asks it."""
    with tempfile.TemporaryDirectory() as place:
        parts = Parts(Path(place) / "signs")
        synthesise(parts.data, **DATA)
        model, _ = train_signs(RUN, parts, judge=False)
        (valid,) = parts.images(model.image_size, "valid")
    measures = evaluate(model, valid)
    say(f"valid: letters {measures['accuracy']:.1%}, mean IoU {measures['mean_iou']:.2f}")
    images, boxes = render(torch.tensor([LETTERS.index(letter) for letter in CHOSEN]), SEED, PIXELS)
    files = [as_base64(image, "JPEG", quality=QUALITY) for image in images]
    shown = torch.stack([resize(decode(BytesIO(base64.b64decode(file))), model.image_size) for file in files])
    shares, offsets, said = looks(model.eval().cpu(), shown)
    pictures = []
    for place, file in enumerate(files):
        told = {"letter": CHOSEN[place], "jpeg": file, "true": rounded(boxes[place], 4), "box": rounded(said[place], 4)}
        numbers = {"shares": in_bytes(shares[place], 255), "offsets": in_bytes(offsets[place], 127)}
        pictures.append(told | numbers)
    return {"data": DATA, "side": model.bounding_box.side, "valid": measures, "pictures": pictures}


def in_bytes(maps: Tensor, most: int) -> dict:
    """Four maps in a byte a number, as shares of ``most``, and what ``most`` stands for in each."""
    scales = maps.abs().amax(dim=(1, 2)).clamp(min=1e-6)
    numbers = (most * maps / scales[:, None, None]).round()
    kept = numbers.to(torch.uint8 if most > 127 else torch.int8).numpy().tobytes()
    return {"scales": rounded(scales, 6), "bytes": base64.b64encode(kept).decode()}

"""The recorded run ``asl_pulls``: how two losses pull at one backbone, with new heads and with trained ones.

On the pictures of lesson 10: the length of each loss's gradient over all weights of the backbone, and the cosine of the
angle between the two. Their sum for any C follows from these three numbers. The trained heads are the wide ones of
`asl_rendered`; one batch of 24 pictures is measured, in evaluation.
"""

import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate.utils import set_seed

from vitcourse.asl import ClassificationBBoxTransformer, FrozenFeatures, sign_loss
from vitcourse.asl.backbones.ours import SMALL_VIT, sign_backbone
from vitcourse.asl.parts import Parts, subset
from vitcourse.data.asl import InMemory, synthesise, to_input
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_finetuning.asl_rendered import HOLD_OUT, PICTURES, WIDE, train_heads, two_heads
from vitcourse.training import own_device

SEED, BATCH = 0, 24
BOX_LOSSES = ("mse", "l1", "giou")


def pulls(model: ClassificationBBoxTransformer, data: InMemory, box_loss: str) -> dict[str, float]:
    """Both losses of a batch, the lengths of their gradients at the backbone, and the cosine between these."""
    model = model.to(own_device()).eval()
    shared = [parameter.requires_grad_() for parameter in model.backbone.parameters()]
    images, labels, boxes = (part.to(own_device()) for part in (data.images, data.labels, data.boxes))
    losses = sign_loss(*model(to_input(images)), labels, boxes, box_loss=box_loss)
    flat = []
    for name in ("classification", "box"):
        parts = torch.autograd.grad(losses[name], shared, retain_graph=True, allow_unused=True)
        flat.append(torch.cat([part.flatten() for part in parts if part is not None]))
    found = {"letter_loss": losses["classification"], "box_loss": losses["box"]}
    found |= {"letter_pull": flat[0].norm(), "box_pull": flat[1].norm(), "cosine": F.cosine_similarity(*flat, dim=0)}
    return {name: float(f"{value.item():.4g}") for name, value in found.items()}


@recipe("asl_pulls")
def record(say: Say) -> dict:
    """Renders the lesson's pictures, trains the heads, and measures before and after."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "signs"
        synthesise(folder, **PICTURES)
        parts = Parts(folder)
        (whole,) = parts.images(SMALL_VIT.image_size, "train")
        train, held_out = (subset(whole, some) for some in parts.places(HOLD_OUT))
    torch.manual_seed(SEED)  # of the lesson's cell, too
    models = {"new": ClassificationBBoxTransformer(sign_backbone())}
    stored = {
        name: FrozenFeatures(two_heads(), data, SMALL_VIT.depth)
        for name, data in (("train", train), ("held_out", held_out))
    }
    set_seed(SEED)
    models["trained"] = two_heads()
    train_heads(models["trained"], stored, held_out, WIDE)
    batch, rows = subset(train, range(BATCH)), []
    for heads, model in models.items():
        for box_loss in BOX_LOSSES:
            rows.append({"heads": heads, "loss": box_loss} | pulls(model, batch, box_loss))
            say(f"{heads} heads, {box_loss}: equal pulls at C = {rows[-1]['letter_pull'] / rows[-1]['box_pull']:.1f}")
    return {"data": {"name": "rendered signs", **PICTURES}, "batch": BATCH, "rows": rows}

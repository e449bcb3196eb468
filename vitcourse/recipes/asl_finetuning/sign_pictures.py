"""The recorded run ``sign_pictures``: what the sign model says of a few hands, for pages that ask it again.

A page of the book holds these pictures, and in 8 bits the weights that `script` writes. What it computes itself must
agree with what is recorded here.
"""

import base64
import io

import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.datasets import load_sample_image
from torch import Tensor

from vitcourse.asl.backbones.ours import SMALL_VIT
from vitcourse.data.asl import resize, to_input
from vitcourse.data.images import decode
from vitcourse.data.letters import LETTERS
from vitcourse.explain import WEIGHTS, intermediates, rollout
from vitcourse.hands import render, render_with_truth
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_finetuning.sign_backbone import CELLS, CLASSES, SIDE, HandModel, hand_model
from vitcourse.weights.script import as_script

SEED, PIXELS, QUALITY = 7, 288, 88
# (the letter, the place in the series of the seed); the first is a W in which covering one finger leaves a V.
CHOSEN = (("W", 48), ("V", 21), ("Y", 24), ("F", 31), ("C", 54), ("B", 1), ("L", 63), ("A", 0))
LAYERS = [f"blocks.{layer}.attn{WEIGHTS}" for layer in range(SMALL_VIT.depth)]


@torch.no_grad()
def answers(model: HandModel, images: Tensor) -> dict[str, Tensor]:
    """All that the model says of uint8 images (B, 3, 96, 96).

    Returns:
        ``logits`` (B, 26), ``box`` (B, 4) clipped to the image, ``reads`` (B, 36): the share of each patch in the mean
        of the patches, by `explain.rollout`; ``parts`` (B, 24, 24): 0 for nothing, else 1 more than the part of
        `vitcourse.hands.PARTS`; ``weights`` (B, 6, 3, 37, 37), of every layer and head.
    """
    (logits, box, _, parts), found = intermediates(
        model.eval(), [f"backbone.{name}" for name in LAYERS], to_input(images)
    )
    layers = [found[f"backbone.{name}"] for name in LAYERS]
    reads = rollout(layers)[:, 1:, 1:].mean(dim=1)
    return {
        "logits": logits,
        "box": box.clamp(0, 1),
        "reads": reads / reads.sum(dim=1, keepdim=True),
        "parts": parts.argmax(dim=-1),
        "weights": torch.stack(layers, dim=1),
    }


def script(model: HandModel) -> str:
    """The model's weights as a script: each batch norm folded into the convolution before it, in which it disappears.

    Convolutions are written (out, height * width * in), so that a page gathers whole pixels.
    """
    weights, stem = {}, []
    layers = list(model.backbone.patch_embed.proj)
    for place, layer in enumerate(layers):
        if not isinstance(layer, torch.nn.Conv2d):
            continue
        kernel, bias = layer.weight, layer.bias
        normed = layer.kernel_size == (3, 3)
        if normed:
            norm = layers[place + 1]
            factor = norm.weight / (norm.running_var + norm.eps).sqrt()
            kernel, bias = kernel * factor[:, None, None, None], norm.bias - norm.running_mean * factor
        name = f"stem.{len(stem)}"
        weights[f"{name}.weight"], weights[f"{name}.bias"] = kernel.permute(0, 2, 3, 1).flatten(1), bias
        stem.append({"name": name, "side": layer.kernel_size[0], "stride": layer.stride[0], "relu": normed})
    for name, weight in model.state_dict().items():
        name = name.removeprefix("backbone.")
        if not name.startswith(("patch_embed.", "norm.")):
            weights[name] = weight
    facts = {"size": SMALL_VIT.image_size, "depth": SMALL_VIT.depth, "heads": SMALL_VIT.num_heads, "stem": stem}
    return as_script("sign-model", weights, **facts, cells=CELLS, classes=CLASSES, side=SIDE, letters="".join(LETTERS))


@recipe("sign_pictures")
def record(say: Say) -> dict:
    """Renders the pictures, and asks the model; for attention, the pictures of lesson 06."""
    pictures, looks, model = [], [], hand_model()
    for letter, place in CHOSEN:
        image, true = render(torch.tensor([LETTERS.index(letter)]), SEED, PIXELS, first=place)
        pictures.append({"letter": letter, "true": rounded(true[0], 4)} | asked(model, image[0]))
        say(f"{letter}: {pictures[-1]['top'][0]}")
    hands, _, _, parts = render_with_truth(torch.tensor([11, 21, 24]), SEED, SMALL_VIT.image_size)
    flower = torch.from_numpy(load_sample_image("flower.jpg").copy()).permute(2, 0, 1)[:, :, 107:534]
    shown = F.max_pool2d((parts > 0).float()[:, None], parts.shape[-1] // SIDE).flatten(1).int()  # patches with a hand
    for name, image, hand in zip("LVY ", [*hands, resize(flower, SMALL_VIT.image_size)], [*shown, None], strict=True):
        weights = answers(model, image[None])["weights"][0]
        numbers = (65535 * weights).round().numpy().astype("<u2").tobytes()  # shares of 65,535
        looks.append(
            {"letter": name.strip(), "png": as_base64(image, "PNG"), "hand": [] if hand is None else hand.tolist()}
        )
        looks[-1]["weights"] = base64.b64encode(numbers).decode()
    blind = render(torch.arange(4 * len(LETTERS)) % len(LETTERS), SEED + 1, 48)[1].mean(dim=0)
    return {"seed": SEED, "pictures": pictures, "looks": looks, "blind": rounded(blind, 4)}


def asked(model: HandModel, image: Tensor) -> dict:
    """A picture (3, size, size) as a file, and what the model says of what that file holds."""
    jpeg = as_base64(image, "JPEG", quality=QUALITY)
    said = answers(model, resize(decode(io.BytesIO(base64.b64decode(jpeg))), SMALL_VIT.image_size)[None])
    likely = said["logits"][0].softmax(dim=0).topk(5)
    top = [[LETTERS[p], round(s, 4)] for p, s in zip(likely.indices, likely.values.tolist(), strict=True)]
    return {"jpeg": jpeg, "top": top, "box": rounded(said["box"][0], 4), "reads": rounded(said["reads"][0], 5)}


def as_base64(image: Tensor, form: str, **options) -> str:
    """A picture as a file, in base64."""
    stream = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(stream, form, **options)
    return base64.b64encode(stream.getvalue()).decode()


def rounded(numbers: Tensor, digits: int) -> list[float]:
    return [round(number, digits) for number in numbers.tolist()]

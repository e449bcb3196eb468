"""The recorded run ``frozen_blocks``: what a training step takes with none, some or all of the blocks frozen.

A step is forward and backward of 24 pictures through the course's small ViT with two new heads, on one thread. Counted
are the trained weights, the operations of matrix products and convolutions, and the bytes that the forward pass keeps
for the backward pass; the time is the shortest of several, taken in turn.
"""

from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from vitcourse.asl import ClassificationBBoxTransformer, freeze, sign_loss
from vitcourse.asl.backbones.ours import SMALL_VIT, sign_backbone
from vitcourse.data.asl import render, to_input
from vitcourse.recipes import Say, recipe
from vitcourse.timing import shortest

BATCH, ROUNDS = 24, 7
FROZEN = (-1, *range(SMALL_VIT.depth + 1))  # -1: not even the embeddings


def frozen_model(layers: int) -> ClassificationBBoxTransformer:
    """New heads on the sign backbone, of which the embeddings and so many blocks are frozen; -1 freezes nothing."""
    model = ClassificationBBoxTransformer(sign_backbone()).train()
    if layers >= 0:
        freeze(model.backbone, layers)
    return model


def step(model: ClassificationBBoxTransformer, images: torch.Tensor, boxes: torch.Tensor) -> None:
    logits, found = model(to_input(images))
    sign_loss(logits, found, torch.arange(len(images)) % 26, boxes, 10.0)["loss"].backward()


def kept_bytes(model: ClassificationBBoxTransformer, *data: torch.Tensor) -> int:
    """What the forward pass keeps for the backward pass, less weights."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    found = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        step(model, *data)
    return sum(found.values())


@recipe("frozen_blocks")
def record(say: Say) -> dict:
    """Counts, and takes the time in turn."""
    data, rows, steps = render(torch.arange(BATCH) % 26, 10, SMALL_VIT.image_size), [], {}
    for layers in FROZEN:
        model = frozen_model(layers)
        steps[layers] = partial(step, model, *data)
        with FlopCounterMode(display=False) as counter:
            steps[layers]()
        trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
        counts = {"trained_parameters": trained, "operations": counter.get_total_flops()}
        rows.append({"frozen": layers, **counts, "kept_bytes": kept_bytes(model, *data)})
    for row, seconds in zip(rows, shortest(steps, ROUNDS).values(), strict=True):
        row["step_seconds"] = round(seconds, 4)
        say(f"{row['frozen']} blocks frozen: {row['trained_parameters']:,} trained, {1e3 * seconds:.0f} ms")
    return {"batch": BATCH, "image_size": SMALL_VIT.image_size, "rows": rows}

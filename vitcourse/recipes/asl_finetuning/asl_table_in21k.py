"""The recorded run ``asl_table_in21k``: the results table with the project's own models, on the real photos.

It wants a CUDA device, and a connection for the weights: ViT-B/16 trained on ImageNet-21k from the Hugging Face hub,
ResNet-18 trained on ImageNet from torchvision. Whoever has them on disk names them in `VITCOURSE_VIT` (a folder) and
`VITCOURSE_RESNET` (a file).
"""

import os
from pathlib import Path

import torch

from vitcourse.asl import SignRun
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity, real_parts
from vitcourse.recipes.asl_finetuning.rows import all_rows, five_rows
from vitcourse.training import TrainingConfig, by_device

SEEDS = (0, 1, 2)
FROZEN = 6  # of 12 layers, as in the project
# Ten epochs, as the project's figures show. Its learning rates are not known: these are tried.
TRAINING = TrainingConfig(epochs=10, batch_size=32, precision=by_device(cpu="no", cuda="bf16"), workers=0)
RATES, RESNET_RATES, DIVISORS = (1e-4, 3e-5), (1e-3, 3e-4), (10.0, 30.0, 100.0)


def runs() -> tuple[SignRun, SignRun]:
    """The two models, with the weights that the environment names."""
    vit = os.environ.get("VITCOURSE_VIT", "google/vit-base-patch16-224-in21k")
    file = os.environ.get("VITCOURSE_RESNET")
    resnet = f"resnet18:{file}" if file else "resnet18-imagenet"
    return (
        SignRun(vit, classification_divisor=1.0, frozen_layers=FROZEN, training=TRAINING),
        SignRun(resnet, image_size=224, classification_divisor=1.0, training=TRAINING),
    )


@recipe("asl_table_in21k", needs_data=True)
def record(data: Path, say: Say) -> dict:
    """Trains every row, measures train and valid."""
    if not torch.cuda.is_available():
        say("there is no CUDA device here: this takes days on a CPU")
    rows = five_rows(*runs(), RATES, RESNET_RATES, DIVISORS)
    return {"data": identity(data)} | all_rows(rows, real_parts(data, say), SEEDS, say)

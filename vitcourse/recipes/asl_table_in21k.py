"""The recorded run ``asl_table_in21k``: the results table with the project's own models, on the real photos.

It wants a CUDA device, and a connection for the weights: ViT-B/16 trained on ImageNet-21k from the Hugging Face hub,
ResNet-18 trained on ImageNet from torchvision. Whoever has them on disk names them in `VITCOURSE_VIT` (a folder) and
`VITCOURSE_RESNET` (a file).
"""

import os
from collections.abc import Callable
from pathlib import Path

import torch

from vitcourse.asl import SignRun
from vitcourse.data.asl import load
from vitcourse.errors import InputError
from vitcourse.recipes.asl_material import Material, copies_within, identity
from vitcourse.recipes.asl_rows import HOLD_OUT, five_rows, record_rows
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


def record(data: str | Path | None, say: Callable[[str], None] = print) -> Path:
    """Trains every row, measures train and valid, and writes ``asl_table_in21k.json``."""
    if data is None:
        raise InputError("asl_table_in21k needs the real photos: name their export folder with --data")
    if not torch.cuda.is_available():
        say("there is no CUDA device here: this takes days on a CPU")
    known, (vit, resnet) = identity(data), runs()
    material = Material(data, copies_within(load(data, "train"), say), HOLD_OUT)
    return record_rows(
        "asl_table_in21k", five_rows(vit, resnet, RATES, RESNET_RATES, DIVISORS), material, known, SEEDS, say
    )

"""The recorded run ``asl_real``: the course's ViT on the real American Sign Language photos, from two starts.

The image size and C are chosen on photos held out of train, among three settings (`TRIES`) that are tried once, with
the pretrained start alone; the box loss is GIoU in all of them. Then both starts are trained on all of train with every
seed, the model of the last epoch is taken, and valid is read once for each model: as the photos are, and with the mean
over their mirror images.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from accelerate.utils import set_seed

from vitcourse import results
from vitcourse.asl import SignRun, evaluate
from vitcourse.asl.metrics import both_ways, measure, predict
from vitcourse.asl.runs import new_model
from vitcourse.data.asl import load
from vitcourse.errors import InputError
from vitcourse.recipes.asl_material import Material, copies_within, identity
from vitcourse.recipes.asl_rows import HOLD_OUT
from vitcourse.recipes.signs import fit_signs
from vitcourse.training import TrainingConfig

SEEDS = (0, 1, 2)
TRAINING = TrainingConfig(epochs=30, batch_size=32, lr=1e-3, precision="bf16")
# The same steps, augmentation, schedule and loss: the two differ in their first weights alone. But what is chosen is
# chosen with the first of them.
RUNS = {
    "ViT, pretrained on rendered signs": SignRun("vit-signs", training=TRAINING),
    "ViT, from scratch": SignRun("vit", training=TRAINING),
}
TRIES = (
    {"image_size": 96, "box_loss": "giou", "classification_divisor": 4.0},
    {"image_size": 96, "box_loss": "giou", "classification_divisor": 10.0},
    {"image_size": 128, "box_loss": "giou", "classification_divisor": 10.0},
)


def record(data: str | Path | None, say: Callable[[str], None] = print) -> Path:
    """Chooses the settings, trains every run of `RUNS` with every seed, and writes ``asl_real.json``."""
    if data is None:
        raise InputError("asl_real needs the real photos: name their export folder with --data")
    started, known = time.perf_counter(), identity(data)
    material = Material(data, copies_within(load(data, "train"), say), HOLD_OUT)
    first, choices, rows = next(iter(RUNS.values())), [], []
    for settings in TRIES:
        _, log, _ = trained(replace(first, hold_out=HOLD_OUT, **settings), material)
        choices.append({"settings": settings, "score": log[-1]["held_out_score"], "log": log})
        say(f"{settings}: {choices[-1]['score']:.3f} on the photos held out")
    best = max(choices, key=lambda choice: choice["score"])["settings"]
    for title, run in RUNS.items():
        for seed in SEEDS:
            rows.append(row(title, replace(run, training=replace(run.training, seed=seed), **best), material))
            valid = rows[-1]["valid"]
            say(f"{title}, seed {seed}: valid letters {valid['accuracy']:.1%}, IoU@75 {valid['iou75']:.1%}")
    counts = {"share": HOLD_OUT, **material.counts()}
    content = {"data": known, "hold_out": counts, "choices": choices, "settings": best, "rows": rows}
    return results.write("asl_real", content, time.perf_counter() - started)


def trained(run: SignRun, material: Material) -> tuple:
    """The model, its log and its images; what a run holds out is judged after every epoch, and otherwise nothing."""
    set_seed(run.training.seed)
    model, run = new_model(run)
    images = material.images(model.image_size)
    train, judged = (images["kept"], images["held_out"]) if run.hold_out else (images["train"], None)
    return model, fit_signs(model, run, train, judged), images


def row(title: str, run: SignRun, material: Material) -> dict:
    """What the record says of one model; this is where valid is read."""
    started = time.perf_counter()
    model, log, images = trained(run, material)
    valid = images["valid"]
    as_is, with_mirror = both_ways(partial(predict, model), list(valid.images))
    return {
        "title": title,
        "seed": run.training.seed,
        "epochs": run.training.epochs,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "train": evaluate(model, images["train"]),
        "valid": measure(*as_is, valid.labels, valid.boxes),
        "valid_with_mirror": measure(*with_mirror, valid.labels, valid.boxes),
        "log": log,
        "seconds": round(time.perf_counter() - started, 1),
    }

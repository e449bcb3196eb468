"""The recorded run ``asl_real``: small models from scratch on the real American Sign Language photos."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vitcourse import results
from vitcourse.asl import SignRun, evaluate
from vitcourse.data.asl import load
from vitcourse.errors import InputError
from vitcourse.recipes.signs import decoded, train_signs
from vitcourse.training import TrainingConfig

SEEDS = (0, 1, 2)
TRAINING = TrainingConfig(epochs=12, batch_size=32, lr=1e-3)
# The same steps, augmentation, schedule and constant C for all: the two ViTs differ in their first weights alone.
RUNS = {
    "ViT, from scratch": SignRun("vit", classification_divisor=10, training=TRAINING),
    "ViT, pretrained on rendered signs": SignRun("vit-signs", classification_divisor=10, training=TRAINING),
    "ResNet-18, from scratch": SignRun("resnet18", classification_divisor=10, training=TRAINING),
}


def record(data: str | Path | None, say: Callable[[str], None] = print) -> Path:
    """Trains every run of `RUNS` with every seed, measures train and valid, and writes ``asl_real.json``."""
    if data is None:
        raise InputError("asl_real needs the real photos: name their export folder with --data")
    started, rows = time.perf_counter(), []
    for title, run in RUNS.items():
        for seed in SEEDS:
            start = time.perf_counter()
            seeded = replace(run, training=replace(run.training, seed=seed))
            model, log = train_signs(seeded, data)
            train, valid = decoded([load(data, split) for split in ("train", "valid")], model.image_size, None)
            row = {
                "title": title,
                "seed": seed,
                "epochs": run.training.epochs,
                "parameters": sum(parameter.numel() for parameter in model.parameters()),
                "train": evaluate(model, train),
                "valid": evaluate(model, valid),
                "log": log,
                "seconds": round(time.perf_counter() - start, 1),
            }
            rows.append(row)
            done, elapsed = len(rows) / (len(RUNS) * len(SEEDS)), time.perf_counter() - started
            measured = f"letters {row['valid']['accuracy']:.1%}, IoU@75 {row['valid']['iou75']:.1%}"
            say(f"{title}, seed {seed}: valid {measured}; about {elapsed * (1 / done - 1) / 60:.0f} min left")
    content = {"data": "American Sign Language Letters, Roboflow version 1, CSV export", "rows": rows}
    return results.write("asl_real", content, time.perf_counter() - started)

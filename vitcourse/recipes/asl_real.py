"""The recorded run ``asl_real``: a small ViT on the real American Sign Language photos, from two starts."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from vitcourse import results
from vitcourse.asl import SignRun
from vitcourse.data.asl import load
from vitcourse.data.roboflow import CSV_NAME
from vitcourse.errors import InputError
from vitcourse.recipes.signs import measured_runs
from vitcourse.training import TrainingConfig

# The annotations of train and valid, one after the other.
KNOWN = {
    "270efe429a686df1f2ec3f34ffbe818103495f8d1f595d45b644e6e6d6a7c213": (
        "American Sign Language Letters by David Lee, Roboflow version 1"
    ),
}
SEEDS = (0, 1, 2)
TRAINING = TrainingConfig(epochs=12, batch_size=32, lr=1e-3)
# The same steps, augmentation, schedule and constant C: the two differ in their first weights alone.
RUNS = {
    "ViT, from scratch": SignRun("vit", classification_divisor=10, training=TRAINING),
    "ViT, pretrained on rendered signs": SignRun("vit-signs", classification_divisor=10, training=TRAINING),
}


def record(data: str | Path | None, say: Callable[[str], None] = print) -> Path:
    """Trains every run of `RUNS` with every seed, measures train and valid, and writes ``asl_real.json``."""
    if data is None:
        raise InputError("asl_real needs the real photos: name their export folder with --data")
    started = time.perf_counter()
    rows = measured_runs(RUNS, SEEDS, data, say)
    return results.write("asl_real", {"data": identity(data), "rows": rows}, time.perf_counter() - started)


def identity(data: str | Path) -> dict:
    """Which data a run has seen: images in each split, and a digest of the annotations."""
    digest = hashlib.sha256()
    counts = {}
    for split in ("train", "valid"):
        counts[split] = len(load(data, split))
        digest.update((Path(data) / split / CSV_NAME).read_bytes())
    name = KNOWN.get(digest.hexdigest(), "an export that the course does not know")
    return {"name": name, **counts, "annotations_sha256": digest.hexdigest()}

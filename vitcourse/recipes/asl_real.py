"""The recorded run ``asl_real``: a small ViT on the real American Sign Language photos, from two starts."""

import time
from collections.abc import Callable
from pathlib import Path

from vitcourse import results
from vitcourse.asl import SignRun
from vitcourse.errors import InputError
from vitcourse.recipes.asl_material import identity
from vitcourse.recipes.signs import measured_runs
from vitcourse.training import TrainingConfig

__all__ = ["RUNS", "SEEDS", "identity", "record"]

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

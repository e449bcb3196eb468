"""The recorded run ``asl_rendered``: the trainings of the lesson on fine-tuning, over several seeds."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from vitcourse import results
from vitcourse.asl import SignRun
from vitcourse.asl.runs import SMALL_VIT
from vitcourse.data.asl import synthesise
from vitcourse.recipes.signs import measured_runs
from vitcourse.training import TrainingConfig

SEEDS = (0, 1, 2)
PICTURES = {"train": 520, "valid": 130, "test": 0, "size": SMALL_VIT.image_size, "seed": 10}
HEADS = TrainingConfig(
    epochs=24,
    lr=1e-3,
    warmup=0.05,
    schedule="plateau",
    monitor="held_out_loss",
    patience=2,
    plateau_factor=0.3,
    choose="held_out_score",
)
EVERYTHING = {"hold_out": 0.2, "training": TrainingConfig(epochs=2, lr=1e-3)}
RUNS = {
    "heads on frozen blocks": SignRun(
        "vit-signs", frozen_layers=SMALL_VIT.depth, augment=False, hold_out=0.2, training=HEADS
    ),
    "everything, pretrained": SignRun("vit-signs", **EVERYTHING),
    "from scratch": SignRun("vit", **EVERYTHING),
}


def record(data: str | Path | None = None, say: Callable[[str], None] = print) -> Path:  # noqa: ARG001
    """Renders the lesson's pictures, trains on them, and writes ``asl_rendered.json``. Takes no data."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "signs"
        synthesise(folder, **PICTURES)
        rows = measured_runs(RUNS, SEEDS, folder, say)
    content = {"data": {"name": "rendered signs", **PICTURES}, "rows": rows}
    return results.write("asl_rendered", content, time.perf_counter() - started)

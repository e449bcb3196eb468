"""The recorded run ``asl_rendered``: the trainings of the lesson on fine-tuning, over several seeds."""

import tempfile
from dataclasses import replace
from pathlib import Path

from vitcourse.asl import SignRun
from vitcourse.asl.backbones.ours import SMALL_VIT
from vitcourse.asl.parts import Parts
from vitcourse.data.asl import synthesise
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_finetuning.rows import trained
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


@recipe("asl_rendered")
def record(say: Say) -> dict:
    """Renders the lesson's pictures, and trains every run on them with every seed."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "signs"
        synthesise(folder, **PICTURES)
        parts, rows = Parts(folder), []
        for title, run in RUNS.items():
            for seed in SEEDS:
                rows.append(trained(title, replace(run, training=replace(run.training, seed=seed)), parts, say)[1])
    return {"data": {"name": "rendered signs", **PICTURES}, "rows": rows}

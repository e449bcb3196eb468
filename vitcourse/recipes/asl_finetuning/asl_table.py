"""The recorded run ``asl_table``: the results table on rendered signs, on any machine and with no data."""

import tempfile
from pathlib import Path

from vitcourse.asl import SignRun
from vitcourse.asl.backbones.ours import SMALL_VIT
from vitcourse.asl.parts import Parts
from vitcourse.data.asl import synthesise
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_finetuning.rows import all_rows, five_rows
from vitcourse.training import TrainingConfig

SEEDS = (0, 1, 2)
PICTURES = {"train": 1040, "valid": 260, "test": 0, "size": SMALL_VIT.image_size, "seed": 10}
TRAINING = TrainingConfig(epochs=6, batch_size=32, precision="bf16", patience=1, plateau_factor=0.3)
# Both read the same pixels. No ResNet-18 with weights is at hand without a download: it starts from scratch.
VIT = SignRun("vit-signs", classification_divisor=1.0, training=TRAINING)
RESNET = SignRun("resnet18", image_size=SMALL_VIT.image_size, classification_divisor=1.0, training=TRAINING)
RATES, DIVISORS = (1e-3, 3e-4), (10.0, 30.0, 100.0)


@recipe("asl_table")
def record(say: Say) -> dict:
    """Renders the pictures and trains every row."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "signs"
        synthesise(folder, **PICTURES)
        rows = five_rows(VIT, RESNET, RATES, RATES, DIVISORS)
        return {"data": {"name": "rendered signs", **PICTURES}} | all_rows(rows, Parts(folder), SEEDS, say)

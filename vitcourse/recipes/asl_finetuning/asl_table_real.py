"""The recorded run ``asl_table_real``: the results table on the real photos, with the small models of the course."""

from dataclasses import replace
from pathlib import Path

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity, real_parts
from vitcourse.recipes.asl_finetuning.asl_table import DIVISORS, RATES, RESNET, SEEDS, VIT
from vitcourse.recipes.asl_finetuning.rows import all_rows, five_rows
from vitcourse.training import TrainingConfig

TRAINING = TrainingConfig(epochs=10, batch_size=32, precision="bf16", patience=2, plateau_factor=0.3)


@recipe("asl_table_real", needs_data=True)
def record(data: Path, say: Say) -> dict:
    """Trains every row, measures train and valid."""
    rows = five_rows(replace(VIT, training=TRAINING), replace(RESNET, training=TRAINING), RATES, RATES, DIVISORS)
    return {"data": identity(data)} | all_rows(rows, real_parts(data, say), SEEDS, say)

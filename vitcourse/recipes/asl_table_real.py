"""The recorded run ``asl_table_real``: the results table on the real photos, with the small models of the course."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from vitcourse.data.asl import load
from vitcourse.errors import InputError
from vitcourse.recipes.asl_material import Material, copies_within, identity
from vitcourse.recipes.asl_rows import HOLD_OUT, five_rows, record_rows
from vitcourse.recipes.asl_table import DIVISORS, RATES, RESNET, SEEDS, VIT
from vitcourse.training import TrainingConfig

TRAINING = TrainingConfig(epochs=10, batch_size=32, precision="bf16", patience=2, plateau_factor=0.3)


def record(data: str | Path | None, say: Callable[[str], None] = print) -> Path:
    """Trains every row, measures train and valid, and writes ``asl_table_real.json``."""
    if data is None:
        raise InputError("asl_table_real needs the real photos: name their export folder with --data")
    known = identity(data)
    material = Material(data, copies_within(load(data, "train"), say), HOLD_OUT)
    rows = five_rows(replace(VIT, training=TRAINING), replace(RESNET, training=TRAINING), RATES, RATES, DIVISORS)
    return record_rows("asl_table_real", rows, material, known, SEEDS, say)

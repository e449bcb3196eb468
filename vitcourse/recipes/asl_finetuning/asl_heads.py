"""The recorded run ``asl_heads``: what the box head is worth, and what the labels are.

Every head is trained on the same photos, with tight labels, in the same way; two of them with the exported labels as
well. All are judged on the photos held out of train, by both kinds of labels, because each model does best by those
that it has learned. Valid is not read.

One seed a setting. In `asl_reach` three seeds of one setting lie 2 points of letters and 6 of IoU@90 apart: a gap of 15
between two heads comes from the heads, a gap of 5 may come from the seed.

The file is written after every training, and what is in it is not trained again: a run that was stopped, or that is
asked for more seeds, goes on where it ended.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from vitcourse import results
from vitcourse.asl import SignRun
from vitcourse.asl.looks import readings
from vitcourse.asl.metrics import measure, predict
from vitcourse.asl.parts import LABELS, Parts
from vitcourse.asl.trainer import train_signs
from vitcourse.errors import InputError
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity, real_parts
from vitcourse.recipes.asl_finetuning.rows import HOLD_OUT
from vitcourse.training import TrainingConfig

SEEDS = (0,)
TRAINING = TrainingConfig(epochs=10, batch_size=32, lr=1e-3, precision="bf16")
RUN = SignRun("vit-signs", 128, box_loss="giou", hold_out=HOLD_OUT, training=TRAINING)
SETTINGS = tuple({"box_head": head, "labels": "tight"} for head in ("sides", "mean", "query", "distances", "flattened"))
SETTINGS += tuple({"box_head": head, "labels": "exported"} for head in ("sides", "mean"))


@recipe("asl_heads", needs_data=True)
def record(data: Path, say: Say) -> Iterator[dict]:
    """Trains what is not recorded yet, seed by seed."""
    known, rows = identity(data), []
    if (found := recorded("asl_heads", known)) is not None:
        rows = found["rows"]
    parts = real_parts(data, say, tight=True)
    content = {"data": known, "hold_out": {"share": HOLD_OUT, **parts.counts(HOLD_OUT)}, "rows": rows}
    for seed in SEEDS:
        for settings in SETTINGS:
            run = replace(RUN, **settings, training=replace(TRAINING, seed=seed))
            if not any(row["seed"] == seed and row["settings"] == settings for row in rows):
                rows.append({"settings": settings, "seed": seed} | held_out_row(run, parts))
                single = rows[-1]["held_out"]["single look"]["tight"]
                say(f"{settings}, seed {seed}: letters {single['accuracy']:.1%}, IoU@90 {single['iou90']:.1%}")
            yield content | {"seconds": sum(row["seconds"] for row in rows)}


def recorded(name: str, data: dict) -> dict | None:
    """What is recorded under a name already, of the same data."""
    try:
        found = results.load(name)
    except InputError:
        return None
    return found if found["data"] == data else None


def held_out_row(run: SignRun, parts: Parts) -> dict:
    """One training, judged on the photos held out in four readings (`asl.looks`), by both kinds of labels."""
    clock, busy = time.perf_counter(), time.process_time()
    model, log = train_signs(run, parts, judge=False)
    took = {"seconds": round(time.perf_counter() - clock, 1), "cpu_seconds": round(time.process_time() - busy, 1)}
    train, (_, held) = parts.split("train"), parts.places(run.hold_out)
    images, labels = [train[place]["image"] for place in held], train.labels[held]
    found = readings(partial(predict, model), images, model.image_size)
    judged = {
        name: {kind: measure(said["logits"], said["boxes"], labels, parts.boxes(kind)[held]) for kind in LABELS}
        | {"seconds": round(said["seconds"], 2)}
        for name, said in found.items()
    }
    parameters = {
        "all": sum(parameter.numel() for parameter in model.parameters()),
        "box_head": sum(parameter.numel() for parameter in model.bounding_box.parameters()),
    }
    return {"parameters": parameters, "held_out": judged, "log": log, **took, "threads": torch.get_num_threads()}

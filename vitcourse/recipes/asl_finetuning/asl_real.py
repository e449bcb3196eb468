"""The recorded run ``asl_real``: the course's ViT on the real American Sign Language photos, from two starts.

The image size and C are chosen on photos held out of train, among three settings that are tried once, with the
pretrained start alone; the box loss is GIoU in all of them. Then both starts are trained on all of train with every
seed, the model of the last epoch is taken, and valid is read once for each model: as the photos are, and with the mean
over their mirror images.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

from vitcourse.asl import ClassificationBBoxTransformer, SignRun
from vitcourse.asl.metrics import both_ways, measure, predict
from vitcourse.asl.parts import Parts
from vitcourse.asl.trainer import train_signs
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity, real_parts
from vitcourse.recipes.asl_finetuning.rows import HOLD_OUT, trained
from vitcourse.training import TrainingConfig

SEEDS = (0, 1, 2)
TRAINING = TrainingConfig(epochs=30, batch_size=32, lr=1e-3, precision="bf16")
# The same steps, augmentation, schedule and loss: the two differ in their initial weights alone. But what is chosen is
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


@recipe("asl_real", needs_data=True)
def record(data: Path, say: Say) -> dict:
    """Chooses the settings, and trains every run of `RUNS` with every seed."""
    known, parts = identity(data), real_parts(data, say)
    first, choices, rows = next(iter(RUNS.values())), [], []
    for settings in TRIES:
        _, log = train_signs(replace(first, hold_out=HOLD_OUT, **settings), parts)
        choices.append({"settings": settings, "score": log[-1]["held_out_score"], "log": log})
        say(f"{settings}: {choices[-1]['score']:.3f} on the photos held out")
    best = max(choices, key=lambda choice: choice["score"])["settings"]
    for title, run in RUNS.items():
        for seed in SEEDS:
            one = replace(run, training=replace(run.training, seed=seed), **best)
            model, row = trained(title, one, parts, say, judge=False)
            rows.append(row | {"valid_with_mirror": with_mirror(model, parts)})
    counts = {"share": HOLD_OUT, **parts.counts(HOLD_OUT)}
    return {"data": known, "hold_out": counts, "choices": choices, "settings": best, "rows": rows}


def with_mirror(model: ClassificationBBoxTransformer, parts: Parts) -> dict[str, float]:
    """The measures on valid of the mean over each photo and its mirror image."""
    (valid,) = parts.images(model.image_size, "valid")
    return measure(*both_ways(partial(predict, model), list(valid.images))[1], valid.labels, valid.boxes)

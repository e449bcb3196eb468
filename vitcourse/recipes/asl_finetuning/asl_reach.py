"""The recorded run ``asl_reach``: letters and boxes on the real photos, with every setting that did best on the
hold-out.

The settings are those of the command ``vitcourse train asl`` with its preset ``reach``, on pictures of its size and of
a smaller one. Every seed trains on all of train, the model of the last epoch is taken, and valid is read once for it,
in four readings (`asl.looks`). The file is written after every seed, and a seed that was stopped goes on from its last
epoch (the run folders lie in ``_build/asl_reach``).

How often a trained model has been judged on valid, by this recipe and the others, is counted in ``asl_valid_reads``.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import torch

from vitcourse import results
from vitcourse.asl import aligned_iou
from vitcourse.asl.looks import readings
from vitcourse.asl.metrics import measure, predict
from vitcourse.asl.trainer import PRESETS, train_signs
from vitcourse.data.asl import AslDataset
from vitcourse.data.letters import LETTERS
from vitcourse.errors import InputError
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity, real_parts
from vitcourse.recipes.asl_finetuning.asl_heads import recorded
from vitcourse.training import CHECKPOINT

SEEDS = (0, 1, 2)
RUN = PRESETS["reach"]
SIZES = (128, RUN.image_size)
KEPT = ("single look", "second look")  # readings whose answers are recorded photo by photo
READS: dict[str, Callable[[dict], int]] = {  # of valid by trained models, in other recorded runs
    "asl_real": lambda found: len(found["rows"]),
    "asl_table_real": lambda found: sum(row["valid_read"] for row in found["rows"]),
    "sign_transfer": lambda _: 1,
}


@recipe("asl_reach", needs_data=True)
def record(data: Path, say: Say) -> Iterator[dict | tuple[str, dict]]:
    """Trains the seeds that are not recorded yet, and reads valid once for each."""
    known = identity(data)
    rows = (recorded("asl_reach", known) or {"rows": []})["rows"]
    parts = real_parts(data, say, tight=True)
    settings = {name: getattr(RUN, name) for name in ("box_head", "labels", "box_loss", "strong")}
    settings |= {"classification_divisor": RUN.classification_divisor, **vars(RUN.training)}
    del settings["seed"]
    content = {"data": known, "settings": settings, "rows": rows}
    for size, seed in product(SIZES, SEEDS):
        if (size, seed) not in [(row["image_size"], row["seed"]) for row in rows]:
            run = replace(RUN, image_size=size, training=replace(RUN.training, seed=seed))
            out = results.FOLDER.parents[1] / "_build" / "asl_reach" / f"{size}_seed_{seed}"
            model, log = train_signs(run, parts, out, resume=(out / CHECKPOINT).exists(), judge=False)
            answers, photos = valid_answers(model, parts.split("valid"))
            seconds = round(sum(entry["seconds"] for entry in log), 1)
            about = {"image_size": size, "seed": seed, "parameters": sum(p.numel() for p in model.parameters())}
            about |= {"valid_read": 1, "valid": answers, "photos": photos}
            rows.append(about | {"log": log, "seconds": seconds, "threads": torch.get_num_threads()})
            one, told = answers["single look"], f"{size} px, seed {seed}"
            say(f"{told}: letters {one['accuracy']:.1%}, IoU@75 {one['iou75']:.1%}, IoU@90 {one['iou90']:.1%}")
        yield "asl_valid_reads", {"data": known, "reads": valid_reads(rows), "seconds": 0.0}
        yield content | {"seconds": sum(row["seconds"] for row in rows)}


def reached(image_size: int = RUN.image_size) -> list[dict]:
    """What is recorded of one size of the pictures, seed by seed."""
    return [row for row in results.load("asl_reach")["rows"] if row["image_size"] == image_size]


def valid_answers(model: torch.nn.Module, valid: AslDataset) -> tuple[dict, dict]:
    """The measures of four readings, and photo by photo what some of them say: letter, its share, and the IoU."""
    images = [valid[place]["image"] for place in range(len(valid))]
    found = readings(partial(predict, model), images, model.image_size)
    measured, photos = {}, {"true": "".join(LETTERS[label] for label in valid.labels.tolist())}
    for name, said in found.items():
        measured[name] = measure(said["logits"], said["boxes"], valid.labels, valid.boxes)
        measured[name]["seconds_a_photo"] = round(said["seconds"] / len(valid), 4)
        if name in KEPT:
            shares, letters = said["logits"].softmax(1).max(1)
            overlaps = aligned_iou(said["boxes"], valid.boxes)
            photos[name] = {
                "letters": "".join(LETTERS[letter] for letter in letters.tolist()),
                "shares": [round(share, 3) for share in shares.tolist()],
                "overlaps": [round(overlap, 3) for overlap in overlaps.tolist()],
            }
    return measured, photos


def valid_reads(rows: list[dict]) -> dict[str, int]:
    """How often each recipe has judged a trained model on valid; ``rows`` are those of this one."""
    found = {"asl_reach": sum(row["valid_read"] for row in rows)}
    for name, count in READS.items():
        try:
            found[name] = count(results.load(name))
        except InputError:  # not recorded
            continue
    return found

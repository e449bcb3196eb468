"""The comparison that `faces_orl` and `faces_rendered` make: models of faces on the same pictures, with one budget.

Each person has 5 pictures for training, 1 for validation and 4 for the test, and all models and seeds have the same
split. Validation is looked at after every epoch; the model of the last epoch is taken, and its test pictures are read
once. With each seed, the plain block is also trained on some of the people only, to see what it says of the others.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import accumulate
from pathlib import Path

from vitcourse import results
from vitcourse.data.copies import find_copies
from vitcourse.data.faces import Pictures, in_memory, load
from vitcourse.data.people import SAME_MOMENT, read
from vitcourse.faces import PRESETS, FaceRun, eigenfaces, evaluate, open_set, shares, train_faces
from vitcourse.faces.measures import ACCEPTED, logits_of
from vitcourse.faces.models import BLOCKS, SIGNS
from vitcourse.files import write_whole
from vitcourse.recipes import Say

SEEDS = (0, 1, 2)
SPLIT = {"valid": 0.1, "test": 0.4, "seed": 0}
STRANGERS = 10  # people kept out, where it is asked what a model says of them
RUN = PRESETS["cpu"]
ASKED = "block"  # of the strangers
FROM_SIGNS = "block, from signs"
TUNING = {"epochs": 10, "lr": 5e-4}  # a larger model and larger pictures: fewer epochs, about as many seconds


def runs(base: FaceRun) -> dict[str, FaceRun]:
    """Every model that is compared, by its title."""
    own = {block: base.with_block(block) for block in BLOCKS}
    others = {name: replace(base, model=name) for name in ("deit3", "resnet18")}
    return own | others | {FROM_SIGNS: replace(base.from_signs(), training=replace(base.training, **TUNING))}


def compared(name: str, data: Path, say: Say) -> Iterator[dict]:
    """Trains and measures everything on the identity folder ``data``; what is recorded, as it grows.

    A run that ended before is not made again: what it gave is kept in ``_build``, until the whole has been recorded.
    """
    copies = [pair for own in read(data).values() for pair in find_copies(own, threshold=SAME_MOMENT)]
    sets, others = (load(data, **SPLIT, copies=copies, strangers=kept_out) for kept_out in (0, STRANGERS))
    parts, fewer = (in_memory(one, RUN.vit.image_size) for one in (sets, others))
    larger = in_memory(sets, SIGNS.image_size)
    kept = results.FOLDER.parents[1] / "_build" / f"{name}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}

    def once(title: str, run: FaceRun, measure: object, own: dict[str, Pictures]) -> dict:
        key = f"{measure.__name__}: {title}: {json.dumps(asdict(run), sort_keys=True)}"
        if key not in done:
            done[key] = measure(title, run, own)
            write_whole(kept, json.dumps(done).encode())
        row = done[key]
        say(f"{title}, seed {row['seed']}: {row['told']} ({row['seconds']:.0f} s)")
        return {name: value for name, value in row.items() if name != "told"}

    content = about(parts) | {"rows": [], "open_set": []}
    for seed in SEEDS:
        for title, run in runs(RUN).items():
            content["rows"].append(once(title, seeded(run, seed), measured, larger if title == FROM_SIGNS else parts))
            yield content | {"seconds": spent(content)}
        content["open_set"].append(once(ASKED, seeded(runs(RUN)[ASKED], seed), asked_of_strangers, fewer))
        yield content | {"seconds": spent(content)}
    kept.unlink()


def seeded(run: FaceRun, seed: int) -> FaceRun:
    """The same with another seed."""
    return replace(run, training=replace(run.training, seed=seed))


def spent(content: dict) -> float:
    """Seconds of processor of all runs."""
    return round(sum(row["seconds"] for row in content["rows"] + content["open_set"]), 1)


def about(parts: dict[str, Pictures]) -> dict:
    """The pictures, the budget that all models have, and eigenfaces on the same split."""
    valid, test = eigenfaces(parts["train"], [parts["valid"], parts["test"]])
    training, vit = RUN.training, RUN.vit
    return {
        "people": len(parts["train"].names),
        "pictures": {name: len(part) for name, part in parts.items()},
        "budget": {
            "image_size": vit.image_size,
            "epochs": training.epochs,
            "batch_size": training.batch_size,
            "lr": training.lr,
            "weight_decay": training.weight_decay,
            "smoothing": RUN.smoothing,
            "augment": RUN.augment,
        },
        "vit": {name: getattr(vit, name) for name in ("patch_size", "dim", "depth", "num_heads", "stem")},
        "eigenfaces": {"valid": round(valid, 4), "test": round(test, 4)},
    }


def measured(title: str, run: FaceRun, parts: dict[str, Pictures]) -> dict:
    """One model: its curve, and what the last epoch's weights reach on pictures as they are."""
    busy = time.process_time()
    model, log, _ = train_faces(run, parts)
    seconds = time.process_time() - busy
    found = {name: round(evaluate(model, parts[name])["accuracy"], 4) for name in ("train", "valid", "test")}
    settings = {"epochs": run.training.epochs, "lr": run.training.lr, "image_size": run.vit.image_size}
    return {
        "title": title,
        "seed": run.training.seed,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        **settings,
        **found,
        "curve": curve(log),
        "seconds": round(seconds, 1),
        "told": f"valid {found['valid']:.1%}, test {found['test']:.1%}",
    }


def curve(log: list[dict]) -> dict[str, list[float]]:
    """For each epoch the loss and accuracy in training, the mean of that accuracy over the epochs so far, validation.

    The mean is what the project that the lesson follows plots: ``100 * np.cumsum(accs) / range(len(accs))``, whose
    divisor starts at 0 and is one too small; here it starts at 1.
    """
    accuracy = [entry["accuracy"] for entry in log]
    columns = {
        "loss": [entry["loss"] for entry in log],
        "train_accuracy": accuracy,
        "cumulative": [total / epochs for epochs, total in enumerate(accumulate(accuracy), start=1)],
        "valid_accuracy": [entry["valid_accuracy"] for entry in log],
    }
    return {name: [round(value, 4) for value in column] for name, column in columns.items()}


def asked_of_strangers(title: str, run: FaceRun, parts: dict[str, Pictures]) -> dict:
    """A model that knows some of the people: what its threshold does on test pictures of theirs and of the others."""
    busy = time.process_time()
    model, _, threshold = train_faces(run, parts)
    seconds = time.process_time() - busy
    logits, labels = logits_of(model, parts["test"].images), parts["test"].labels
    strangers = shares(logits_of(model, parts["strangers"].images))
    found = open_set(threshold, shares(logits), logits.argmax(1) == labels, strangers)
    return {
        "title": title,
        "seed": run.training.seed,
        "people": len(parts["train"].names),
        "pictures": {name: len(part) for name, part in parts.items()},
        "accepted_on_valid": ACCEPTED,
        "threshold": round(threshold, 4),
        **{name: round(value, 4) for name, value in found.items()},
        "seconds": round(seconds, 1),
        "told": f"strangers rejected {found['rejected']:.1%}, known people named {found['named']:.1%}",
    }

"""Training a sign model on an export folder: what the command, the recorded runs and the lesson share."""

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from accelerate.utils import set_seed
from torch import Tensor, nn

from vitcourse.asl import SignRun, evaluate, sign_loss
from vitcourse.asl.model import ClassificationBBoxTransformer
from vitcourse.asl.runs import new_model, same_run, save_run
from vitcourse.data.asl import AslDataset, InMemory, augmentation, load, to_input
from vitcourse.errors import InputError
from vitcourse.training import CHECKPOINT, LossFunction, fit


def train_signs(
    run: SignRun,
    data: str | Path,
    out: str | Path | None = None,
    *,
    resume: bool = False,
    on_image: Callable[[int, int], None] | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
) -> tuple[ClassificationBBoxTransformer, list[dict]]:
    """Trains a sign model on the train split of an export and measures it on valid after every epoch.

    Nothing is chosen on valid: the model is the one of the last epoch. Nothing is written before the whole of the data
    has been read and checked.

    Args:
        data: an export folder, see `data.asl.load`.
        out: the run folder to write; None writes nothing.
        resume: continue the run in ``out``.
        on_image: called as ``on_image(done, total)`` while images are decoded.
        on_step: called as ``on_step(done, total, loss)`` while training.

    Returns:
        The model and its log, one dict an epoch.

    Raises:
        DataError: the data cannot be used, with file and row.
        InputError: ``out`` holds a run already, or the backbone cannot be made.
    """
    if out is not None:
        if not resume and (Path(out) / CHECKPOINT).exists():
            raise InputError(f"{out}: there is a run in it already; resume it, or name another folder")
        if any(place.exists() and not place.is_dir() for place in (Path(out), *Path(out).parents)):
            raise InputError(f"{out}: a file stands in the way of this folder")
    splits = [load(data, split) for split in ("train", "valid")]
    set_seed(run.training.seed)
    model, run = new_model(run)
    if out is not None and resume:
        same_run(run, Path(out))
    train, valid = decoded(splits, model.image_size, on_image)
    train.transform = augmentation()
    if out is not None and not resume:
        save_run(run, Path(out))
    log = fit(
        model,
        train,
        loss_function(run.classification_divisor),
        run.training,
        evaluate=lambda trained: {f"valid_{name}": value for name, value in evaluate(trained, valid).items()},
        out=out,
        resume=resume,
        on_step=on_step,
    )
    return model, log


def loss_function(classification_divisor: float) -> LossFunction:
    """The loss of `asl.sign_loss` as the training loop calls it."""

    def losses(model: nn.Module, batch: dict) -> dict[str, Tensor]:
        logits, boxes = model(to_input(batch["image"]))
        return sign_loss(logits, boxes, batch["label"], batch["box"], classification_divisor)

    return losses


def decoded(datasets: list[AslDataset], size: int, on_image: Callable[[int, int], None] | None) -> list[InMemory]:
    """Several data sets in memory at one size, with one count of progress over all of them."""
    total, done, ready = sum(map(len, datasets)), 0, []
    for dataset in datasets:
        before = done
        progress = None if on_image is None else lambda i, _, before=before: on_image(before + i, total)
        ready.append(InMemory(dataset, size, progress=progress))
        done += len(dataset)
    return ready


def measured_runs(
    runs: dict[str, SignRun], seeds: Iterable[int], data: str | Path, say: Callable[[str], None]
) -> list[dict]:
    """Trains every run with every seed, and measures train and valid: the rows of a recorded run.

    Args:
        runs: what to train, by title.
        say: takes one line after each training.
    """
    started, rows, todo = time.perf_counter(), [], [(title, seed) for title in runs for seed in seeds]
    for title, seed in todo:
        start, run = time.perf_counter(), runs[title]
        model, log = train_signs(replace(run, training=replace(run.training, seed=seed)), data)
        train, valid = decoded([load(data, split) for split in ("train", "valid")], model.image_size, None)
        row = {
            "title": title,
            "seed": seed,
            "epochs": run.training.epochs,
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "train": evaluate(model, train),
            "valid": evaluate(model, valid),
            "log": log,
            "seconds": round(time.perf_counter() - start, 1),
        }
        rows.append(row)
        left = (time.perf_counter() - started) * (len(todo) / len(rows) - 1) / 60
        measured = f"letters {row['valid']['accuracy']:.1%}, IoU@75 {row['valid']['iou75']:.1%}"
        say(f"{title}, seed {seed}: valid {measured}; about {left:.0f} min left")
    return rows

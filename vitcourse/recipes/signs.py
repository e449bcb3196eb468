"""Training a sign model on an export folder: what the command, the recorded runs and the lesson share."""

import copy
import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import PartialState
from accelerate.utils import set_seed
from torch import nn

from vitcourse.asl import FrozenFeatures, SignRun, evaluate
from vitcourse.asl.model import ClassificationBBoxTransformer
from vitcourse.asl.runs import RUN, new_model, same_run, save_run
from vitcourse.data.asl import AslDataset, Copy, InMemory, hold_out, load
from vitcourse.data.augment import BatchAugmentation
from vitcourse.errors import InputError
from vitcourse.training import CHECKPOINT, LOG, WEIGHTS, check_small_batches, first_process, fit, own_device

HOLD_OUT_SEED = 0  # the same photos are held out in every run


def train_signs(
    run: SignRun,
    data: str | Path,
    out: str | Path | None = None,
    *,
    resume: bool = False,
    copies: Iterable[Copy] = (),
    background: str = "refuse",
    on_image: Callable[[int, int], None] | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
) -> tuple[ClassificationBBoxTransformer, list[dict]]:
    """Trains a sign model on the train split of an export and measures it after every epoch.

    It is measured on valid, or on the photos of train that the run holds out: then valid is not read. The model is the
    one of the last epoch, or of the one that ``run.training.choose`` names. Nothing is written before the whole of the
    data has been read and checked, and nothing stays where the training fails before its first checkpoint.

    Args:
        data: an export folder, see `data.asl.load`.
        out: the run folder to write; None writes nothing.
        resume: continue the run in ``out``; more epochs than it had make it longer (see `vitcourse.training`).
        copies: pairs of images of one photo (`data.asl.find_copies`) that must not be parted by the hold-out; images
            that the exporter made of one photo are kept together without.
        background: what photos without a box are, see `data.asl.load`.
        on_image: called as ``on_image(done, total)`` while images are decoded.
        on_step: called as ``on_step(done, total, loss)`` while training.

    Returns:
        The model and its log, one dict an epoch.

    Raises:
        DataError: the data cannot be used, with file and row.
        InputError: ``out`` holds a run already, the backbone cannot be made, or it cannot train on a batch of one.
    """
    if out is not None:
        if not resume and (Path(out) / CHECKPOINT).exists():
            raise InputError(f"{out}: there is a run in it already; resume it, or name another folder")
        if not resume and (Path(out) / WEIGHTS).exists():
            raise InputError(f"{out}: there is a trained model in it already; name another folder")
        if any(place.exists() and not place.is_dir() for place in (Path(out), *Path(out).parents)):
            raise InputError(f"{out}: a file stands in the way of this folder")
    names = ("train",) if run.hold_out else ("train", "valid")
    splits = [load(data, split, background) for split in names]
    if run.hold_out:
        kept, held = hold_out(splits[0].files, splits[0].labels.tolist(), run.hold_out, HOLD_OUT_SEED, copies)
        if not kept or not held:
            raise InputError(f"{data}: holding out {run.hold_out:.0%} of the photos of train leaves one side empty")
    else:
        kept = range(len(splits[0]))
    set_seed(run.training.seed)
    model, run = new_model(replace(run, data=_digest(splits[0], kept)))
    if out is not None and resume:
        same_run(run, Path(out))
    # `fit` asks the same, but only after all photos have been decoded.
    blank = torch.zeros(3, model.image_size, model.image_size, dtype=torch.uint8)
    stand_ins = [{"image": blank, "label": 0, "box": torch.tensor([0.0, 0.0, 1.0, 1.0])}] * len(kept)
    check_small_batches(model, stand_ins, run.loss(), run.training.batch_size, PartialState().num_processes)
    train, *others = decoded(splits, model.image_size, on_image)
    train, judged = (subset(train, kept), subset(train, held)) if run.hold_out else (train, *others)
    return model, fit_signs(model, run, train, judged, out, resume=resume, on_step=on_step)


def fit_signs(
    model: ClassificationBBoxTransformer,
    run: SignRun,
    train: InMemory,
    judged: InMemory | None,
    out: str | Path | None = None,
    *,
    resume: bool = False,
    on_step: Callable[[int, int, float], None] | None = None,
) -> list[dict]:
    """The training of `train_signs`, on images that are at hand.

    Args:
        judged: measured after every epoch, as "held_out_…" or "valid_…" (see `SignRun.hold_out`); "…_score" is what an
            epoch may be chosen by. None: nothing is measured.
    """
    name = "held_out" if run.hold_out else "valid"

    def measured(trained: nn.Module) -> dict[str, float]:
        values = evaluate(trained, judged)
        values["score"] = score(values, run.task)
        return {f"{name}_{key}": value for key, value in values.items()}

    items, transform = train, BatchAugmentation() if run.augment else None
    if run.frozen_layers >= 0 and not run.augment:
        model.to(own_device())
        items = FrozenFeatures(model, train, run.frozen_layers, run.training.precision)
    new = out is not None and not resume and first_process()
    if new:
        save_run(run, Path(out))
    try:
        log = fit(
            model,
            items,
            run.loss(),
            run.training,
            evaluate=None if judged is None else measured,
            out=out,
            resume=resume,
            on_step=on_step,
            transform=transform,
        )
    except BaseException:  # an interrupt as well
        if new and not (Path(out) / CHECKPOINT).exists():
            for file in (RUN, LOG, WEIGHTS):
                (Path(out) / file).unlink(missing_ok=True)
            if not any(Path(out).iterdir()):
                Path(out).rmdir()
        raise
    if out is not None and resume and first_process():
        save_run(run, Path(out))  # it may be longer now
    return log


def score(measured: dict[str, float], task: str = "both") -> float:
    """One number to choose by: the mean of the accuracy and IoU@75, or the accuracy where letters alone are learned."""
    return measured["accuracy"] if task == "letters" else (measured["accuracy"] + measured["iou75"]) / 2


def subset(memory: InMemory, places: Sequence[int]) -> InMemory:
    """Some of the images of a data set in memory."""
    part, places = copy.copy(memory), list(places)
    part.images, part.labels, part.boxes = memory.images[places], memory.labels[places], memory.boxes[places]
    part.files = [memory.files[place] for place in places]
    return part


def _digest(dataset: AslDataset, places: Iterable[int]) -> str:
    """Of the names and letters of some images, and of their order."""
    digest = hashlib.sha256()
    for place in places:
        digest.update(f"{Path(dataset.files[place]).name} {int(dataset.labels[place])}\n".encode())
    return digest.hexdigest()


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

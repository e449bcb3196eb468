"""Training a sign model on an export folder: what the command, the recorded runs and the lesson share."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from accelerate import PartialState
from accelerate.utils import set_seed
from torch import nn

from vitcourse.asl.frozen import FrozenFeatures
from vitcourse.asl.metrics import evaluate
from vitcourse.asl.model import ClassificationBBoxTransformer
from vitcourse.asl.parts import Parts, relabelled, subset
from vitcourse.asl.runs import RUN, SignRun, new_model, same_run, save_run
from vitcourse.data.asl import InMemory
from vitcourse.data.augment import BatchAugmentation, StrongAugmentation
from vitcourse.training import (
    CHECKPOINT,
    LOG,
    WEIGHTS,
    TrainingConfig,
    check_run_folder,
    check_small_batches,
    first_process,
    fit,
    own_device,
)

# The recorded run `asl_reach` is of it.
PRESETS = {
    "reach": SignRun(
        image_size=192,
        box_head="sides",
        labels="tight",
        box_loss="giou",
        strong=True,
        training=TrainingConfig(epochs=26, precision="bf16"),
    )
}
STORED = 1.5  # in image sizes: what a strong augmentation cuts close-ups from


def train_signs(
    run: SignRun,
    data: str | Path | Parts,
    out: str | Path | None = None,
    *,
    resume: bool = False,
    judge: bool = True,
    on_pair: Callable[[int, int], None] | None = None,
    on_image: Callable[[int, int], None] | None = None,
    on_step: Callable[[int, int, float], None] | None = None,
) -> tuple[ClassificationBBoxTransformer, list[dict]]:
    """Trains a sign model on the train split of an export and measures it after every epoch.

    It is measured on valid, or on the photos of train that the run holds out: then valid is not read. The model is the
    one of the last epoch, or of the one that ``run.training.choose`` names. Nothing is written before the whole of the
    data has been read and checked, and nothing stays where the training fails before its first checkpoint.

    Args:
        data: an export folder (see `data.asl.load`), or its parts, of which several runs can then share the images.
        out: the run folder to write; None writes nothing.
        resume: continue the run in ``out``; more epochs than it had make it longer (see `vitcourse.training`).
        judge: measure after every epoch at all.
        on_pair: called as ``on_pair(done, total)`` while tight labels are solved for.
        on_image: called as ``on_image(done, total)`` while images are decoded.
        on_step: called as ``on_step(done, total, loss)`` while training.

    Returns:
        The model and its log, one dict an epoch.

    Raises:
        DataError: the data cannot be used, with file and row.
        InputError: ``out`` holds a run already, the backbone cannot be made, or it cannot train on a batch of one.
    """
    out = None if out is None else Path(out)
    if out is not None:
        check_run_folder(out, resume=resume)
    parts = data if isinstance(data, Parts) else Parts(data)
    names = ["train", "valid"] if judge and not run.hold_out else ["train"]
    for name in names:
        parts.split(name)
    kept, held = parts.places(run.hold_out)
    set_seed(run.training.seed)
    model, run = new_model(replace(run, data=parts.digest(kept)))
    if out is not None and resume:
        same_run(run, out)
    # `fit` asks the same, but only after all photos have been decoded.
    blank = torch.zeros(3, model.image_size, model.image_size, dtype=torch.uint8)
    stand_ins = [{"image": blank, "label": 0, "box": torch.tensor([0.0, 0.0, 1.0, 1.0])}] * len(kept)
    check_small_batches(model, stand_ins, run.loss(), run.training.batch_size, PartialState().num_processes)
    boxes = parts.boxes(run.labels, on_pair)
    stored = round(STORED * model.image_size) if run.strong else model.image_size
    train, *judged = parts.images(stored, *names, on_image=on_image)
    train = relabelled(train, boxes)
    if run.hold_out:
        train, judged = subset(train, kept), [subset(train, held)]
    return model, fit_signs(model, run, train, judged[0] if judge else None, out, resume=resume, on_step=on_step)


def fit_signs(
    model: ClassificationBBoxTransformer,
    run: SignRun,
    train: InMemory,
    judged: InMemory | None,
    out: Path | None = None,
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

    items, transform = train, None
    if run.augment:
        transform = StrongAugmentation(model.image_size) if run.strong else BatchAugmentation()
    if run.frozen_layers >= 0 and not run.augment and run.box_head == "mean":
        model.to(own_device())
        items = FrozenFeatures(model, train, run.frozen_layers, run.training.precision)
    writes = out is not None and first_process()
    if writes and not resume:
        save_run(run, out)
    measure = None if judged is None else measured
    options = {"evaluate": measure, "out": out, "resume": resume, "on_step": on_step, "transform": transform}
    try:
        log = fit(model, items, run.loss(), run.training, **options)
    except BaseException:  # an interrupt as well
        if writes and not resume and not (out / CHECKPOINT).exists():
            for file in (RUN, LOG, WEIGHTS):
                (out / file).unlink(missing_ok=True)
            if not any(out.iterdir()):
                out.rmdir()
        raise
    if writes:
        save_run(run, out, log)  # what the kept weights reach; and the run may be longer now
    return log


def score(measured: dict[str, float], task: str = "both") -> float:
    """One number to choose by: the mean of the accuracy and IoU@75, or the accuracy where letters alone are learned."""
    return measured["accuracy"] if task == "letters" else (measured["accuracy"] + measured["iou75"]) / 2

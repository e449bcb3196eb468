"""Training a model on faces: what the command, the recorded runs and the lesson share."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from accelerate.utils import set_seed
from torch import nn

from vitcourse.data.faces import Pictures
from vitcourse.errors import InputError
from vitcourse.faces.augment import FaceAugmentation
from vitcourse.faces.measures import evaluate, logits_of, shares, threshold_for
from vitcourse.faces.models import FaceLoss, FaceRun, new_model
from vitcourse.faces.runs import same_run, save_run
from vitcourse.training import first_process, fit, run_folder


def train_faces(
    run: FaceRun,
    parts: Mapping[str, Pictures],
    out: str | Path | None = None,
    *,
    resume: bool = False,
    on_step: Callable[[int, int, float], None] | None = None,
) -> tuple[nn.Module, list[dict], float]:
    """Trains a model on "train" and measures it on "valid" after every epoch; nothing else is looked at.

    Args:
        parts: what `data.faces.load` gives, in memory (`data.faces.in_memory`), of the size of the run's images.
        out: the run folder to write; None writes nothing.
        resume: continue the run in ``out``; more epochs than it had make it longer (see `vitcourse.training`).
        on_step: called as ``on_step(done, total, loss)`` while training.

    Returns:
        The model; its log, one dict an epoch; and the share below which it calls a face unknown. ``loss`` and
        ``accuracy`` of the log are of the pictures as they were trained on, while the weights moved.

    Raises:
        InputError: there are no validation pictures, ``out`` holds a run already, the model cannot be made, or it
            cannot train on a batch of one.
        CheckpointError: the run in ``out`` is another.
        FloatingPointError: the loss is not finite.
    """
    train, valid = parts["train"], parts["valid"]
    if not len(valid):
        raise InputError("there are no validation pictures, which say when a face is called unknown")
    set_seed(run.training.seed)
    run = replace(run, data=digest(train))
    model = new_model(run, len(train.names))
    with run_folder(out, resume=resume) as folder:
        if folder is not None and resume:
            same_run(run, train.names, folder)
        writes = folder is not None and first_process()
        if writes and not resume:
            save_run(run, train.names, folder)

        def measured(trained: nn.Module) -> dict[str, float]:
            return {f"valid_{name}": value for name, value in evaluate(trained, valid).items()}

        options = {"evaluate": measured, "out": folder, "resume": resume, "on_step": on_step}
        transform = FaceAugmentation(mix=run.mix, strength=run.augment) if run.augment else None
        log = fit(model, train, FaceLoss(run.smoothing), run.training, transform=transform, **options)
        threshold = threshold_for(shares(logits_of(model, valid.images)))
        if writes:
            save_run(run, train.names, folder, log, threshold)
    return model, log, threshold


def digest(pictures: Pictures) -> str:
    """Of the pictures, their people and their order; not of where they lie."""
    digest = hashlib.sha256("\n".join(pictures.names).encode("utf-8", "surrogatepass"))
    digest.update(pictures.images.numpy().tobytes())
    digest.update(pictures.labels.numpy().tobytes())
    return digest.hexdigest()

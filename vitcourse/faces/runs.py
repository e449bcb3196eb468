"""A trained model of faces on disk: ``run.json`` says what it is, ``model.safetensors`` holds the weights."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from torch import nn

from vitcourse.errors import CheckpointError, one_line, some
from vitcourse.faces.models import FaceRun, new_model
from vitcourse.training import TrainingConfig, by_device, differences, restore
from vitcourse.training.description import (
    RUN,
    Description,
    describe,
    described,
    measures,
    note_unfinished,
    preprocessing,
)
from vitcourse.vit import ViTConfig

KIND = "faces"
THRESHOLD = "threshold"  # among the metrics: the share below which a face is called unknown


def save_run(
    run: FaceRun, names: Sequence[str], out: Path, log: Sequence[dict] = (), threshold: float | None = None
) -> None:
    """Writes ``run.json``, with the measures of a log and the threshold; the training loop writes the weights."""
    metrics = measures(list(log), run.training.choose)
    if threshold is not None:
        metrics[THRESHOLD] = threshold
    describe(Description(KIND, list(names), preprocessing(run.vit.image_size), metrics, asdict(run)), out)


def same_run(run: FaceRun, names: Sequence[str], out: Path) -> None:
    """Checks that a run that is to be continued is the one described in ``out``.

    Raises:
        CheckpointError: naming what differs, and both values.
    """
    before, people = _read_run(out)
    saved, wanted = (json.loads(json.dumps(asdict(either))) for either in (before, run))  # as JSON holds them
    other = saved.pop("data") != wanted.pop("data") or people != list(names)
    if told := (["other people or pictures"] if other else []) + differences(saved, wanted):
        raise CheckpointError(f"the run in it is another: {some(told)}", out)


def load_run(folder: str | Path) -> tuple[nn.Module, FaceRun]:
    """The trained model of a run folder, in evaluation mode on the GPU where there is one, and what defines it.

    A training that has not ended is told, with an `UnfinishedNote`.

    Raises:
        CheckpointError: naming the file that is missing, damaged or of another kind.
    """
    folder = Path(folder)
    run, names = _read_run(folder)
    try:
        model = new_model(replace(run, start="scratch"), len(names))
    except Exception as error:  # numbers that make no model fail anywhere in it, and in any way
        raise CheckpointError(f"it does not describe a run of faces ({one_line(error)})", folder / RUN) from error
    restore(model, folder)
    note_unfinished(described(folder), folder, ", and it calls nobody unknown yet")
    return model.to(by_device(cpu="cpu", cuda="cuda")).eval(), run


def _read_run(folder: Path) -> tuple[FaceRun, list[str]]:
    found = described(folder, KIND)
    fields, size = found.settings, found.preprocessing["size"]
    try:
        parts = {"vit": ViTConfig(**fields["vit"]), "training": TrainingConfig(**fields["training"])}
        run = FaceRun(**{**fields, **parts})
        if size != run.vit.image_size:
            raise ValueError(f"its images have a size of {size}, its settings ask for {run.vit.image_size}")
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"it does not describe a run of faces ({one_line(error)})", folder / RUN) from error
    return run, found.labels

"""``vitcourse evaluate``: a trained model, judged on data of its kind."""

import json
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from vitcourse.commands import command_group, console, example, say
from vitcourse.commands.options import Background
from vitcourse.errors import DataError, InputError

ONLY = {"background": "signs", "top": "faces"}  # options that mean nothing to the other kind of run
ALL = "all"

app = command_group()


@app.command(epilog=example("vitcourse evaluate runs/signs --data data/signs --split valid --json"))
def evaluate(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    data: Annotated[Path, typer.Option(help="Signs: an export folder. Faces: a folder of pictures for each person.")],
    split: Annotated[
        str,
        typer.Option(
            help="The split to judge on; train, if there, stands beside it. Faces are shared out as for the training; "
            "with all, for a folder that had no part in it, every picture counts, and other people are strangers."
        ),
    ] = "valid",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    background: Background = "refuse",
    top: Annotated[int, typer.Option(help="Faces: how often the right name is among so many.", min=1)] = 5,
) -> None:
    """Print accuracy and loss of a trained model; of signs also IoU, of faces also what its threshold refuses."""
    from vitcourse.commands.terminal import notes
    from vitcourse.training.description import described

    kind = described(run).kind
    for name, own in ONLY.items():
        if kind != own and ctx.get_parameter_source(name).name != "DEFAULT":
            raise InputError(f"--{name} is for runs of {own}, and {run} is one of {kind}")
    noted = []
    with notes(noted.append):
        judged = _faces(run, data, split, top) if kind == "faces" else _signs(run, data, split, background)
    measured, table = judged
    if as_json:
        print(json.dumps({"run": str(run), "data": str(data), "notes": noted, "splits": measured}, indent=1))
    else:
        for line in noted:
            say(line)
        console.print(table)


def _signs(run: Path, data: Path, split: str, background: str) -> tuple[dict, Table]:
    from vitcourse.asl import evaluate as measure
    from vitcourse.asl import load_run
    from vitcourse.asl.parts import Parts
    from vitcourse.commands.terminal import measures_table, progress

    (model, setup), parts = load_run(run), Parts(data, background=background)
    names = [split] if split == "train" or not (data / "train").is_dir() else ["train", split]
    datasets = {name: parts.split(name) for name in names}
    if split == "train":
        with suppress(InputError):  # too few to hold any out: it was another folder
            kept, _ = parts.places(setup.hold_out)
            if parts.digest(kept) == setup.data:
                _note_trained_on(len(kept), len(datasets["train"]), data)
    with progress(*(f"measuring {name}" for name in datasets)) as steps:
        measured = {
            name: measure(model, dataset, progress=step) | {"images": len(dataset)}
            for (name, dataset), step in zip(datasets.items(), steps, strict=True)
        }
    return measured, measures_table(measured, split)


def _faces(run: Path, data: Path, split: str, top: int) -> tuple[dict, Table]:
    from vitcourse.commands.terminal import notes, progress
    from vitcourse.data.faces import PARTS, everybody, in_memory, load
    from vitcourse.faces import load_run
    from vitcourse.faces.measures import judge, logits_of
    from vitcourse.faces.runs import THRESHOLD
    from vitcourse.faces.trainer import digest
    from vitcourse.training.description import described

    if split not in (*PARTS, ALL):
        raise InputError(f"--split of faces must be one of {', '.join((*PARTS, ALL))}, got {split!r}")
    (model, setup), told = load_run(run), described(run)
    shared = {"valid": setup.valid, "test": setup.test, "least": setup.least, "few": setup.few}
    if split == ALL:
        sets = {ALL: everybody(data, told.labels)}
        if set(range(len(told.labels))) <= set(sets[ALL].labels.tolist()):
            with suppress(InputError), notes(None):  # nothing that can be shared out: it was another folder
                sets["train"] = load(data, **shared)["train"]
    else:
        sets = load(data, **shared)
        sets = {name: sets[name] for name in dict.fromkeys(("train", split))}
    if not len(sets[split]):
        raise DataError(f"there are no pictures in {split}", data)
    with progress("reading") as (step,):
        parts = in_memory(sets, setup.vit.image_size, step)
    trained_on = "train" in parts and digest(parts["train"]) == setup.data
    if split != ALL and not trained_on:
        raise DataError(f"its train is not what the run was trained on; --split {ALL} judges every picture", data)
    if trained_on and split in ("train", ALL):
        _note_trained_on(len(parts["train"]), len(parts[split]), data)
    if split == ALL:
        parts = {ALL: parts[ALL]}
    threshold = told.metrics.get(THRESHOLD)
    measured = {name: judge(logits_of(model, part.images), part.labels, top, threshold) for name, part in parts.items()}
    table = Table(title=f"{len(parts[split])} pictures of {split}", title_justify="left")
    for name in ("", *measured):
        table.add_column(name, justify="right" if name else "left")
    for name in measured[split]:
        form = "{:d}" if name in ("images", "strangers") else "{:.4f}" if name == "loss" else "{:.2%}"
        cells = (form.format(of[name]) if name in of else "" for of in measured.values())
        table.add_row(name.replace("_", " "), *cells)
    return measured, table


def _note_trained_on(trained: int, judged: int, data: Path) -> None:
    from vitcourse.data.asl import DataNote

    counted = "these images" if trained == judged else f"{trained} of these {judged} images"
    told = f"{data}: the run was trained on {counted}; how it does on others, another split says"
    warnings.warn(DataNote(told), stacklevel=2)

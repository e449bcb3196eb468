"""The commands below ``train``; `asl.TrainCommands` imports this when one of them is asked for."""

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vitcourse.asl import SignRun
from vitcourse.asl.parts import Parts
from vitcourse.asl.trainer import train_signs
from vitcourse.commands import command_group, console, example, say
from vitcourse.commands.options import Background, made, options_of
from vitcourse.commands.terminal import log_table, notes, progress
from vitcourse.data.faces import in_memory, load, synthesise
from vitcourse.errors import InputError
from vitcourse.faces import MODELS, PRESETS, train_faces
from vitcourse.faces.models import BLOCKS
from vitcourse.training import TrainingConfig, check_precision, check_run_folder, first_process

app = command_group()


@app.command("asl", epilog=example("vitcourse train asl --data data/signs --out runs/signs --epochs 12"))
@options_of(SignRun, TrainingConfig)
def train_asl(
    given: dict,
    data: Annotated[Path, typer.Option(help="An export folder with train and valid.")],
    out: Annotated[Path, typer.Option(help="The run folder to write.")],
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the run in --out. With more --epochs its rate goes on as in a run of the new length.",
        ),
    ] = False,
    background: Background = "refuse",
) -> None:
    """Train a model that names the letter and boxes the hand."""
    hold_out, plateau = given["hold_out"], given["schedule"] == "plateau"
    if plateau and not hold_out:
        raise InputError("--schedule plateau watches the photos that --hold-out keeps back: give it a share, as 0.2")
    try:
        check_precision(given["precision"])
    except ValueError as error:
        raise InputError(str(error)) from error
    judged = "held_out_score" if hold_out else ""
    training = made(TrainingConfig, given, monitor=judged if plateau else "", choose=judged)
    run, first = made(SignRun, given, training=training), first_process()
    with notes(say if first else None), progress("reading", "training") as (read, step):
        shown = {"on_image": read, "on_step": step} if first else {}
        _, log = train_signs(run, Parts(data, background=background), out, resume=resume, **shown)
    if first:
        table = log_table([{name.replace("held_out_", "valid_"): value for name, value in e.items()} for e in log])
        table.title = f"losses on train, accuracy and IoU on {'photos held out of train' if hold_out else 'valid'}"
        console.print(table)
        say(f"wrote {out}")


RENDERED = "rendered"


@app.command(
    "faces",
    epilog=example("vitcourse train faces --block parallel_layer_scale_init --num-parallel 2 --out runs/faces"),
)
def train_faces_command(
    out: Annotated[Path, typer.Option(help="The run folder to write.")],
    data: Annotated[
        Path | None, typer.Option(help="A folder that holds one of pictures for each person; else faces are rendered.")
    ] = None,
    preset: Annotated[str, typer.Option(help=f"Sizes and budget: {', '.join(PRESETS)}.")] = "cpu",
    model: Annotated[str, typer.Option(help=f"{', '.join(f'{n} ({w})' for n, w in MODELS.items())}.")] = "vit",
    block: Annotated[str | None, typer.Option(help=f"Of vit: {', '.join(BLOCKS)}.")] = None,
    num_parallel: Annotated[int, typer.Option(help="Branches of a parallel block.", min=1)] = 2,
    start: Annotated[str, typer.Option(help="scratch, or signs: the course's sign backbone.")] = "scratch",
    epochs: Annotated[int | None, typer.Option(help="Passes over the pictures.", min=1)] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures in a batch.", min=1)] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate.", min=0)] = None,
    augment: Annotated[
        float | None, typer.Option(help="How much to move, scale, turn, light and erase: 0 (also no mirroring) to 1.")
    ] = None,
    mix: Annotated[float, typer.Option(help="The largest share of another picture that is mixed in.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Fixes the start, the order and the augmentation.")] = 0,
    valid: Annotated[float, typer.Option(help="Share of each person's pictures for validation.")] = 0.2,
    test: Annotated[float, typer.Option(help="Share that is set apart.")] = 0.2,
    few: Annotated[str, typer.Option(help="People with too few pictures: refuse the set, or skip them.")] = "refuse",
    precision: Annotated[str, typer.Option(help="no, bf16 or fp16.")] = "no",
    workers: Annotated[int, typer.Option(help="Processes that load data.", min=0)] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
) -> None:
    """Train a model that names people, and says when it does not know somebody."""
    if preset not in PRESETS:
        raise InputError(f"there is no preset {preset!r}; there are: {', '.join(PRESETS)}")
    own, first = PRESETS[preset], first_process()
    given = {"epochs": epochs, "batch_size": batch_size, "lr": lr, "seed": seed, "precision": precision}
    given = {name: value for name, value in given.items() if value is not None} | {"workers": workers}
    try:
        check_precision(precision)
        run = replace(
            own if block is None else own.with_block(block, num_parallel),
            model=model,
            augment=own.augment if augment is None else augment,
            mix=mix,
            training=replace(own.training, **given),
        )
        run = run.from_signs() if start == "signs" else replace(run, start=start)
    except ValueError as error:
        raise InputError(str(error)) from error
    if not valid:
        raise InputError("--valid 0: there are no validation pictures, which say when a face is called unknown")
    check_run_folder(out, resume=resume)
    names = ("rendering",) * (data is None) + ("reading", "training")
    with tempfile.TemporaryDirectory() as folder, notes(say if first else None), progress(*names) as steps:
        *_, read, step = steps if first else [None] * len(steps)
        if data is None:
            synthesise(Path(folder) / RENDERED, size=run.vit.image_size, progress=steps[0] if first else None)
        sets = load(data or Path(folder) / RENDERED, valid=valid, test=test, few=few)
        parts = in_memory({name: sets[name] for name in ("train", "valid")}, run.vit.image_size, read)
        _, log, threshold = train_faces(run, parts, out, resume=resume, on_step=step)
    if first:
        last = log[-1]
        say(f"validation accuracy {last['valid_accuracy']:.1%}; a share below {threshold:.0%} is called unknown")
        say(f"wrote {out}")

"""The commands below ``train``; `asl.TrainCommands` imports this when one of them is asked for."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from vitcourse.asl import SignRun
from vitcourse.asl.parts import Parts
from vitcourse.asl.trainer import PRESETS as SIGN_PRESETS
from vitcourse.asl.trainer import train_signs
from vitcourse.commands import command_group, console, example, say
from vitcourse.commands.options import Background, made, options_of, settings
from vitcourse.commands.terminal import log_table, notes, progress
from vitcourse.data.faces import in_memory, load, synthesise
from vitcourse.errors import InputError
from vitcourse.faces import PRESETS as FACE_PRESETS
from vitcourse.faces import FaceRun, train_faces
from vitcourse.faces.models import BLOCKS
from vitcourse.training import TrainingConfig, check_precision, check_run_folder, first_process

app = command_group()


@app.command("asl", epilog=example("vitcourse train asl --data data/signs --out runs/signs --epochs 12"))
@options_of(SignRun, TrainingConfig)
def train_asl(
    ctx: typer.Context,
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
    preset: Annotated[
        str,
        typer.Option(help=f"{', '.join(SIGN_PRESETS)}: settings of a recorded run, where no option says otherwise."),
    ] = "",
) -> None:
    """Train a model that names the letter and boxes the hand."""
    given = settings({"": SignRun()} | SIGN_PRESETS, preset, ctx, given)
    hold_out, plateau = given["hold_out"], given["schedule"] == "plateau"
    if plateau and not hold_out:
        raise InputError("--schedule plateau watches the photos that --hold-out keeps back: give it a share, as 0.2")
    judged = "held_out_score" if hold_out else ""
    training = _training(given, monitor=judged if plateau else "", choose=judged)
    run, first = made(SignRun, given, training=training), first_process()
    with notes(say if first else None), progress("registering copies", "reading", "training") as bars:
        shown = dict(zip(("on_pair", "on_image", "on_step"), bars, strict=True)) if first else {}
        _, log = train_signs(run, Parts(data, background=background), out, resume=resume, **shown)
    if first:
        table = log_table([{name.replace("held_out_", "valid_"): value for name, value in e.items()} for e in log])
        table.title = f"losses on train, accuracy and IoU on {'photos held out of train' if hold_out else 'valid'}"
        console.print(table)
        say(f"wrote {out}")


def _training(given: dict, **more: str) -> TrainingConfig:
    """
    Raises:
        InputError: a value is refused, or this machine cannot train in the precision.
    """
    training = made(TrainingConfig, given, **more)
    try:
        check_precision(training.precision)
    except ValueError as error:
        raise InputError(str(error)) from error
    return training


RENDERED = "rendered"
FACES = FACE_PRESETS["cpu"]


@app.command(
    "faces",
    epilog=example("vitcourse train faces --block parallel_layer_scale_init --num-parallel 2 --out runs/faces"),
)
@options_of(FACES, FACES.training)
def train_faces_command(
    ctx: typer.Context,
    given: dict,
    out: Annotated[Path, typer.Option(help="The run folder to write.")],
    data: Annotated[
        Path | None, typer.Option(help="A folder that holds one of pictures for each person; else faces are rendered.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help=f"{', '.join(FACE_PRESETS)}: sizes and budget, where no option says otherwise.")
    ] = "cpu",
    block: Annotated[str, typer.Option(help=f"Of vit: {', '.join(BLOCKS)}; else the preset's.")] = "",
    num_parallel: Annotated[int, typer.Option(help="Branches of a parallel block.", min=1)] = 2,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
) -> None:
    """Train a model that names people, and says when it does not know somebody."""
    given, first = settings(FACE_PRESETS, preset, ctx, given), first_process()
    training = _training(given, monitor="valid_loss" if given["schedule"] == "plateau" else "")
    run = made(FaceRun, given, training=training)
    if block and run.model != "vit":
        raise InputError(f"--block {block}: {run.model} has blocks of its own; leave it out, or take --model vit")
    if "parallel" not in block and ctx.get_parameter_source("num_parallel").name != "DEFAULT":
        raise InputError(f"--num-parallel {num_parallel}: only a parallel block has branches; name one with --block")
    try:
        run = run.with_block(block, num_parallel) if block else run
        run = run.from_signs() if run.start == "signs" else run
    except ValueError as error:
        raise InputError(str(error)) from error
    if not run.valid:
        raise InputError("--valid 0: there are no validation pictures, which say when a face is called unknown")
    check_run_folder(out, resume=resume)
    names = ("rendering",) * (data is None) + ("reading", "training")
    with tempfile.TemporaryDirectory() as folder, notes(say if first else None), progress(*names) as steps:
        *_, read, step = steps if first else [None] * len(steps)
        if data is None:
            synthesise(Path(folder) / RENDERED, size=run.vit.image_size, progress=steps[0] if first else None)
        sets = load(data or Path(folder) / RENDERED, valid=run.valid, test=run.test, least=run.least, few=run.few)
        parts = in_memory({name: sets[name] for name in ("train", "valid")}, run.vit.image_size, read)
        _, log, threshold = train_faces(run, parts, out, resume=resume, on_step=step)
    if first:
        last = log[-1]
        say(f"validation accuracy {last['valid_accuracy']:.1%}; a share below {threshold:.0%} is called unknown")
        say(f"wrote {out}")

"""The commands below ``train``; `asl.TrainCommands` imports this when one of them is asked for."""

from pathlib import Path
from typing import Annotated

import typer

from vitcourse.asl import SignRun
from vitcourse.asl.parts import Parts
from vitcourse.asl.trainer import PRESETS, train_signs
from vitcourse.commands import command_group, console, example, say
from vitcourse.commands.options import Background, made, options_of
from vitcourse.commands.terminal import log_table, notes, progress
from vitcourse.errors import InputError
from vitcourse.training import TrainingConfig, check_precision, first_process

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
        str, typer.Option(help=f"{', '.join(PRESETS)}: settings of a recorded run, where no option says otherwise.")
    ] = "",
) -> None:
    """Train a model that names the letter and boxes the hand."""
    given |= _settings(preset, ctx, given)
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
    with notes(say if first else None), progress("registering copies", "reading", "training") as bars:
        shown = dict(zip(("on_pair", "on_image", "on_step"), bars, strict=True)) if first else {}
        _, log = train_signs(run, Parts(data, background=background), out, resume=resume, **shown)
    if first:
        table = log_table([{name.replace("held_out_", "valid_"): value for name, value in e.items()} for e in log])
        table.title = f"losses on train, accuracy and IoU on {'photos held out of train' if hold_out else 'valid'}"
        console.print(table)
        say(f"wrote {out}")


def _settings(preset: str, ctx: typer.Context, given: dict) -> dict:
    """What a preset says of the options that were not given.

    Raises:
        InputError: there is no such preset.
    """
    if not preset:
        return {}
    if preset not in PRESETS:
        raise InputError(f"--preset must be one of {', '.join(PRESETS)}, got {preset!r}")
    settings = vars(PRESETS[preset].training) | vars(PRESETS[preset])
    return {name: settings[name] for name in given if ctx.get_parameter_source(name).name == "DEFAULT"}

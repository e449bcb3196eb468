"""Commands on signs: render, inspect, train."""

import json
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from vitcourse.commands import command_group, console, example, say
from vitcourse.commands.options import Background, check_picture


class TrainCommands(TyperGroup):
    """The commands below ``train``, imported when one is asked for: what their options are read off loads PyTorch."""

    def list_commands(self, _ctx: typer.Context) -> list[str]:
        return list(self._found())

    def get_command(self, _ctx: typer.Context, name: str) -> object | None:
        return self._found().get(name)

    def _found(self) -> dict:
        from vitcourse.commands.train import app

        return typer.main.get_group(app).commands


app = command_group()
app.add_typer(command_group("Train a model of the course.", cls=TrainCommands), name="train")


@app.command(epilog=example("vitcourse synth data/signs --train 1512 --size 128 --seed 0"))
def synth(
    out: Annotated[Path, typer.Argument(help="The folder to make; it must be new or empty.")],
    train: Annotated[int, typer.Option(help="Images in the train split.")] = 1512,
    valid: Annotated[int, typer.Option(help="Images in the valid split.")] = 144,
    test: Annotated[int, typer.Option(help="Images in the test split.")] = 72,
    size: Annotated[int, typer.Option(help="Height and width in pixels.")] = 128,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 0,
    form: Annotated[str, typer.Option(help="The layout of a Roboflow export: csv, coco, yolo or voc.")] = "csv",
    copies: Annotated[int, typer.Option(help="Altered copies of each train image; 0: as it was rendered.")] = 0,
    hulls: Annotated[
        bool, typer.Option("--hulls", help="Box the copies (3, if not said) as exporters do: with boxes that grew.")
    ] = False,
) -> None:
    """Render sign letters and write them in the layout of a Roboflow export, as the real set's is."""
    from vitcourse.commands.terminal import progress
    from vitcourse.data.asl import synthesise

    copies = copies or 3 * hulls
    with progress("rendering") as (step,):
        synthesise(out, train, valid, test, size, seed, step, form=form, copies=copies, hulls=hulls)
    say(f"wrote {train * max(copies, 1) + valid + test} images to {out}")


@app.command(epilog=example("vitcourse inspect data/signs --out signs.png"))
def inspect(
    data: Annotated[Path, typer.Argument(help="An export folder.")],
    out: Annotated[Path | None, typer.Option(help="Draw boxes, twins and sizes into this picture.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the tables.")] = False,
    background: Background = "refuse",
) -> None:
    """Say what an export holds, and what will fool you: twins, labels that grew, what a blind answer gets."""
    from vitcourse.commands import inspection
    from vitcourse.commands.terminal import notes, progress

    check_picture(out)
    noted = []
    with notes(noted.append):
        splits = inspection.read(data, background)
    with progress("comparing copies") as (step,):
        content, twins = inspection.facts(data, splits, step)
    if as_json:
        print(json.dumps({"notes": noted, **content}, indent=1))
    else:
        for table in inspection.tables(content):
            console.print(table)
        for line in noted + inspection.lines(content):
            say(line)
    if out is not None:
        from vitcourse.figures import plots

        first = next(iter(content["splits"].values()))
        plots.save(inspection.picture(splits, twins, bool(first["labels"]["hulls"])), out)
        if not as_json:
            say(f"wrote {out}")

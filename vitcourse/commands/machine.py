"""Commands on the machine and on what was measured with it."""

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from vitcourse import recipes
from vitcourse.commands import command_group, console, example, say
from vitcourse.errors import InputError

app = command_group()


@app.command(epilog=example("vitcourse doctor"))
def doctor() -> None:
    """Show what this machine offers to the course, and whether everything imports."""
    from vitcourse.commands.doctor import report
    from vitcourse.grading.walled.sandbox import state

    whole = report(console)
    say(f"walls for `vitcourse grade`: {state()}")
    sys.exit(0 if whole else 1)


@app.command(epilog=example("vitcourse record asl_real --data data/asl-letters"))
def record(
    name: Annotated[str, typer.Argument(help=f"The recorded run to make again: {', '.join(recipes.modules())}.")],
    data: Annotated[Path | None, typer.Option(help="An export folder, for the runs that need real data.")] = None,
    preset: Annotated[str | None, typer.Option(help="The size, for the runs that have several.")] = None,
) -> None:
    """Make one of the recorded runs in book/results again."""
    modules = recipes.modules()
    if name not in modules:
        raise InputError(f"there is no recorded run {name!r}; there are: {', '.join(modules)}")
    say(f"wrote {importlib.import_module(modules[name]).record(data, say, preset)}")


@app.command(epilog=example("vitcourse bench --model ti/16 --rounds 9 --out runs/bench"))
def bench(
    model: Annotated[list[str] | None, typer.Option(help="ti/16, s/16, 'ti/16 6x2' or 's/16 18x2'; all.")] = None,
    rounds: Annotated[int, typer.Option(help="How often each model is timed.", min=1)] = 9,
    device: Annotated[str, typer.Option(help="cpu or cuda; cuda where there is one.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write bench.json and bench.png into this folder.")] = None,
) -> None:
    """Time our models beside timm, Hugging Face and torchvision, with the same weights."""
    import torch

    from vitcourse.commands.terminal import progress
    from vitcourse.recipes.speed.cases import MODELS, cases, measure
    from vitcourse.recipes.speed.report import case_name, save, table

    names = model or list(MODELS)
    if unknown := [name for name in names if name not in MODELS]:
        raise InputError(f"there is no model {unknown[0]!r} to time; there are: {', '.join(MODELS)}")
    name = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda") or (name == "cuda" and not torch.cuda.is_available()):
        raise InputError(f"there is no device {name!r} here to time on")
    chosen = cases(names, torch.device(name))
    rows = []
    with progress("timing") as (step,):
        for index, case in enumerate(chosen):
            on_round = lambda done, _, index=index: step(index * rounds + done, len(chosen) * rounds)  # noqa: E731
            rows.append(measure(case, torch.device(name), rounds, on_round=on_round))
    console.print(table(rows))
    slower = [case_name(row) for row in rows if max(found["median"] for found in row["ratio"].values()) > 1.03]
    say(f"slower by more than 3%: {'; '.join(slower) or 'none'}")
    if out is not None:
        save(rows, out)
        say(f"wrote {out}")

"""Commands on the machine and on what was measured with it."""

import importlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from vitcourse.commands import command_group, console, example
from vitcourse.errors import InputError

app = command_group()


@app.command(epilog=example("vitcourse doctor"))
def doctor() -> None:
    """Show what this machine offers to the course, and whether everything imports."""
    from vitcourse.doctor import report

    sys.exit(0 if report(console) else 1)


@app.command(epilog=example("vitcourse record asl_real --data data/asl-letters"))
def record(
    name: Annotated[str, typer.Argument(help="The recorded run to make again.")],
    data: Annotated[Path | None, typer.Option(help="An export folder, for the runs that need real data.")] = None,
) -> None:
    """Make one of the recorded runs in book/results again."""
    from vitcourse.recipes import RECIPES

    if name not in RECIPES:
        raise InputError(f"there is no recorded run {name!r}; there are: {', '.join(RECIPES)}")
    recipe = importlib.import_module(f"vitcourse.recipes.{name}")
    file = recipe.record(data, lambda line: console.print(line, highlight=False, soft_wrap=True))
    console.print(f"wrote {file}", highlight=False)

"""The commands of ``vitcourse``, a module a subject; `vitcourse.cli` puts them together.

A command imports what it needs when it runs, so that ``vitcourse --help`` answers at once.
"""

import typer
from rich.console import Console
from rich.markup import escape

console = Console()


def say(line: str) -> None:
    """Prints a line as it is: a path may hold what rich would take for markup."""
    console.print(line, highlight=False, markup=False, emoji=False, soft_wrap=True)


def complain(line: str) -> None:
    """Prints what is wrong, on standard error."""
    Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escape(line)}", highlight=False)


def command_group(help: str | None = None, cls: type | None = None) -> typer.Typer:
    """An empty set of commands with the course's manners."""
    return typer.Typer(
        help=help,
        cls=cls,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )


def example(text: str) -> str:
    """The last line of a command's help."""
    return f"[dim]Example:[/]  {escape(text)}"

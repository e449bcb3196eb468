"""Options of commands: read off the fields of dataclasses, where name, help, range and default are written once."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from vitcourse.errors import InputError
from vitcourse.files import check_way

KEYWORD = inspect.Parameter.KEYWORD_ONLY
PICTURES = (".png", ".jpg", ".pdf", ".svg")
Made = TypeVar("Made")
OwnCourse = Annotated[Path | None, typer.Option("--course", help="A folder of your own exercises, beside the course.")]
Background = Annotated[str, typer.Option(help="Photos without a box: refuse the set, or skip them.")]


def options_of(*sources: object) -> Callable[[Callable], Callable]:
    """Gives a command an option for each field of a dataclass that has a ``help`` in its metadata (see `offered`).

    The defaults are those of the dataclass, or the values of an instance where one is given. The command gets the
    options as one dict ``given``, by the names of the fields, from which `made` makes the dataclasses. They stand
    behind its own required options and before the others.
    """

    def decorate(command: Callable) -> Callable:
        own = [one for name, one in inspect.signature(command).parameters.items() if name != "given"]
        derived = {}
        offers = ((source, field) for source in sources for field in fields(source) if "help" in field.metadata)
        for source, field in offers:
            flags, least = field.metadata.get("flags", ()), field.metadata.get("least")
            kind = Annotated[field.type, typer.Option(*flags, help=field.metadata["help"], min=least)]
            default = getattr(source, field.name)  # a class holds the defaults of its fields
            derived[field.name] = inspect.Parameter(field.name, KEYWORD, default=default, annotation=kind)

        @wraps(command)
        def called(**values) -> None:
            given = {name: values.pop(name) for name in derived}
            command(**values, given=given)

        needed = [one.replace(kind=KEYWORD) for one in own if one.default is one.empty]
        others = [one.replace(kind=KEYWORD) for one in own if one.default is not one.empty]
        called.__signature__ = inspect.Signature([*needed, *derived.values(), *others])
        return called

    return decorate


def settings(presets: Mapping[str, object], preset: str, ctx: typer.Context, given: dict) -> dict:
    """What a preset says of its run and of its training, by the names of the fields, where no option says otherwise.

    Args:
        presets: runs by name, each with its ``training``; "" is the run that no preset makes.
        given: the options of the command; those that nobody gave hold their defaults, and do not count.

    Raises:
        InputError: there is no such preset.
    """
    if preset not in presets:
        raise InputError(f"--preset must be one of {', '.join(filter(None, presets))}, got {preset!r}")
    asked = {name: value for name, value in given.items() if ctx.get_parameter_source(name).name != "DEFAULT"}
    return vars(presets[preset].training) | vars(presets[preset]) | asked


def made(kind: type[Made], given: dict, **more: object) -> Made:
    """A dataclass from those of the given settings that are its own; what is in ``more`` goes first.

    Raises:
        InputError: it refuses a value.
    """
    own = {field.name: given[field.name] for field in fields(kind) if field.name in given}
    try:
        return kind(**(own | more))
    except ValueError as error:
        raise InputError(str(error)) from error


def check_picture(out: Path | None) -> None:
    """
    Raises:
        InputError: the name is of no kind of picture that can be written, or its place is taken.
    """
    if out is None:
        return
    if out.suffix.lower() not in PICTURES:
        raise InputError(f"{out}: a picture's name must end in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}")
    if out.is_dir():
        raise InputError(f"{out}: it is a folder, and a picture would be written there")
    check_way(out.parent)

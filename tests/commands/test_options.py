"""Options that are read off dataclasses: what stands beside a field is what the command says, checks and passes on."""

import subprocess
import sys
from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from vitcourse.asl import SignRun
from vitcourse.commands import command_group
from vitcourse.commands.options import made, options_of, settings
from vitcourse.errors import InputError
from vitcourse.faces import PRESETS as FACES
from vitcourse.training import TrainingConfig, offered


@dataclass(frozen=True)
class Boat:
    """A boat."""

    sails: int = offered(2, "How many sails.", least=1)
    hull_colour: str = offered("red", "Colour of the hull.", "--paint", "-p")
    anchor: bool = offered(True, "Take one.")
    crew: int = 3  # is not offered

    def __post_init__(self):
        if self.hull_colour == "pink":
            raise ValueError("a hull is not pink")


@pytest.fixture
def call():
    """Runs a command on boats; gives its result and what it got."""
    app, got = command_group(), []

    @app.command()
    @options_of(Boat)
    def launch(
        given: dict,
        sea: Annotated[str, typer.Option(help="Which.")],
        far: Annotated[bool, typer.Option("--far", help="Out of sight.")] = False,
    ) -> None:
        """Launch a boat."""
        got.append((sea, far, given))

    return lambda *arguments: (CliRunner().invoke(app, arguments), got)


def test_a_field_is_an_option_with_its_default(call):
    result, got = call("--sea", "north")
    assert result.exit_code == 0, result.output
    assert got == [("north", False, {"sails": 2, "hull_colour": "red", "anchor": True})]
    assert made(Boat, got[0][2], crew=9) == Boat(2, "red", True, 9)


def test_an_option_is_called_as_its_field_says(call):
    result, got = call("--sea", "north", "-p", "blue", "--no-anchor", "--sails", "3", "--far")
    assert result.exit_code == 0, result.output
    assert got == [("north", True, {"sails": 3, "hull_colour": "blue", "anchor": False})]
    assert call("--sea", "north", "--hull-colour", "blue")[0].exit_code == 2
    assert call("--sea", "north", "--crew", "3")[0].exit_code == 2


def test_the_help_holds_what_stands_beside_the_field(call):
    result, _ = call("--help")
    shown = " ".join(result.output.replace("│", " ").split())
    for words in ("Launch a boat.", "How many sails. [default: 2]", "[x>=1]", "--paint", "[default: red]", "Take one."):
        assert words in shown
    assert shown.index("--sea") < shown.index("--sails") < shown.index("--paint") < shown.index("--far")
    assert "given" not in shown.lower()


def test_what_is_out_of_range_or_refused_is_bad_input(call):
    result, got = call("--sea", "north", "--sails", "0")
    assert result.exit_code == 2
    assert "--sails" in result.output
    assert got == []
    with pytest.raises(InputError, match="a hull is not pink"):
        made(Boat, {"hull_colour": "pink"})


def test_every_field_that_is_offered_is_an_option_of_train_asl(command):
    """Its own default too: `SignRun` and `TrainingConfig` are the only place of both."""
    from vitcourse.commands.train import app

    options = {one.name: one for one in typer.main.get_group(app).commands["asl"].params}
    offers = [field for kind in (SignRun, TrainingConfig) for field in fields(kind) if "help" in field.metadata]
    assert len(offers) == 24
    for field in offers:
        option, least = options[field.name], field.metadata["least"]
        assert (option.default, option.help) == (field.default, field.metadata["help"])
        if least is not None:
            status, _, error = command("train", "asl", "--data", "x", "--out", "y", option.opts[0], least - 1)
            assert status == 2
            assert f"'{option.opts[0]}'" in error
            assert f"equal to {least}" in error or f"x>={least}" in error  # as Typer words it
    assert set(options) - {field.name for field in offers} == {"data", "out", "resume", "background", "preset"}
    known = {
        "epochs": 12,
        "batch_size": 32,
        "lr": 1e-3,
        "classification_divisor": 10.0,
        "frozen_layers": -1,
        "clip": 1.0,
    }
    assert {name: options[name].default for name in known} == known
    flags = {flag for option in options.values() for flag in (*option.opts, *option.secondary_opts)}
    assert {"--batch-size", "--freeze", "-C", "--no-box-sigmoid", "--no-augment", "--hold-out", "--resume"} <= flags
    assert command("train", "asl", "--help")[0] == 0


def test_the_defaults_of_train_faces_are_those_of_its_preset(command):
    """And a preset gives what no option says, for signs and for faces by the same function."""
    from vitcourse.commands.train import app

    options, own = typer.main.get_group(app).commands["faces"].params, FACES["cpu"]
    defaults = {option.name: option.default for option in options}
    for one in (own, own.training):
        shown = {field.name for field in fields(one) if "help" in field.metadata}
        assert {name: defaults[name] for name in shown} == {name: getattr(one, name) for name in shown}
    assert (defaults["epochs"], defaults["preset"]) == (40, "cpu")


def test_a_preset_gives_what_no_option_says():
    context = SimpleNamespace(get_parameter_source=lambda name: SimpleNamespace(name=sources[name]))
    sources = {"epochs": "COMMANDLINE", "lr": "DEFAULT", "smoothing": "DEFAULT"}
    found = settings(FACES, "seed", context, {"epochs": 3, "lr": 2e-3, "smoothing": 0.1})
    assert (found["epochs"], found["lr"], found["smoothing"]) == (3, 3e-3, 0.0)
    assert (found["eps"], found["vit"].image_size) == (1e-5, 160)  # what no option can say
    with pytest.raises(InputError, match="--preset must be one of cpu, seed, got 'huge'"):
        settings({"": FACES["cpu"]} | FACES, "huge", context, {})


@pytest.mark.parametrize("arguments", [["--help"], ["synth", "--help"], ["record", "nothing"], ["trian"]])
def test_what_needs_no_torch_does_not_wait_for_it(arguments):
    program = (
        f"import sys; sys.argv = ['vitcourse', *{arguments!r}]\nfrom vitcourse import cli\n"
        "try:\n    cli.main()\nfinally:\n    print('torch' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "False"
    assert "Traceback" not in done.stderr

"""Commands on trained models: predict, export, serve."""

import json
import math
import os
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from vitcourse.commands import command_group, complain, example, say
from vitcourse.commands.options import check_picture
from vitcourse.errors import DataError, one_line

MOST_DRAWN = 400  # images in one picture
Run = Annotated[Path, typer.Argument(help="A run folder, or an ONNX file that `vitcourse export` wrote.")]

app = command_group()


@app.command(epilog=example("vitcourse predict runs/signs photo1.jpg photo2.jpg --top 3 --out overlay.png"))
def predict(
    run: Run,
    images: Annotated[list[str], typer.Argument(help="Image files; - reads their names from standard input.")],
    top: Annotated[int, typer.Option(help="How many labels to name for each image.", min=1)] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each image.")] = False,
    null: Annotated[bool, typer.Option("--null", "-0", help="Names on standard input end with NUL.")] = False,
    out: Annotated[Path | None, typer.Option(help="Draw the answers into this picture.")] = None,
    second_look: Annotated[
        bool, typer.Option("--second-look", help="Look again around the first box: five times the work.")
    ] = False,
) -> None:
    """Name what images show, and box a hand. A file that cannot be read is told, and the others are answered.

    A model of faces says "unknown" where it is less sure than it was of the people whom it knows.
    """
    from vitcourse.commands.answering import load
    from vitcourse.data.images import decode

    check_picture(out)
    answering = load(run)
    drawing = None if out is None else Drawing(MOST_DRAWN if "-" in images else len(images))
    piped = _standard_input(b"\0" if null else b"\n")

    def answered(name: str) -> bool:
        """Whether it could be read. The pixels of a photo end with this call: a few hundred would fill the memory."""
        try:
            pixels = decode(name)
        except DataError as error:
            complain(one_line(error, 600))
            if as_json:
                print(json.dumps({"file": name, "error": error.problem}), flush=True)
            return False
        answer = answering(pixels, top, second_look)
        if as_json:
            print(json.dumps({"file": name} | answer), flush=True)
        else:
            say(f"{_on_a_line(name)}: {_words(answer)}")
        if drawing is not None:
            drawing.add(pixels, answer)
        return True

    failed = 0
    for name in chain.from_iterable(piped if name == "-" else [name] for name in images):
        failed += not answered(name)
    if drawing is not None and drawing.images:
        drawing.save(out)
        if not as_json:
            shows = f", with the first {MOST_DRAWN} images" if drawing.left else ""
            say(f"wrote {out}{shows}")
    if failed:
        raise typer.Exit(2)


@app.command(epilog=example("vitcourse export runs/signs --out exported"))
def export(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Annotated[Path | None, typer.Option(help="The folder to write into; the run's own if none is named.")] = None,
) -> None:
    """Write a trained model as ONNX and as a program of torch.export, each compared with the model on the spot."""
    from vitcourse.commands.answering import answers_of
    from vitcourse.training.export import TOLERANCE
    from vitcourse.training.export import export as write

    description, answers = answers_of(run)
    for name, apart in write(answers.cpu(), description, out or run).items():
        say(f"wrote {(out or run) / name}; its answers are within {apart:.1g} of the model's ({TOLERANCE:g} at most)")


@app.command(epilog=example("vitcourse serve runs/signs --port 8800"))
def serve(
    run: Run,
    port: Annotated[int, typer.Option(help="0 takes any that is free.", min=0, max=65535)] = 8800,
) -> None:
    """Answer in a browser on this machine, and nowhere else: drop a picture or use the camera. Ctrl-C ends it."""
    from vitcourse.commands.answering import load
    from vitcourse.commands.server import serve as run_server

    run_server(load(run), port, lambda address: say(f"open {address}  (Ctrl-C ends it)"))


class Drawing:
    """The images that were answered, small, with what was said of them.

    Args:
        expected: how many there will be, at most.
    """

    def __init__(self, expected: int):
        self.images, self.boxes, self.titles, self.left = [], [], [], 0
        self.side = 1.7 if expected <= 36 else 1.2  # inches

    def add(self, pixels: object, answer: dict) -> None:
        from vitcourse.figures import plots

        if len(self.images) == MOST_DRAWN:
            self.left += 1
            return
        self.images.append(plots.thumbnail(pixels, round(self.side * plots.SAVED_DPI)))
        self.boxes += [answer["box"]] if "box" in answer else []
        likeliest = answer["top"][0]
        self.titles.append("unknown" if answer.get("unknown") else f"{likeliest['label']}  {likeliest['share']:.0%}")

    def save(self, out: Path) -> None:
        import torch

        from vitcourse.figures import plots

        columns = max(6, math.ceil(math.sqrt(len(self.images))))
        plots.use_style()
        boxes = torch.tensor(self.boxes) if self.boxes else None
        plots.save(plots.sign_grid(self.images, boxes, self.titles, columns=columns, side=self.side), out)


def _standard_input(end: bytes) -> Iterator[str]:
    """The names on standard input, each as soon as it is there."""
    rest, more = b"", True
    while more:
        more = sys.stdin.buffer.read1()
        *whole, rest = (rest + (more or end)).split(end)
        names = (name.removesuffix(b"\r") if end == b"\n" else name for name in whole)
        yield from (os.fsdecode(name) for name in names if name)


def _on_a_line(name: str) -> str:
    return name if name.isprintable() else repr(name)


def _words(answer: dict) -> str:
    shares = ", ".join(f"{_on_a_line(one['label'])} ({one['share']:.0%})" for one in answer["top"])
    if answer.get("unknown"):
        return f"unknown; the likeliest: {shares}"
    if "box" not in answer:
        return shares
    corners = [share * side for share, side in zip(answer["box"], answer["size"] * 2, strict=True)]
    x1, y1, x2, y2 = (f"{corner:.0f}" for corner in corners)
    return f"{shares}, box {x1},{y1} to {x2},{y2}"

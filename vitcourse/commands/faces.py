"""Commands on faces: crop them out of photos, render them, or fetch real ones."""

from pathlib import Path
from typing import Annotated

import typer

from vitcourse.commands import command_group, example, say

app = command_group()
crop = command_group("Cut what a model is trained on out of photos.")
render = command_group("Make pictures of what does not exist.")
fetch = command_group("Download what is free for research.")
for name, group in (("crop", crop), ("render", render), ("fetch", fetch)):
    app.add_typer(group, name=name)


@crop.command("faces", epilog=example("vitcourse crop faces photos faces --several largest"))
def crop_faces(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A folder of photos; folders within are kept.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to make; it must be new or empty.")],
    size: Annotated[int, typer.Option(help="Height and width of a crop, in pixels.", min=16, max=1024)] = 160,
    several: Annotated[
        str, typer.Option(help="Photos of several faces: skip them, take the largest, or all.")
    ] = "skip",
) -> None:
    """Find the faces in photos and write each as a square. Photos of none, of several, or that lie are named."""
    from vitcourse.commands.terminal import progress
    from vitcourse.data import crops

    detect = crops.dlib_detector()
    with progress("cropping") as (step,):
        photos = crops.crop_faces(source, out, detect, size, several, progress=step)
    for photo in filter(lambda photo: photo.note, photos):
        say(f"{photo.file}: {photo.note}")
    say(f"wrote {sum(photo.written for photo in photos)} faces from {len(photos)} photos to {out}")


@render.command("faces", epilog=example("vitcourse render faces data/faces --people 40 --images 10 --size 64"))
def render_faces(
    out: Annotated[Path, typer.Argument(help="The folder to make; it must be new or empty.")],
    people: Annotated[int, typer.Option(help="How many people.", min=2)] = 40,
    images: Annotated[int, typer.Option(help="Pictures of each.", min=1)] = 10,
    size: Annotated[int, typer.Option(help="Height and width in pixels.")] = 64,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files, another one other people.", min=0)] = 0,
) -> None:
    """Render faces of people who do not exist, in a folder for each of them."""
    from vitcourse.commands.terminal import progress
    from vitcourse.data.faces import synthesise

    with progress("rendering") as (step,):
        synthesise(out, people, images, size, seed, step)
    say(f"wrote {people * images} pictures of {people} people to {out}")


@fetch.command("faces", epilog=example("vitcourse fetch faces data/orl"))
def fetch_faces(
    out: Annotated[Path, typer.Argument(help="The folder to make; it must be new or empty.")],
) -> None:
    """Download the ORL faces: 40 real people with 10 grey pictures each. Not to be passed on."""
    from vitcourse.data.faces import fetch_orl

    fetch_orl(out)
    say(f"wrote 400 pictures of 40 people to {out}")

"""Commands on signs: render, train, evaluate, predict."""

import json
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from vitcourse.commands import command_group, console, example, say
from vitcourse.errors import InputError

app = command_group()
train_app = command_group("Train a model of the course.")
app.add_typer(train_app, name="train")
Background = Annotated[str, typer.Option(help="Photos without a box: refuse the set, or skip them.")]


@contextmanager
def notes(tell: Callable[[str], None] | None) -> Iterator[None]:
    """Gives what reading a set has to note to ``tell``, a line each; to nobody if it is None."""
    from vitcourse.data.asl import DataNote

    with warnings.catch_warnings():
        others = warnings.showwarning

        def show(message, category, *where):
            if not issubclass(category, DataNote):
                others(message, category, *where)
            elif tell is not None:
                tell(str(message))

        warnings.simplefilter("always", DataNote)
        warnings.showwarning = show
        yield


@app.command(epilog=example("vitcourse synth data/signs --train 1512 --size 128 --seed 0"))
def synth(
    out: Annotated[Path, typer.Argument(help="The folder to make; it must be new or empty.")],
    train: Annotated[int, typer.Option(help="Images in the train split.")] = 1512,
    valid: Annotated[int, typer.Option(help="Images in the valid split.")] = 144,
    test: Annotated[int, typer.Option(help="Images in the test split.")] = 72,
    size: Annotated[int, typer.Option(help="Height and width in pixels.")] = 128,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 0,
    form: Annotated[str, typer.Option(help="The layout of a Roboflow export: csv, coco, yolo or voc.")] = "csv",
) -> None:
    """Render sign letters and write them in the layout of a Roboflow export, as the real set's is."""
    from vitcourse.commands.terminal import progress
    from vitcourse.data.asl import synthesise

    with progress("rendering") as (step,):
        synthesise(out, train=train, valid=valid, test=test, size=size, seed=seed, progress=step, form=form)
    say(f"wrote {train + valid + test} images to {out}")


@train_app.command("asl", epilog=example("vitcourse train asl --data data/signs --out runs/signs --epochs 12"))
def train_asl(
    data: Annotated[Path, typer.Option(help="An export folder with train and valid.")],
    out: Annotated[Path, typer.Option(help="The run folder to write.")],
    backbone: Annotated[
        str,
        typer.Option(
            help="vit-signs (pretrained on rendered signs), vit or resnet18 (from scratch), resnet18:FILE (weights "
            "of a checkpoint), or a ViTModel: a local folder or a name on the Hugging Face hub."
        ),
    ] = "vit-signs",
    epochs: Annotated[
        int,
        typer.Option(help="Passes over the train split; with --resume more than before make the run longer.", min=1),
    ] = 12,
    batch_size: Annotated[int, typer.Option(help="Images in a batch.", min=1)] = 32,
    accumulate: Annotated[int, typer.Option(help="Batches that make one update of the weights.", min=1)] = 1,
    lr: Annotated[float, typer.Option(help="Peak learning rate.", min=0)] = 1e-3,
    schedule: Annotated[str, typer.Option(help="cosine, linear, constant, or plateau (with --hold-out).")] = "cosine",
    warmup: Annotated[float, typer.Option(help="Share of the updates in which the rate rises.", min=0)] = 0.1,
    clip: Annotated[float, typer.Option(help="Largest norm of the gradient; 0 for any.", min=0)] = 1.0,
    image_size: Annotated[int, typer.Option(help="Pixels; 0 for the backbone's own.", min=0)] = 0,
    divisor: Annotated[float, typer.Option("--classification-divisor", "-C", help="The constant C.")] = 10.0,
    box_loss: Annotated[str, typer.Option(help="mse, l1, smooth_l1, giou or ciou.")] = "mse",
    balance: Annotated[str, typer.Option(help="constant (C), or uncertainty (learned).")] = "constant",
    task: Annotated[str, typer.Option(help="both, or letters alone.")] = "both",
    sigmoid: Annotated[bool, typer.Option("--box-sigmoid/--no-box-sigmoid", help="End the box head with one.")] = True,
    freeze: Annotated[int, typer.Option(help="Freeze the embeddings and this many layers; -1 for none.")] = -1,
    augment: Annotated[bool, typer.Option("--augment/--no-augment", help="Mirror, move, scale, recolour.")] = True,
    hold_out: Annotated[
        float, typer.Option(help="Share of the train photos kept back, on which the epoch is chosen; 0 takes the last.")
    ] = 0.0,
    precision: Annotated[str, typer.Option(help="no, bf16 or fp16.")] = "no",
    workers: Annotated[int, typer.Option(help="Processes that load data.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Fixes the start, the order and the augmentation.")] = 0,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the run in --out. With more --epochs its rate goes on as in a run of the new length.",
        ),
    ] = False,
    background: Background = "refuse",
) -> None:
    """Train a model that names the letter and boxes the hand."""
    from vitcourse.asl import SignRun
    from vitcourse.commands.terminal import log_table, progress
    from vitcourse.recipes.signs import train_signs
    from vitcourse.training import TrainingConfig, check_precision, first_process

    if schedule == "plateau" and not hold_out:
        raise InputError("--schedule plateau watches the photos that --hold-out keeps back: give it a share, as 0.2")
    judged = "held_out_score" if hold_out else ""
    try:
        check_precision(precision)
        training = TrainingConfig(
            epochs=epochs,
            batch_size=batch_size,
            lr=lr,
            warmup=warmup,
            clip=clip,
            precision=precision,
            seed=seed,
            workers=workers,
            accumulate=accumulate,
            schedule=schedule,
            monitor=judged if schedule == "plateau" else "",
            choose=judged,
        )
        run = SignRun(
            backbone,
            image_size,
            sigmoid,
            divisor,
            freeze,
            training,
            box_loss=box_loss,
            balance=balance,
            task=task,
            augment=augment,
            hold_out=hold_out,
        )
    except ValueError as error:
        raise InputError(str(error)) from error
    first = first_process()
    with notes(say if first else None), progress("reading", "training") as (read, step):
        shown = {"on_image": read, "on_step": step} if first else {}
        _, log = train_signs(run, data, out, resume=resume, background=background, **shown)
    if first:
        table = log_table([{name.replace("held_out_", "valid_"): value for name, value in e.items()} for e in log])
        table.title = f"losses on train, accuracy and IoU on {'photos held out of train' if hold_out else 'valid'}"
        console.print(table)
        say(f"wrote {out}")


@app.command(epilog=example("vitcourse evaluate runs/signs --data data/signs --split valid --json"))
def evaluate(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    data: Annotated[Path, typer.Option(help="An export folder.")],
    split: Annotated[str, typer.Option(help="The split to judge on; train, if there, stands beside it.")] = "valid",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    background: Background = "refuse",
) -> None:
    """Print accuracy, loss and IoU of a trained sign model."""
    from vitcourse.asl import evaluate as measure
    from vitcourse.asl import load_run
    from vitcourse.commands.terminal import measures_table, progress
    from vitcourse.data.asl import load

    model, _ = load_run(run)
    names = [split] if split == "train" or not (data / "train").is_dir() else ["train", split]
    noted = []
    with notes(noted.append):
        datasets = {name: load(data, name, background) for name in names}
    with progress(*(f"measuring {name}" for name in datasets)) as steps:
        measured = {
            name: measure(model, dataset, progress=step) | {"images": len(dataset)}
            for (name, dataset), step in zip(datasets.items(), steps, strict=True)
        }
    if as_json:
        print(json.dumps({"run": str(run), "data": str(data), "notes": noted, "splits": measured}, indent=1))
    else:
        for line in noted:
            say(line)
        console.print(measures_table(measured, split))


@app.command(epilog=example("vitcourse predict runs/signs photo1.jpg photo2.jpg --out overlay.png"))
def predict(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    out: Annotated[Path | None, typer.Option(help="Draw letters and boxes into this picture.")] = None,
) -> None:
    """Name the letter and box the hand in images."""
    import torch

    from vitcourse.asl import load_run
    from vitcourse.asl.metrics import predict as predict_signs
    from vitcourse.data.asl import LETTERS, decode

    if out is not None and out.suffix.lower() not in (".png", ".jpg", ".pdf", ".svg"):
        raise InputError(f"{out}: a picture's name must end in .png, .jpg, .pdf or .svg")
    model, _ = load_run(run)
    if out is not None:
        from vitcourse.figures import plots
    columns, side = (6, 1.7) if len(images) <= 36 else (math.ceil(math.sqrt(len(images))), 1.2)
    drawn, boxes, titles = [], [], []

    def answer(image: Path) -> None:
        # The pixels of a photo end with this call: hundreds of them would not fit into memory.
        pixels = decode(image)
        logits, (box,) = predict_signs(model, [pixels])
        share, letter = logits.softmax(dim=1)[0].max(dim=0)
        corners = box.clamp(0, 1) * box.new_tensor([pixels.shape[2], pixels.shape[1]] * 2)
        x1, y1, x2, y2 = (f"{corner:.0f}" for corner in corners)
        say(f"{image}: {LETTERS[letter]} ({share:.0%}), box {x1},{y1} to {x2},{y2}")
        if out is not None:
            drawn.append(plots.thumbnail(pixels, round(side * plots.SAVED_DPI)))
            boxes.append(box)
            titles.append(f"{LETTERS[letter]}  {share:.0%}")

    for image in images:
        answer(image)
    if out is not None:
        plots.use_style()
        plots.save(plots.sign_grid(drawn, torch.stack(boxes), titles, columns=columns, side=side), out)
        say(f"wrote {out}")

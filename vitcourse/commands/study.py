"""``vitcourse study asl``: many short trainings, to find settings."""

import multiprocessing
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from vitcourse.commands import command_group, console, example, say

app = command_group()
studies = command_group("Search for settings, with pruning; a study can be taken up again.")
app.add_typer(studies, name="study")

PICTURES = {"train": 520, "valid": 0, "test": 0, "size": 96, "seed": 11}
HOLD_OUT = 0.2


def work(data: Path, where: str, trials: int, epochs: int, seed: int, first: bool = True) -> None:
    """One process of a study: reads the pictures, and tries settings until the study has enough trials."""
    from vitcourse.asl.experiments import Ground
    from vitcourse.asl.parts import Parts, subset
    from vitcourse.asl.study import hours, search, study_of
    from vitcourse.commands.terminal import notes

    with notes(say if first else None):
        parts = Parts(data)
        kept, held = parts.places(HOLD_OUT)
    study = study_of(where, {"data": parts.digest(kept), "epochs": epochs}, seed)
    (whole,) = parts.images(PICTURES["size"], "train")
    ground = Ground(subset(whole, kept), subset(whole, held))
    if first:
        left = max(0, trials - len(study.trials))
        say(f"{left} trials: about {hours(ground, left, epochs):.2f} processor hours, less what is given up early")
    search(study, ground, trials, epochs, say)


@studies.command("asl", epilog=example("vitcourse study asl --storage signs.journal --trials 40 --workers 2"))
def study_asl(
    storage: Annotated[str, typer.Option(help="A journal file, or a database: postgresql://user:word@host/name.")],
    data: Annotated[Path | None, typer.Option(help="An export folder; rendered signs without.")] = None,
    trials: Annotated[int, typer.Option(help="Trainings in all, with those already there.", min=1)] = 40,
    epochs: Annotated[int, typer.Option(help="Passes over the pictures in a training.", min=1)] = 8,
    workers: Annotated[int, typer.Option(help="Processes that share the work.", min=1, max=64)] = 1,
) -> None:
    """Search for settings of the sign model: C, freezing, optimiser, rate, both heads, losses and their weighting."""
    from rich.table import Table

    from vitcourse.asl.study import ranked, storage_of, study_of
    from vitcourse.data.asl import synthesise

    storage_of(storage)  # what is wrong with it is said before any picture is read
    with tempfile.TemporaryDirectory() as place:
        folder = data or Path(place) / "signs"
        if data is None:
            say(f"rendering {PICTURES['train']} signs")
            synthesise(folder, **PICTURES)
        others = [
            multiprocessing.get_context("spawn").Process(
                target=work, args=(folder, storage, trials, epochs, number, False)
            )
            for number in range(1, workers)
        ]
        try:
            work_done = False
            for process in others:
                process.start()
            work(folder, storage, trials, epochs, 0)
            work_done = True
        finally:
            for process in others:
                if not work_done:
                    process.terminate()
                process.join()
    best = ranked(study_of(storage, {}))
    table = Table(title="the best trials; their scores are those of the hold-out that chose them", title_justify="left")
    for column in ("trial", "score", "letters", "IoU@75", "settings"):
        table.add_column(column)
    for trial in best[:5]:
        chosen = ", ".join(
            f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}"
            for name, value in trial["params"].items()
        )
        found = trial["found"]
        shares = f"{found['accuracy']:.1%}", f"{found['iou75']:.1%}"
        table.add_row(str(trial["number"]), f"{trial['score']:.3f}", *shares, chosen)
    console.print(table)

"""What the command shows in a terminal: progress with the time left, what data have to note, and tables."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table


@contextmanager
def progress(*names: str) -> Iterator[list[Callable[..., None]]]:
    """Progress bars on standard error, one a name; yields for each a function ``step(done, total, loss=None)``.

    A bar appears with its first step, so that an error before it stands alone.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    bars = Progress(*columns, console=Console(stderr=True))

    def stepper(name: str) -> Callable[..., None]:
        task = bars.add_task(name, total=None, visible=False, note="", start=False)

        def step(done: int, total: int, loss: float | None = None) -> None:
            if not bars.tasks[task].started:
                bars.start()
                bars.start_task(task)
            note = "" if loss is None else f"loss {loss:.4f}"
            bars.update(task, completed=done, total=total, note=note, visible=True)

        return step

    try:
        yield [stepper(name) for name in names]
    finally:
        if bars.live.is_started:
            bars.stop()


@contextmanager
def notes(tell: Callable[[str], None] | None) -> Iterator[None]:
    """Gives what reading a set has to note to ``tell``, a line each; to nobody if it is None."""
    from vitcourse.data.asl import DataNote  # with torchvision, which a progress bar shall not wait for

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


def measures_table(measured: dict[str, dict[str, float]], split: str) -> Table:
    """The results table of the sign model: accuracy and loss on every split measured, the IoUs on ``split``."""
    from vitcourse.asl.metrics import THRESHOLDS

    table = Table(title=f"{measured[split]['images']} images of {split}", title_justify="left")
    table.add_column("")
    for name in measured:
        table.add_column(name, justify="right")
    for threshold in THRESHOLDS.values():
        table.add_column(f"IoU {threshold:.0%}", justify="right")
    table.add_column("mean IoU", justify="right")
    boxes = [f"{measured[split][name]:.2%}" for name in (*THRESHOLDS, "mean_iou")]
    table.add_row("accuracy", *(f"{values['accuracy']:.2%}" for values in measured.values()), *boxes)
    table.add_row("loss", *(f"{values['loss']:.4f}" for values in measured.values()))
    return table


def log_table(log: list[dict]) -> Table:
    """The log of a training run, a row an epoch."""
    columns = {
        "epoch": ("epoch", "{:d}"),
        "loss": ("loss", "{:.4f}"),
        "classification": ("letter", "{:.4f}"),
        "box": ("box", "{:.4f}"),
        "valid_accuracy": ("accuracy", "{:.2%}"),
        "valid_iou50": ("IoU 50%", "{:.2%}"),
        "valid_iou75": ("IoU 75%", "{:.2%}"),
        "seconds": ("seconds", "{:.1f}"),
    }
    table = Table(title="losses on train, accuracy and IoU on valid", title_justify="left")
    for heading, _ in columns.values():
        table.add_column(heading, justify="right")
    for entry in log:
        table.add_row(*(form.format(entry[name]) for name, (_, form) in columns.items()))
    return table

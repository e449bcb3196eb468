"""A benchmark as a table and as a picture."""

import json
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.table import Table

from vitcourse.figures import plots
from vitcourse.files import write_whole
from vitcourse.results import provenance

LIBRARIES = {"timm": "timm", "hf": "Hugging Face", "torchvision": "torchvision"}


def case_name(row: dict) -> str:
    """What a row of the benchmark compares, in a few words."""
    mode = "forward" if row["mode"] == "forward" else "training step"
    return f"{row['model']}, {mode}, batch {row['batch']}{', compiled' if row['compiled'] else ''}"


def table(rows: list[dict]) -> Table:
    """Milliseconds of a call, and ours over theirs in brackets (below 1: ours is faster)."""
    shown = Table(title="milliseconds of a call (in brackets: ours over theirs)", title_justify="left")
    shown.add_column("")
    shown.add_column("vitcourse", justify="right")
    for name in LIBRARIES.values():
        shown.add_column(name, justify="right")
    for row in rows:
        cells = [f"{row['milliseconds']['vitcourse']:.1f}"]
        for library in LIBRARIES:
            if library in row["ratio"]:
                cells.append(f"{row['milliseconds'][library]:.1f} ({row['ratio'][library]['median']:.3f})")
            else:
                cells.append("")
        shown.add_row(case_name(row), *cells)
    return shown


def picture(rows: list[dict]) -> Figure:
    """Ours over theirs: one line of dots a case, each with the quartiles over the rounds, and a mark at 1."""
    from matplotlib import pyplot as plt

    plots.use_style()
    figure, axes = plt.subplots(figsize=(6.4, 1.2 + 0.42 * len(rows)))
    axes.axvline(1, color=plots.INK, linewidth=1)
    colours = dict(zip(LIBRARIES, plots.COLOURS, strict=False))
    marks = dict(zip(LIBRARIES, "osD", strict=True))
    for library, name in LIBRARIES.items():
        places = [(i, row["ratio"][library]) for i, row in enumerate(rows) if library in row["ratio"]]
        if not places:
            continue
        # A little apart, so that bars that meet can be told from one another.
        heights = np.array([i for i, _ in places]) + 0.2 * (list(LIBRARIES).index(library) - 1)
        medians = np.array([found["median"] for _, found in places])
        quartiles = np.array([found["quartiles"] for _, found in places]).T
        errors = np.abs(quartiles - medians)
        axes.errorbar(medians, heights, xerr=errors, fmt=marks[library], color=colours[library], label=name)
    axes.set_yticks(range(len(rows)), [case_name(row) for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel("time of vitcourse over time of the library")
    axes.set_title("Left of the line, vitcourse is faster", loc="left")
    axes.legend(loc="upper center", bbox_to_anchor=(0.3, -0.9 / figure.get_figheight()), ncols=3, frameon=False)
    return figure


def save(rows: list[dict], folder: Path) -> None:
    """Writes bench.json, with where and with what it was measured, and bench.png."""
    write_whole(folder / "bench.json", json.dumps({"rows": rows, "provenance": provenance()}, indent=1).encode())
    plots.save(picture(rows), folder / "bench.png")

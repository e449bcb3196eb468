"""The figure style of the book, and the few kinds of figure that recur.

A title is a sentence that says what is seen; lines are labelled where they end; at most four colours. Figures keep a
white ground, which reads in the light and in the dark theme alike.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch.nn.functional as F
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from vitcourse.figures import vector
from vitcourse.files import whole_file

BLUE, ORANGE, GREEN, GREY = "#1f5fa8", "#c8500a", "#2d7d46", "#5f6773"
COLOURS = (BLUE, ORANGE, GREEN, GREY)
INK = "#1f2933"
SAVED_DPI = 150

STYLE = {
    "figure.facecolor": "white",
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "savefig.facecolor": "white",
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9aa3ad",
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlepad": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e5e8ec",
    "lines.linewidth": 2,
    "xtick.color": "#4b5563",
    "ytick.color": "#4b5563",
}


def use_style() -> None:
    """Sets the style for every figure that follows; and in a kernel that makes a page, how it is shown."""
    plt.rcParams.update(STYLE)
    if os.environ.get("VITCOURSE_STATIC") == "1":
        vector.show_on_pages()


def end_labels(axes: Axes) -> None:
    """Writes each line's label at its right end, in its colour, in place of a legend; labels that meet are spread.

    Call it when scales and limits are set.
    """
    axes.get_ylim()  # brings the limits up to date, on which transData depends
    points = 72 / axes.figure.dpi
    ends = [(points * axes.transData.transform((0, line.get_ydata()[-1]))[1], line) for line in axes.get_lines()]
    room, below = 1.25 * plt.rcParams["font.size"], -np.inf
    for height, line in sorted(ends, key=lambda end: end[0]):
        below = max(height, below + room)
        axes.annotate(
            line.get_label(),
            (1, line.get_ydata()[-1]),
            xycoords=("axes fraction", "data"),
            xytext=(6, below - height),
            textcoords="offset points",
            color=line.get_color(),
            va="center",
        )


def curves(
    axes: Axes,
    series: Mapping[str, Sequence[float]],
    x: Sequence[float],
    xlabel: str,
    ylabel: str,
    *,
    log: str = "",
    ymin: float | None = None,
) -> None:
    """Named lines over one x, each labelled where it ends.

    Args:
        log: the axes with a logarithmic scale, "x", "y" or "xy"; x then counts in powers of two.
        ymin: where the y axis starts.
    """
    for name, values in series.items():
        axes.plot(x, values, label=name)
    if "x" in log:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
    elif all(float(value).is_integer() for value in x):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if "y" in log:
        axes.set_yscale("log")
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.set_ylim(bottom=ymin)
    end_labels(axes)


def sign_grid(
    images: Sequence[Tensor],
    boxes: Tensor | None = None,
    titles: Sequence[str] | None = None,
    true_boxes: Tensor | None = None,
    columns: int = 6,
    side: float = 1.7,
) -> Figure:
    """Images (uint8 (3, h, w)) in a grid, with predicted boxes (solid orange) and true boxes (dashed blue).

    Args:
        boxes: (N, 4), xyxy in fractions of the image; ``true_boxes`` likewise.
        side: width and height of one image, in inches.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height = side + (0.28 if titles is not None else 0.06)
    figure, grid = plt.subplots(rows, columns, figsize=(columns * side, rows * height), squeeze=False)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=1 - 0.28 / (rows * height), wspace=0.06, hspace=0.2)
    for axes in grid.flat:
        axes.set_axis_off()
    for i, (axes, image) in enumerate(zip(grid.flat, images, strict=False)):
        draw_sign(axes, image, *(None if part is None else part[i] for part in (boxes, true_boxes)))
        if titles is not None:
            axes.set_title(titles[i], fontsize=9.5, fontweight="normal", loc="center", pad=3)
    return figure


def draw_sign(axes: Axes, image: Tensor, box: Tensor | None = None, true_box: Tensor | None = None) -> None:
    """One image (uint8 (3, h, w)) without its axes, with a box (solid orange) and the true one (dashed blue)."""
    axes.set_axis_off()
    axes.imshow(image.permute(1, 2, 0).numpy())
    if true_box is not None:
        _draw_box(axes, true_box, image.shape, BLUE, "--")
    if box is not None:
        _draw_box(axes, box, image.shape, ORANGE, "-")


def thumbnail(image: Tensor, longest: int) -> Tensor:
    """An image (uint8 (3, h, w)) with ``longest`` pixels along its longer side, so that many can be kept for a grid.

    A smaller one stays as it is.
    """
    height, width = image.shape[-2:]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = [max(round(side * scale), 1) for side in (height, width)]
    return F.interpolate(image[None], size=size, mode="bilinear", antialias=True)[0]


def _draw_box(axes: Axes, box: Tensor, shape: Sequence[int], colour: str, line: str) -> None:
    """One box, xyxy in fractions, on an image of ``shape`` (3, h, w); clipped to the image, as it is judged."""
    x1, y1, x2, y2 = (box.detach().cpu().clamp(0, 1).numpy() * np.array([shape[2], shape[1]] * 2)).tolist()
    corner, extent = (x1 - 0.5, y1 - 0.5), (x2 - x1, y2 - y1)
    axes.add_patch(Rectangle(corner, *extent, fill=False, edgecolor="white", linewidth=3.2))
    axes.add_patch(Rectangle(corner, *extent, fill=False, edgecolor=colour, linewidth=1.6, linestyle=line))


def save(figure: Figure, file: str | Path) -> None:
    """Writes a figure, whole or not at all, in the format of the file's ending, and closes it."""
    file = Path(file)
    try:
        with whole_file(file) as partial:
            figure.savefig(partial, format=file.suffix.removeprefix("."), dpi=SAVED_DPI)
    finally:
        plt.close(figure)

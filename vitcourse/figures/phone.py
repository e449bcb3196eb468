"""A figure laid out anew for the width of a phone: fewer ticks, charts below each other, titles in several lines."""

import itertools

from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.text import Text
from matplotlib.ticker import AutoLocator, MaxNLocator
from matplotlib.transforms import Bbox

SMALLEST = 11  # pixels of the page: the size below which no text may fall
SHRINK = 0.84  # of the text
AROUND = 0.1  # inches of paper around what is drawn


def extent_of(figure: Figure) -> Bbox:
    """All that is drawn, in inches: labels may stand outside of the figure's own frame."""
    figure.draw_without_rendering()  # a layout engine places the axes only now
    return figure.get_tightbbox().padded(AROUND)


def fit(figure: Figure, inches: float) -> bool:
    """Lays a figure out anew for a width, and says whether it can be read so."""
    before = _overlaps(figure) + 3
    least, height = 72 * SMALLEST / figure.dpi, figure.get_size_inches()[1]
    for text in figure.findobj(Text):
        text.set_fontsize(max(SHRINK * text.get_fontsize(), least))
    _fewer_ticks(figure, 5)
    _stack(figure)
    few = False
    for _ in range(6):  # what stands outside of the axes keeps its width
        _keep_head(figure, height)
        height = figure.get_size_inches()[1]
        _break_lines(figure, inches)
        over = extent_of(figure).width - inches
        if over > 0.03 and figure.get_size_inches()[0] - over > 0.4 * inches:
            figure.set_size_inches(figure.get_size_inches()[0] - over, height)
            _lower(figure)
        elif _overlaps(figure) <= before:
            break
        elif not few:
            few = True
            _fewer_ticks(figure, 3)
        elif len({axes.get_position().y0 for axes in figure.axes}) > 1:
            figure.set_size_inches(figure.get_size_inches()[0], 1.15 * height)
            figure.subplots_adjust(hspace=1.3 * figure.subplotpars.hspace + 0.1)
    return extent_of(figure).width < inches + 0.1 and _overlaps(figure) <= before


def _fewer_ticks(figure: Figure, most: int) -> None:
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if type(axis.get_major_locator()) in (AutoLocator, MaxNLocator):
                axis.get_major_locator().set_params(nbins=most)


def _stack(figure: Figure) -> None:
    """Charts side by side go below each other; those that shared the first one's words get their own."""
    panels = [axes for axes in figure.axes if axes.get_subplotspec()]
    grids = {id(grid): grid for axes in panels if (grid := axes.get_subplotspec().get_gridspec())}
    if len(grids) != 1 or len(panels) != len(figure.axes):
        return
    (grid,) = grids.values()
    if grid.nrows > 1 or grid.ncols < 2 or any(axes.get_aspect() != "auto" for axes in panels):
        return
    width, height = figure.get_size_inches()
    tall = (figure.subplotpars.top - figure.subplotpars.bottom) * height
    room = height - tall + 0.3
    rows = GridSpec(grid.ncols, 1, figure=figure)
    for axes, row in zip(panels, rows, strict=True):
        axes.set_subplotspec(row)
        if panels[0].get_shared_y_axes().joined(panels[0], axes):
            axes.tick_params(labelleft=panels[0].yaxis.get_tick_params().get("labelleft", True))
            axes.set_ylabel(axes.get_ylabel() or panels[0].get_ylabel())
    total = grid.ncols * (tall + room)
    figure.set_size_inches(width, total)
    figure.subplots_adjust(hspace=room / tall, top=1 - 0.3 / total, bottom=0.5 * room / total)


def _lower(figure: Figure) -> None:
    """Images that became narrower became lower, too: the room above and below them is taken away."""
    figure.draw_without_rendering()
    shares = [axes.get_position().height / axes.get_position(original=True).height for axes in figure.axes]
    if not shares or max(shares) > 0.95:
        return
    width, height = figure.get_size_inches()
    pars = figure.subplotpars
    below, above = pars.bottom * height, (1 - pars.top) * height
    new = height - (1 - max(shares)) * (height - below - above)
    figure.set_size_inches(width, new)
    figure.subplots_adjust(bottom=below / new, top=1 - above / new)


def _keep_head(figure: Figure, height: float) -> None:
    """The title of the figure stays as far above the panels as it was."""
    head = figure.get_suptitle() and figure._suptitle
    if head and head.get_position()[1] > 0.9:
        head.set_y(1 + (head.get_position()[1] - 1) * height / figure.get_size_inches()[1])
        head.set_va("bottom")


def _break_lines(figure: Figure, inches: float) -> None:
    """Titles and the names of the axes get as many lines as they need."""
    heads = [figure._suptitle] if figure.get_suptitle() else []
    starts = {}  # what stands in the middle of its axes has their width
    for axes in figure.axes:
        heads += [axes.title, axes._left_title, axes._right_title, axes.xaxis.label]
        starts |= {axes.title: axes.patch, axes.xaxis.label: axes.patch}
    room, left = (inches - 2 * AROUND) * figure.dpi, figure.get_tightbbox().x0 * figure.dpi
    alone = len({axes.get_position().x0 for axes in figure.axes}) == 1
    for head in heads:
        words = head.get_text().split()
        indent = max(0, starts.get(head, head).get_window_extent().x0 - left)
        limit = room - indent if alone or head is getattr(figure, "_suptitle", None) else 0.96 * room / 2
        if not words or head.get_window_extent().width <= limit:
            continue
        lines = [words[0]]
        for word in words[1:]:
            head.set_text(f"{lines[-1]} {word}")
            if head.get_window_extent().width <= limit:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        head.set_text("\n".join(lines))


def _overlaps(figure: Figure) -> float:
    """How far texts cover each other, in pixels; almost counts."""
    figure.draw_without_rendering()
    shown = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    boxes = [box for text in shown if (box := text.get_window_extent()).width > 0]
    found = 0
    for a, b in itertools.combinations(boxes, 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        found += max(0, wide + 2) * (high > 0.25 * min(a.height, b.height))
    return found

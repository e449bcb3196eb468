"""Figures with a slider, in the built page and in a live notebook from the same call.

The built page has no kernel: `make book` sets ``VITCOURSE_STATIC=1``, and every frame is drawn ahead and put into the
page, beside a plain range input. A live kernel draws a frame when it is asked for, and shows it in a widget.
"""

import base64
import io
import os
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from vitcourse.errors import InputError
from vitcourse.figures.phone import extent_of
from vitcourse.figures.vector import on_page

Draw = Callable[[Any], Figure | tuple[Figure, str]]
# Pixels in the picture for one on the page: a sharp screen shows twice as many, and half of them can be seen.
SHARPNESS = 1.5
# The handler of the range input. It needs no name or script of its own, so any number of sliders share a page.
SHOW_FRAME = (
    "const frames = this.closest('.frames');"
    "for (const part of frames.querySelectorAll('[data-frame]')) part.hidden = part.dataset.frame !== this.value;"
    "const value = frames.querySelector('.frames-value > :not([hidden])').textContent;"
    "this.setAttribute('aria-valuetext', value);"
)


def frames(draw: Draw, values: Sequence, label: str, alt: str | Callable[[Any], str]):
    """A figure that a slider changes, and with it a sentence in words.

    Args:
        draw: ``draw(value)`` makes a matplotlib figure, or ``(figure, text)``. The text is one plain sentence that
            holds a number of the frame; it stands under the slider and is read out when it changes.
        values: what the slider goes through, in order: numbers or short strings, at least two.
        label: what the values are, in words: "head width d_k". It names the slider.
        alt: the figure in words for who cannot see it; a function of the value, or a string, to which label and value
            are added.

    Returns:
        What the last line of a cell shows: a page of frames where ``VITCOURSE_STATIC`` is 1, else ipywidgets.

    Raises:
        InputError: fewer than two values, or ``draw`` made something other than a figure.
    """
    values = list(values)
    if len(values) < 2:
        raise InputError(f"a slider for {label!r} needs at least two values, got {len(values)}")
    describe = alt if callable(alt) else lambda value: f"{alt} ({label}: {words(value)})"
    if os.environ.get("VITCOURSE_STATIC") == "1":
        return StaticFrames([_drawn(draw, value) for value in values], values, label, describe)
    return _live(draw, values, label, describe)


def words(value) -> str:
    """A value of the slider as it is shown: 0.1 and 16, not 0.1000 or tensor(16)."""
    if isinstance(value, str):
        return value
    number = value.item() if hasattr(value, "item") else value
    return f"{number:,}" if isinstance(number, int) else f"{number:.6g}" if isinstance(number, float) else str(number)


class Drawn(NamedTuple):
    figure: Figure
    text: str


def _drawn(draw: Draw, value) -> Drawn:
    """One frame, taken from pyplot, which would else show it a second time at the end of the cell."""
    result = draw(value)
    figure, text = result if isinstance(result, tuple) else (result, "")
    if not isinstance(figure, Figure):
        raise InputError(
            f"draw({value!r}) must make a matplotlib Figure or (Figure, text), not {type(figure).__name__}"
        )
    plt.close(figure)
    return Drawn(figure, text)


def _image(figure: Figure, extent: Bbox, alt: str) -> str:
    """The figure as an ``img`` element that holds its own bytes."""
    file = io.BytesIO()
    # Without the name and version of the program, the same figure gives the same bytes.
    figure.savefig(
        file,
        format="png",
        dpi=SHARPNESS * figure.dpi,
        bbox_inches=extent,
        metadata={"Software": None},
        facecolor="white",
    )
    data = base64.b64encode(file.getvalue()).decode()
    width, height = (round(inches * figure.dpi) for inches in (extent.width, extent.height))
    size = f'width="{width}" height="{height}" style="max-width: 100%; height: auto"'
    return f'<img src="data:image/png;base64,{data}" alt="{escape(alt)}" {size}>'


class StaticFrames:
    """Every frame in one piece of HTML: no kernel, no library, no request; it works from a file.

    The frames share one extent, so that nothing jumps; without a stylesheet it is plain and whole all the same.
    """

    def __init__(self, drawn: Sequence[Drawn], values: Sequence, label: str, describe: Callable[[Any], str]):
        self.label, self.names, self.texts = label, [words(value) for value in values], [one.text for one in drawn]
        self.images = on_page([one.figure for one in drawn], [describe(value) for value in values], salt=label)

    def _repr_html_(self) -> str:
        # The last frame is shown first: it says what the figure is for, also on paper.
        last = len(self.names) - 1

        def parts(tag: str, contents: list[str]) -> str:
            hidden = [*[" hidden"] * last, ""]
            return "".join(f'<{tag} data-frame="{i}"{hidden[i]}>{inner}</{tag}>' for i, inner in enumerate(contents))

        label, names = escape(self.label), [escape(name) for name in self.names]
        texts = parts("p", [escape(text) for text in self.texts]) if any(self.texts) else ""
        return (
            f'<div class="frames" role="group" aria-label="Figure with a slider: {label}">'
            f'<div class="frames-pictures">{parts("div", self.images)}</div>'
            f'<label class="frames-control"><span class="frames-label">{label}</span> '
            f'<input type="range" min="0" max="{last}" step="1" value="{last}" autocomplete="off" '
            f'aria-valuetext="{names[last]}" oninput="{escape(SHOW_FRAME)}"> '
            f'<span class="frames-value" aria-hidden="true">{parts("span", names)}</span></label>'
            f'<div class="frames-texts" aria-live="polite">{texts}</div></div>'
        )

    def __repr__(self) -> str:
        return f"a figure with a slider for {self.label}: {', '.join(self.names)}"


def _live(draw: Draw, values: Sequence, label: str, describe: Callable[[Any], str]):
    """The same in a live kernel: a frame is drawn when the slider first comes to it."""
    import ipywidgets

    # The extent only grows: a wider frame makes the picture larger once, and it never jumps back.
    kept: dict[int, Drawn] = {}
    extents: list[Bbox] = []

    def picture(index: int) -> str:
        if index not in kept:
            kept[index] = _drawn(draw, values[index])
            extents.append(extent_of(kept[index].figure))
        return _image(kept[index].figure, Bbox.union(extents), describe(values[index]))

    def show(index: int) -> None:
        pictures.value = picture(index)
        sentence.value = f'<p aria-live="polite">{escape(kept[index].text)}</p>'

    slider = ipywidgets.SelectionSlider(
        options=[(words(value), index) for index, value in enumerate(values)],
        value=len(values) - 1,
        description=label,
        style={"description_width": "initial"},
        layout={"width": "min(100%, 36rem)"},
    )
    pictures, sentence = ipywidgets.HTML(), ipywidgets.HTML()
    show(len(values) - 1)
    slider.observe(lambda change: show(change["new"]), names="value")
    return ipywidgets.VBox([pictures, slider, sentence])

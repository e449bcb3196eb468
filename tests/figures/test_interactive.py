"""Figures with a slider: every frame in the page, and the same frames in a live kernel.

How the page behaves under mouse and keyboard is tested in tests/book/test_kit.py, in a browser.
"""

import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from matplotlib import pyplot as plt

from vitcourse.errors import InputError
from vitcourse.figures import interactive


def bars(height: float):
    """A figure whose title stands out of it more, the greater the number."""
    figure, axes = plt.subplots(figsize=(3, 1.5))
    axes.bar([0, 1], [height, 1])
    axes.set_title("wide " * int(2 * height), loc="left")
    return figure, f"The first bar is {height} < 100 high."


class Tags(HTMLParser):
    """The elements of a piece of HTML, as (tag, attributes), and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.found, self.text = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def static(monkeypatch):
    monkeypatch.setenv("VITCOURSE_STATIC", "1")


@pytest.fixture
def live(monkeypatch):
    monkeypatch.delenv("VITCOURSE_STATIC", raising=False)


def plots_of(tags: Tags) -> list[dict]:
    return [attributes for attributes in tags.all("div") if attributes.get("class") == "plot"]


def test_the_page_holds_every_frame_and_shows_the_last(static):
    shown = interactive.frames(bars, [1, 2, 3], 'height "h"', "Two bars.")
    tags = Tags(shown._repr_html_())
    words = [plot["aria-label"] for plot in plots_of(tags)]
    assert words == [f'Two bars. (height "h": {value})' for value in (1, 2, 3)]
    assert len(tags.all("svg")) >= 3
    frames = [attributes for attributes in tags.all("div") if "data-frame" in attributes]
    assert ["hidden" in frame for frame in frames] == [True, True, False]
    (slider,) = tags.all("input")
    assert (slider["type"], slider["min"], slider["max"], slider["aria-valuetext"]) == ("range", "0", "2", "3")
    assert "The first bar is 2 < 100 high." in tags.text
    assert 'height "h"' in tags.text
    assert not tags.all("script")


def test_frames_share_one_extent_that_holds_all_of_each(static):
    """The widest title decides, so the picture does not jump."""
    drawings = Tags(interactive.frames(bars, [1, 8], "h", "Bars.")._repr_html_()).all("svg")
    sizes = {one["width"] for one in drawings}
    alone = Tags(interactive.frames(bars, [1, 1], "h", "Bars.")._repr_html_()).all("svg")
    assert len({one["viewbox"] for one in alone}) == 1
    assert max(int(one["width"]) for one in alone) < max(map(int, sizes))


def test_the_same_figure_gives_the_same_page(static):
    first, second = (interactive.frames(bars, [1, 2], "h", "Bars.")._repr_html_() for _ in range(2))
    assert first == second


def test_alt_may_be_a_function_and_text_may_be_missing(static):
    shown = interactive.frames(lambda h: bars(1)[0], [0.5, 1000], "h", lambda h: f"a bar of {h}")
    tags = Tags(shown._repr_html_())
    assert [plot["aria-label"] for plot in plots_of(tags)] == ["a bar of 0.5", "a bar of 1000"]
    assert tags.all("p") == []
    assert "1,000" in tags.text


@pytest.mark.parametrize("mode", ["static", "live"])
def test_no_figure_is_left_for_the_end_of_the_cell(mode, request):
    request.getfixturevalue(mode)
    before = plt.get_fignums()
    interactive.frames(bars, [1, 2], "h", "Bars.")
    assert plt.get_fignums() == before


def test_a_live_kernel_gets_widgets_that_draw_when_asked(live):
    drawn = []

    def draw(height):
        drawn.append(height)
        return bars(height)

    shown = interactive.frames(draw, [1, 2, 4], "h", "Bars.")
    page, slider, sentence = shown.children
    assert drawn == [4]
    assert [name for name, _ in slider.options] == ["1", "2", "4"]
    assert slider.description == "h"
    slider.value = 0
    assert drawn == [4, 1]
    assert "The first bar is 1 &lt; 100 high." in sentence.value
    assert 'alt="Bars. (h: 1)"' in page.value
    slider.value = 2
    assert drawn == [4, 1]
    assert "The first bar is 4 &lt; 100 high." in sentence.value


@pytest.mark.parametrize("mode", ["static", "live"])
@pytest.mark.parametrize(
    ("draw", "values", "problem"),
    [(bars, [1], r"'h' needs at least two values, got 1"), (lambda h: h, [1, 2], r"draw\([12]\) must make .* not int")],
)
def test_what_cannot_be_drawn_is_refused(mode, draw, values, problem, request):
    request.getfixturevalue(mode)
    with pytest.raises(InputError, match=problem):
        interactive.frames(draw, values, "h", "Bars.")


def test_importing_it_needs_no_widgets():
    program = "import sys; import vitcourse.figures.interactive; print('ipywidgets' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_values_are_shown_as_they_are_said():
    import torch

    shown = [interactive.words(value) for value in (16, 1024, 0.1, 1e-5, torch.tensor(3), "no mask")]
    assert shown == ["16", "1,024", "0.1", "1e-05", "3", "no mask"]
    assert re.fullmatch(r"0\.333333", interactive.words(1 / 3))

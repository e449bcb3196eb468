"""Figures as pages hold them: text as text, readable on a phone, the same bytes for the same figure."""

import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from vitcourse.figures import vector
from vitcourse.figures.plots import STYLE, curves


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context(STYLE):
        yield
    plt.close("all")


def chart(title: str = "A title that is much longer than a phone is wide, and so has to be broken"):
    figure, axes = plt.subplots(figsize=(5.4, 2.8))
    curves(axes, {"ours": [1, 2, 3], "theirs": [3, 2, 1]}, [1, 2, 3], "epoch", "loss")
    axes.set_title(title)
    return figure


def drawn(figure) -> str:
    return vector.on_page([figure], ["A chart."], salt="a")[0]


def test_a_chart_is_drawn_twice_and_its_text_stays_text():
    html = drawn(chart())
    assert html.count("<svg") == 2
    assert html.count(">theirs</text>") == 2
    assert 'role="img" aria-label="A chart."' in html
    wide, small = (int(width) for width in re.findall(r'<svg [^>]*width="(\d+)"', html))
    assert wide > 500
    assert small < 390 - 2 * 12


def test_no_text_is_smaller_than_it_may_be_on_a_phone():
    small = drawn(chart()).partition("plot-small")[2]
    sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:\w+ )*?([\d.]+)px", small)]
    assert min(sizes) * STYLE["figure.dpi"] / 72 >= vector.SMALLEST - 0.1


def test_what_cannot_be_made_narrow_scrolls_and_is_not_made_small():
    figure, axes = plt.subplots(figsize=(6, 2))
    axes.set_axis_off()
    for i in range(12):
        axes.text(i / 12, 0.5, "word")
    html = drawn(figure)
    assert html.count("<svg") == 1
    least = int(re.search(r"--least: (\d+)px", html)[1])
    assert least >= 0.6 * int(re.search(r'<svg [^>]*width="(\d+)"', html)[1])


def test_a_photo_keeps_its_colours_and_no_more_pixels_than_are_seen():
    figure, axes = plt.subplots(figsize=(2, 2))
    axes.imshow(np.random.default_rng(0).integers(0, 255, (900, 900, 3), dtype=np.uint8))
    figure_of_numbers, other = plt.subplots(figsize=(2, 2))
    other.imshow(np.eye(4))
    photo, numbers = drawn(figure), drawn(figure_of_numbers)
    assert "class='photo'" in photo
    assert "class='map'" in numbers
    assert len(photo) < 400_000


def test_the_same_figure_gives_the_same_drawing_and_another_salt_other_names():
    assert drawn(chart()) == drawn(chart())
    ids = [set(re.findall(r' id="([^"]+)"', vector.on_page([chart()], [""], salt)[0])) for salt in "ab"]
    assert ids[0]
    assert not ids[0] & ids[1]


def test_panels_that_share_their_words_each_have_them_on_a_phone():
    figure, panels = plt.subplots(1, 3, figsize=(7, 2.4), sharey=True)
    for axes, name in zip(panels, ("right on the test", "megabytes", "ms for one image"), strict=True):
        axes.scatter([0, 1], [0, 1])
        axes.set_xlabel(name)
    panels[0].xaxis.set_major_formatter("{x:.0%}")
    panels[0].set_yticks([0, 1], ["onnxruntime, int8", "PyTorch, float32"])
    panels[0].set_ylabel("form")
    wide, _, small = drawn(figure).partition("plot-small")
    assert [half.count(">PyTorch, float32</text>") for half in (wide, small)] == [1, 3]
    assert [half.count(">form</text>") for half in (wide, small)] == [1, 3]
    assert ">right on the test</text>" in small  # in one line
    assert int(re.search(r'<svg [^>]*width="(\d+)"', small)[1]) < 390 - 2 * 12

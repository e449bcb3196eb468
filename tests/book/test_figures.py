"""What a page makes of the figures of its notebook."""

import base64
from pathlib import PurePosixPath

import pytest
from accessible import repair
from figures import HELD, PROMPT, Figures
from nbformat.v4 import new_code_cell, new_notebook, new_output

from vitcourse.errors import InputError

PAGE = PurePosixPath("lessons/01_first/first.ipynb")
SVG = '<div class="plot" role="img" aria-label=""><svg><path style="fill: #1f5fa8; stroke: #123456"/></svg></div>'
FRAMES = (
    '<div data-frame="0" hidden><div class="plot">a</div></div><div data-frame="1"><div class="plot">b</div></div>'
    '<input value="1" autocomplete="off" aria-valuetext="8">'
    '<span data-frame="0" hidden>4</span><span data-frame="1">8</span>'
)


def dressed(folder, html: str, **metadata):
    cell = new_code_cell("draw()", metadata={"tags": ["hide-input"], **metadata})
    cell.outputs = [new_output("display_data", data={"text/html": html})]
    cell.outputs.append(new_output("stream", name="stderr", text="/some/where/vector.py:60: UserWarning: no room"))
    silent = new_code_cell("assert True", metadata={"tags": ["hide-input"]})
    figures = Figures(folder)
    (folder / "book" / "assets" / "static").mkdir(parents=True)
    result = figures.dress(new_notebook(cells=[cell, silent]), PAGE)
    figures.write_style()
    return result.cells, (folder / "book" / "assets" / "static" / "figures.css").read_text(encoding="utf-8")


def test_a_drawing_has_its_words_and_the_colours_of_the_theme(tmp_path):
    cells, style = dressed(tmp_path, SVG, mystnb={"image": {"alt": 'A "path".'}})
    assert len(cells) == 1, "a folded cell that shows nothing is left out"
    (shown,) = cells[0].outputs  # and no complaint of the drawing
    html = shown.data["text/html"]
    assert 'aria-label="A &quot;path&quot;."' in html
    assert 'style="fill: var(--fig-1f5fa8); stroke: var(--fig-123456)"' in html
    light, dark = style.split("html[data-theme")
    assert "--fig-1f5fa8: #1f5fa8;" in light
    assert "--fig-1f5fa8: #86b4f0;" in dark
    assert "--fig-123456: #123456;" not in dark
    assert cells[0].metadata["mystnb"]["code_prompt_show"] == PROMPT


def test_code_that_is_drawn_has_the_colours_of_cells(tmp_path):
    _, style = dressed(tmp_path, '<div class="boxes"><span style="color: #A90D91">def</span></div>')
    assert "--fig-a90d91: #6730c5;" in style
    assert "--fig-a90d91: #dcc6e0;" in style


def test_a_formula_keeps_the_full_stop_behind_it():
    formula = '<span class="math notranslate nohighlight">\\(d_k\\)</span>'
    context = {"body": f"<p>the width {formula}. And {formula} too</p>"}
    repair(None, "", "", context, None)
    assert context["body"] == f'<p>the width <span class="together">{formula}.</span> And {formula} too</p>'


def test_a_slider_begins_where_its_cell_says(tmp_path):
    cells, _ = dressed(tmp_path, FRAMES, vitcourse={"start": "4"})
    html = cells[0].outputs[0].data["text/html"]
    assert html.count('data-frame="0" hidden') == 0
    assert html.count('data-frame="1" hidden') == 2
    assert 'value="0" autocomplete="off" aria-valuetext="4"' in html


def test_an_unknown_start_is_refused(tmp_path):
    with pytest.raises(InputError, match="'16', and goes through 4, 8"):
        dressed(tmp_path, FRAMES, vitcourse={"start": "16"})


def test_a_large_picture_becomes_a_file_that_pages_share(tmp_path):
    data = base64.b64encode(bytes(HELD)).decode()
    picture = f'<image href="data:image/webp;base64,{data}"/>'
    small = '<image href="data:image/png;base64,AAAA"/>'
    cells, _ = dressed(tmp_path, f'<div class="plot">{picture}{picture}{small}</div>')
    html = cells[0].outputs[0].data["text/html"]
    (file,) = (tmp_path / "book" / "assets" / "static" / "figures").iterdir()
    assert html.count(f'href="../../_static/figures/{file.name}"') == 2
    assert small in html
    assert file.read_bytes() == bytes(HELD)

"""The explorables of lessons 07 and 09 to 11, on a small book: each is held to PyTorch or to what is recorded."""

import base64
import math
from dataclasses import replace
from io import BytesIO

import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from page_checks import visit
from small_books import build, write_book
from torch import nn

from tests.notebooks import sample
from vitcourse import results
from vitcourse.asl import ClassificationBBoxTransformer
from vitcourse.asl.backbones import freeze
from vitcourse.asl.backbones.ours import SMALL_VIT
from vitcourse.vit import VARIANTS, VisionTransformer

PAGE = "lessons/07_block_variants/block_variants"
KINDS = ("droppath", "branches", "pulls", "frozen", "sides", "letters")
DRAWN = """\
from matplotlib import pyplot as plt

from vitcourse.figures import plots

plots.use_style()
plt.plot([1, 2])
plt.show()
print("printed below")"""
SHOWN = {"tags": ["hide-input"], "mystnb": {"image": {"alt": "A line that rises."}}}
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.builds_pages]


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    cells = [new_markdown_cell("# A lesson\n\nText.", id="title")]
    for kind in KINDS:
        still = ":still: figure\n" if kind in ("branches", "pulls", "sides") else ""
        cells.append(new_markdown_cell(f":::{{explore}} {kind} A claim\n{still}The point.\n:::", id=kind))
        if still:
            cells.append(new_code_cell(DRAWN, id=f"{kind}-figure", metadata=SHOWN))
    root = write_book(tmp_path_factory.mktemp("explore"), {PAGE: new_notebook(cells=cells, metadata=sample.KERNEL)})
    done = build(root)
    assert done.returncode == 0, done.stdout
    return root / "_build" / "html"


def test_the_page_is_sound(context, html):
    assert visit(context, (html / f"{PAGE}.html").as_uri()) == ([], [], [])

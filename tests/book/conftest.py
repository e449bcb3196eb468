"""The pages of the book that tests open."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What lies in book/programs and book/extensions, and page_checks.py, are plain modules of no package.
sys.path[:0] = [str(ROOT / "book" / "programs"), str(ROOT / "book" / "extensions"), str(Path(__file__).parent)]


@pytest.fixture
def opened(context, html):
    """Opens a page of the book in the folder ``html``, which each module brings."""
    pages = []

    def open_page(name: str):
        pages.append(context.new_page())
        pages[-1].goto((html / f"{name}.html").as_uri())
        return pages[-1]

    yield open_page
    for page in pages:
        page.close()

"""What the pages of the built book weigh, and what is left out of it."""

from pathlib import Path

import pytest
from weight import Weight, lighten, static_bytes, weights

HTML = Path(__file__).parents[2] / "_build" / "html"


def book(folder: Path, body: str) -> Path:
    for name in ("mathjax/tex-chtml.js", "mathjax/sre/mathmaps.json", "scripts/a.js", "scripts/a.js.map", "photo.webp"):
        file = folder / "_static" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"0" * 100)
    (folder / "page.html").write_text(body, encoding="utf-8")
    return folder


def test_a_page_is_weighed(tmp_path):
    body = '<script src="_static/scripts/a.js?v=1"></script><img src="_static/photo.webp"><a href="page.html">x</a>'
    html = book(tmp_path, body)
    assert list(weights(html)) == [Weight("page.html", len(body) + 100, 100, 3)]


def test_what_no_page_asks_for_is_left_out(tmp_path):
    html = book(tmp_path, "")
    assert static_bytes(html) == 500
    lighten(html)
    left = {path.name for path in html.rglob("*") if path.is_file()}
    assert left == {"tex-chtml.js", "a.js", "photo.webp", "page.html"}


@pytest.mark.browser
def test_the_book_is_light():
    """Each page below 1.5 MB of its own and 60 files, and what all share below 8 MB."""
    heavy = [one for one in weights(HTML) if one.own > 1.5e6 or one.requests > 60]
    assert heavy == []
    assert static_bytes(HTML) < 8e6

"""Every built page in a real browser, without a network: it loads whole, reads well and is accessible.

The page checks are themselves tested, on pages that are made to fail.
"""

from functools import cache
from pathlib import Path

import pytest
from page_checks import visit

HTML = Path(__file__).parents[2] / "_build" / "html"
PAGES = sorted(path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html") if "_static" not in path.parts)

pytestmark = pytest.mark.browser


def test_book_is_built():
    assert "index.html" in PAGES, "no built book: run `make book`"


@pytest.fixture(scope="session")
def visited(context):
    """Opens a page of the book once for all the tests that ask about it."""
    return cache(lambda page: visit(context, (HTML / page).as_uri()))


@pytest.mark.parametrize("page", PAGES)
def test_page_is_sound(visited, page):
    """No request off the machine, no error, no broken image, no raw TeX, nothing wider than a phone."""
    assert visited(page).problems == []


@pytest.mark.parametrize("page", PAGES)
def test_page_is_accessible_in_the_light_theme(visited, page):
    assert visited(page).light == []


@pytest.mark.parametrize("page", PAGES)
def test_page_is_accessible_in_the_dark_theme(visited, page):
    assert visited(page).dark == []


BAD_PAGES = {
    "external image": ('<img src="https://example.org/a.png" alt="a cat">', "request off the machine"),
    "external script": ('<script src="https://example.org/a.js"></script>', "request off the machine"),
    "console error": ("<script>console.error('wrong')</script>", "console error: wrong"),
    "page error": ("<script>undefinedFunction()</script>", "page error"),
    "missing file": ('<link rel="stylesheet" href="nowhere.css">', "missing local file"),
    "broken image": ('<img src="data:image/png;base64,AAAA" alt="a cat">', "image did not load"),
    "no alt": ('<img src="{dot}">', "without a useful alt"),
    "empty alt": ('<p><img src="{dot}" alt=""></p>', "without a useful alt"),
    "complaint": ('<div class="output stderr">a.py:1: UserWarning: no room</div>', "a cell complains"),
    "file name as alt": ('<img src="{dot}" alt="../_images/ab12.png">', "without a useful alt"),
    "inline TeX": (r"<p>the width \(d_k\)</p>", "raw TeX"),
    "displayed TeX": ("<p>$$ a + b $$</p>", "raw TeX"),
    "TeX command": (r"<p>and \frac{a}{b}</p>", "raw TeX"),
    "formula error": ('<mjx-container><mjx-merror data-mjx-error="Undefined">x</mjx-merror></mjx-container>', "error"),
    "dark theme ignored": ("<script>document.documentElement.dataset.theme = 'light'</script>", "dark theme"),
    "cut code": (
        '<div class="cell"><pre style="width: 90px; overflow: auto">x = 1  # a long line</pre></div>',
        "is cut",
    ),
    "two titles": ("<h1>Another</h1>", "2 titles"),
    "wider than the narrowest phone": ('<div style="width: 370px; height: 1px"></div>', "screen of 320 px"),
    "wide block": ('<div style="width: 500px; height: 1px"></div>', "px wide on a screen of 390 px"),
    "cut-off table": (
        '<div style="overflow: hidden"><table style="width: 500px"><tr><td>1</td></tr></table></div>',
        "ends at",
    ),
}
# One black pixel.
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///ywAAAAAAQABAAACAUwAOw=="


def write_page(path: Path, body: str) -> str:
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A page</title>'
    main = f"<main><h1>A page</h1><article>{body}</article></main>"
    html = f'<!doctype html><html lang="en"><head>{head}</head><body>{main}</body></html>'
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("fault", BAD_PAGES)
def test_a_bad_page_is_reported(context, tmp_path, fault):
    body, report = BAD_PAGES[fault]
    faults = visit(context, write_page(tmp_path / "bad.html", body.replace("{dot}", DOT)))
    assert any(report in line for line in faults.problems), faults


def test_a_good_page_is_not_reported(context, tmp_path):
    body = (
        f'<p>A sound page.</p><img src="{DOT}" alt="a dot"><pre>\\frac{{a}}{{b}} in code</pre>'
        f'<a href="bad.html"><img src="{DOT}" alt=""> home</a>'
        '<div style="overflow-x: auto"><table style="width: 500px"><tr><td>1</td></tr></table></div>'
    )
    url = write_page(tmp_path / "good.html", body)
    assert visit(context, url) == ([], [], [])


@pytest.mark.parametrize(
    "body",
    [
        '<p style="color: #ccc; background: #fff">hardly seen</p>',
        '<div class="highlight"><pre><span class="k">def</span> <span style="color: #ccc">hardly</span></pre></div>',
    ],
)
def test_axe_reports_poor_contrast(context, tmp_path, body):
    faults = visit(context, write_page(tmp_path / "pale.html", body))
    assert any(line.startswith("color-contrast") for line in faults.light)
    assert any(line.startswith("color-contrast") for line in faults.dark)

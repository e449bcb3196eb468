"""A report is a table in a notebook and text elsewhere, says the same in both, and lets nobody smuggle HTML in."""

import html
import io
import re
import sys

import nbformat
import pytest
from nbclient import NotebookClient

from vitcourse.checks import Report
from vitcourse.checks.engine import display

REPORT = Report(
    "attention.scores",
    (("rows & columns", "passed"), ("the `root` divides", "failed"), ("axes", "not tried")),
    "not-scaled",
    "The scores are not divided. Divide them by `sqrt(d_k)`.",
    "Got <script>alert(1)</script>, in line 3: `x @ y`",
)
PASSED = Report("attention.scores", (("rows", "passed"), ("axes", "passed")))


def words(fragment):
    """What a reader of the HTML reads."""
    body = re.sub(r"<style>.*?</style>", "", fragment, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_the_text_says_all():
    lines = display.text(REPORT).splitlines()
    assert lines[0] == "attention.scores: 1 of 3 properties hold"
    assert lines[1:4] == [
        "  ✓ passed     rows & columns",
        "  ✗ failed     the `root` divides",
        "  – not tried  axes",
    ]
    assert lines[5] == "not-scaled: The scores are not divided. Divide them by `sqrt(d_k)`."
    assert max(map(len, lines)) <= 96


def test_the_table_says_the_same_in_words():
    shown = words(display.as_html(REPORT))
    for part in ("1 of 3 properties hold", "✓ passed rows & columns", "✗ failed the root divides", "– not tried axes"):
        assert part in shown
    assert "The scores are not divided." in shown
    assert "alert(1)" in shown


def test_a_message_cannot_bring_html_with_it():
    assert "<script>" not in display.as_html(REPORT)
    assert "<code>x @ y</code>" in display.as_html(REPORT)


def test_all_properties_hold():
    assert display.text(PASSED).splitlines()[0] == "attention.scores: all 2 properties hold"
    assert "message" not in display.as_html(PASSED).partition("</style>")[2]


def test_a_terminal_with_a_small_alphabet(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    display.show(REPORT)
    sys.stdout.flush()
    assert "  x failed     the `root` divides" in raw.getvalue().decode("ascii")


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("name", ["passed", "failed", "not-tried"])
def test_a_badge_is_legible_on_its_own_ground(name):
    (colour,) = re.findall(rf"\.{name} {{ background: (#[0-9a-f]{{6}})", display.STYLE)
    assert 1.05 / (luminance(colour) + 0.05) > 4.5  # white text, WCAG AA


@pytest.fixture(scope="module")
def cells():
    """A notebook in which a wrong and then a right answer are checked, executed in a kernel of its own."""
    sources = [
        "import math\nfrom vitcourse import checks",
        "def scores(query, key):\n    return query @ key.transpose(-2, -1)",
        "checks.attention.scores(scores)",
        "def scores(query, key):\n    return query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])",
        "checks.attention.scores(scores)",
        "def scores(query, key):\n    product = query @ key\n    return product[99]",
        "checks.attention.scores(scores)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    return notebook.cells


@pytest.mark.executes_notebooks
def test_a_notebook_shows_a_table_and_a_short_traceback(cells):
    table, error = cells[2].outputs
    assert "2 of 6 properties hold" in words(table.data["text/html"])
    assert "2 of 6 properties hold" in table.data["text/plain"]
    assert (error.output_type, error.ename) == ("error", "CheckFailed")
    assert error.evalue.startswith("not-scaled: The scores are not divided by the square root")
    assert error.traceback == [
        "CheckFailed: attention.scores, not-scaled",
        "The scores are not divided by the square root of the width `d_k`.",
    ]


def test_a_notebook_shows_a_table_and_nothing_else_for_a_right_answer(cells):
    (table,) = cells[4].outputs
    assert "all 6 properties hold" in words(table.data["text/html"])


def test_a_notebook_names_the_learners_own_line(cells):
    table, _ = cells[6].outputs
    assert "in line 3: return product[99]" in words(table.data["text/html"])

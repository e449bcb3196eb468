"""A student's page: what passed, what failed, why, and the student's own code; and nothing that acts by itself."""

import html
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from tests.grading.assignment import LESSON, answered
from vitcourse.grading import feedback
from vitcourse.grading.examine import nothing, record
from vitcourse.grading.feedback import add_page
from vitcourse.grading.master import Task

BODY = 'x = "<script>alert(1)</script>"\n    return query @ key.transpose(-2, -1)'
LEAKS = 'print("LE" + "AK")\n1 / 0'
LOUD = 'print("<img src=y onerror=alert(3)>")\ndef causal_mask(n):\n    1 / 0'
NOISY = """
from IPython.display import HTML, display
display(HTML("<script>steal()</script>"))
print("<img src=x onerror=alert(2)>")
import matplotlib.pyplot as plt
plt.plot([1, 2]);
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory, course, release, quick):
    """Pages by student."""
    root = tmp_path_factory.mktemp("feedback")
    (root / "in").mkdir()
    notebook = answered(release, scores=BODY, causal_mask=LOUD, first=NOISY, last=LEAKS)
    notebook.cells = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") != "cost"]
    for student in ("<b>anna", "ben"):
        nbformat.write(notebook, root / "in" / f"{student}.ipynb")
    (root / "in" / "carl.ipynb").write_text("{")
    graded = quick(root / "in", "seed", root / "grades.csv", course=course)
    return dict(zip(("<b>anna", "ben", "carl"), (page.read_text() for page in graded.pages), strict=True))


def text_of(page):
    body = page[page.index("<body") :]
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<style.*?</style>", "", body, flags=re.DOTALL)).split())


def test_it_says_what_passed_what_failed_and_why(pages):
    text = text_of(pages["ben"])
    assert "1 of 9 points" in text
    assert "Scaled scores partly right The scores are not divided by the square root of the width d_k ." in text
    assert "✓ passed one row for each query, one column for each key" in text
    assert "✗ failed the divisor is the square root of the width" in text
    assert "– not tried float64 comes in" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "NameError" not in text
    assert "The notebook defines no cost ." in text
    assert "Cells of the assignment were deleted: cost." in text


def test_it_shows_the_students_own_code(pages):
    text = text_of(pages["ben"])
    assert "query @ key . transpose ( - 2 , - 1 )" in text or "query @ key" in text
    assert "The cell for this answer is not in the notebook." in text
    assert "The other code cells of your notebook (3)" in text
    assert "import math" in text.replace("  ", " ")


def test_nothing_on_it_acts_or_is_fetched(pages):
    for page in pages.values():
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "<img src=y" not in page
        assert "<b>anna" not in page
        assert not re.search(r"(src|href)=\"(?!#|data:image/png;base64,)", page)
        assert "url(" not in page
    assert pages["<b>anna"].count("&lt;b&gt;anna") == 2
    assert pages["ben"].count("&lt;img src=x onerror=alert(2)&gt;") == 2  # in the code and in its output
    assert pages["ben"].count("&lt;img src=y onerror=alert(3)&gt;") == 1  # in the code alone


def test_what_ran_behind_a_check_shows_nothing(pages):
    """A function can keep what a check gives it, and a later cell can print that."""
    assert text_of(pages["ben"]).count("[What a cell shows behind the first check is left out.]") == 1
    assert "[It ended with ZeroDivisionError. What a cell shows behind the first check" in text_of(pages["ben"])
    assert "LEAK" not in pages["ben"]


def test_words_about_a_submission_are_no_markup():
    cell = new_code_cell("checks.attention.scores(scores)", metadata={"nbgrader": {"grade_id": "a", "grade": True}})
    cell.metadata.nbgrader |= {"score": 0, "points": 3}
    task = Task("a", "attention.scores", "scores", 3)
    record(cell, task, nothing(task, "not-graded", "Because of <b> and `x<y`."))
    numbers = {"student": "anna", "assignment": LESSON, "score": 0, "max_score": 3, "late_penalty": 0}
    _, resources = add_page(new_notebook(cells=[cell]), {"nbgrader": numbers})
    assert resources["page"]["parts"][0]["headline"] == "Because of &lt;b&gt; and <code>x&lt;y</code>."


def test_what_cannot_be_read_has_a_short_page(pages):
    text = text_of(pages["carl"])
    assert "The notebook could not be graded: its text is damaged (JSONDecodeError)." in text
    assert "0 of 9 points" in text
    assert "not tried" not in text


def test_a_long_name_fits_a_phone(pages, context):
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 800})
    page.set_content(pages["carl"].replace("its text is damaged", f"{'a_long_name' * 9}.pdf"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_the_pages_name_the_assignment(pages):
    assert "<title>Exercises: attention: feedback for ben</title>" in pages["ben"]
    assert LESSON not in text_of(pages["ben"])


def coloured(monkeypatch, *sources):
    """The page's cells, and what of them the lexer was given."""
    given = []
    monkeypatch.setattr(feedback, "highlight", lambda source, *_: given.append(source) or "<p>coloured</p>")
    numbers = {"student": "anna", "assignment": LESSON, "score": 0, "max_score": 3, "late_penalty": 0}
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    _, resources = add_page(notebook, {"nbgrader": numbers})
    return [cell["code"] for cell in resources["page"]["others"]], given


def test_code_without_end_is_shown_without_colours(monkeypatch):
    """A cell of more than 20,000 characters, and what comes when 200,000 are coloured."""
    long, short = "x = '<b>'  " * 2000, "y = 1\n" * 3000
    cells, given = coloured(monkeypatch, long, *[short] * 12, "z = 2")
    assert cells[0] == f'<div class="highlight"><pre>{html.escape(long)}</pre></div>'
    assert given == [*[short] * 11, "z = 2"]
    assert cells[12] == f'<div class="highlight"><pre>{short}</pre></div>'


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u2003 ", " \u3000"])
def test_the_lexer_is_given_no_blank_lines_with_blanks(monkeypatch, blank):
    """Its time grows with the square of them: 19,000 cost 5 seconds."""
    _, given = coloured(monkeypatch, f"def f():\n    x = 1\n{blank}\n{blank}\n    y = 2{blank}\n")
    assert given == [f"def f():\n    x = 1\n\n\n    y = 2{blank}\n"]

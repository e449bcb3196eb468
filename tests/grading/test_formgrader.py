"""Formgrader on a folder of grades, in a real browser: points and comments by hand are kept, and nothing else acts."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell

from tests.grading.assignment import LESSON, NAME, answered, cell_of
from vitcourse.grading.run import assign

pytestmark = pytest.mark.browser
STALE = "what was given by hand is for an earlier answer: attention.scores"
UNSCALED, TWICE = "return query @ key.transpose(-2, -1)", "return 2 * query @ key.transpose(-2, -1)"
WORDS = """Look [here](javascript:ran=1) at ![](http://elsewhere.test/a.png) and <img src=x onerror="ran=2">
[it][it] <javascript:ran=3>

[it]: javascript:ran=4
"""
EVE = '<img src=x onerror="ran=5">'
QUOTE = '";ran=6;"'


@pytest.fixture(scope="module")
def hand_in(tmp_path_factory, course_by_hand):
    """Hands a notebook in for a student."""
    folder = tmp_path_factory.mktemp("in")
    release = nbformat.read(assign(LESSON, folder.parent / f"{folder.name}-out", course_by_hand), as_version=4)

    def hand_in(student, scores=UNSCALED):
        notebook = answered(release, scores=scores)
        cell_of(notebook, "essay").source = WORDS
        notebook.cells.append(new_markdown_cell(WORDS))
        nbformat.write(notebook, folder / f"{student}.ipynb")
        return folder

    return hand_in


@pytest.fixture(scope="module")
def grade(hand_in, course_by_hand, quick, tmp_path_factory):
    """Grades what there is; the table's folder is always the same."""
    out = tmp_path_factory.mktemp("out") / "grades.csv"

    def grade(scores=UNSCALED):
        for student in ("anna", EVE, QUOTE):
            folder = hand_in(student, scores)
        return quick(folder, "seed", out, course=course_by_hand)

    grade.root = out.with_suffix("")
    grade()
    return grade


@pytest.fixture(scope="module")
def address(grade, tmp_path_factory):
    """A JupyterLab in the folder of grades."""
    home = str(tmp_path_factory.mktemp("home"))
    names = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")
    words = ["lab", "--no-browser", "--port=0", "--ip=127.0.0.1", "--allow-root", "--IdentityProvider.token=t"]
    with subprocess.Popen(
        [sys.executable, "-m", "jupyter", *words],
        cwd=grade.root,
        env=os.environ | dict.fromkeys(names, home),
        stderr=subprocess.STDOUT,
        stdout=(log := Path(home) / "log").open("w"),
    ) as process:
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())):
            assert process.poll() is None, log.read_text()
        yield found[0]
        process.terminate()


@pytest.fixture
def page(context, address):
    """A page that reaches nothing but this server, and remembers what it wanted to reach."""
    page, page.wanted = context.new_page(), []
    page.route(
        lambda url: not url.startswith(address), lambda route: (page.wanted.append(route.request.url), route.abort())
    )
    page.goto(f"{address}/formgrader?token=t")
    yield page
    page.close()


def submission(page, address, student):
    """Opens a student's submission as a person does: by the list of submissions."""
    page.goto(f"{address}/formgrader/gradebook/{LESSON}/{NAME}")
    link = page.locator("a.name-shown", has_text=student)
    page.goto(address + link.first.get_attribute("href"))
    page.wait_for_function("document.querySelector('input.score').placeholder != ''")


def score(page):
    return page.locator("input#scores-check")


def save(page, locator, text):
    with page.expect_response(lambda answer: answer.request.method == "PUT") as answer:
        locator.fill(text)
        locator.blur()
    assert answer.value.ok


def points(graded):
    return {row.exercise: row.points for row in graded.rows if row.student == "anna"}


def test_points_and_comments_are_given_kept_and_told_of_when_the_answer_has_changed(page, address, grade):
    submission(page, address, "anna")
    assert page.locator("input.score").count() == 4
    save(page, score(page), "2.5")
    save(page, page.locator("textarea#scores-comment"), "Nearly: <b>why</b> not?")
    save(page, page.locator("input#essay"), "3")

    kept = grade()
    assert kept.problems == []
    assert points(kept) == {
        "attention.scores": 2.5,
        "attention.causal_mask": 3,
        "attention.cost": 3,
        f"{LESSON}/essay": 3,
    }
    (shown,) = (text for file in kept.pages if "Nearly" in (text := file.read_text()))
    assert "Nearly: &lt;b&gt;why&lt;/b&gt; not?" in shown
    submission(page, address, "anna")
    assert score(page).input_value() == "2.5"
    assert "needs_manual_grade" not in score(page).get_attribute("class")

    changed = grade(TWICE)
    assert changed.problems == [f"anna ({NAME}.ipynb): {STALE}".replace(f"{NAME}.ipynb", "anna.ipynb")]
    assert points(changed)["attention.scores"] == 2.5
    assert grade(TWICE).problems == changed.problems, "until somebody has looked"


def test_who_has_looked_and_keeps_the_points_is_told_no_more(page, address, grade):
    submission(page, address, "anna")
    assert "needs_manual_grade" in score(page).get_attribute("class")
    with page.expect_response(lambda answer: answer.request.method == "PUT"):
        page.locator("button.mark-graded:visible").click()
    assert grade(TWICE).problems == []


@pytest.mark.parametrize("student", ["anna", "img src=x", "ran=6"])
def test_nothing_that_a_student_wrote_acts(page, address, student):
    submission(page, address, student)
    assert page.locator(".rendered_html a[href]:not(.anchor-link)").count() == 0
    assert page.get_by_role("main").locator("img").count() == 0
    text = page.get_by_role("main").inner_text().replace("\u2060", "")
    assert text.count("Look [here](javascript:ran=1) at ![](http://elsewhere.test/a.png) and <img src=x") == 2
    assert page.evaluate("window.ran") is None
    assert {url.split("/")[2] for url in page.wanted} == {"cdnjs.cloudflare.com"}, "where nbgrader looks for MathJax"


def test_no_name_acts(page, address):
    page.goto(f"{address}/formgrader/manage_students")
    names = page.locator("td a[href*='manage_students/']")
    names.nth(2).wait_for()
    links = [name.get_attribute("href") for name in names.all()]
    for link in [*links, *(f"{link}/{LESSON}" for link in links)]:
        page.goto(address + link)
        page.locator("td a").first.wait_for()
        assert page.evaluate("window.ran") is None


def test_a_button_runs_nothing_without_walls(page, address, grade):
    (file,) = grade.root.glob(f"autograded/anna/{LESSON}/*.ipynb")
    before = file.read_bytes()
    page.goto(f"{address}/formgrader/manage_submissions/{LESSON}")
    page.locator(".autograde a").first.click()
    page.get_by_text("nbgrader would run submissions without walls: grade with").first.wait_for()
    assert file.read_bytes() == before


def test_a_button_makes_the_page_of_the_course(page, address, grade):
    (file,) = grade.root.glob(f"feedback/anna/{LESSON}/*.html")
    before = file.read_text()
    file.unlink()
    page.goto(f"{address}/formgrader/manage_submissions/{LESSON}")
    page.locator("tr", has_text="anna").locator(".generate-feedback a").click()
    page.get_by_text("Successfully generated feedback").wait_for()
    assert file.read_text() == before

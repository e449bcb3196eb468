"""The class on one page: what it says, and that nothing on it acts or is fetched."""

import html
import re

import nbformat
import pytest

from tests.grading.assignment import LESSON, NAME, answered, cell_of
from vitcourse.grading import report
from vitcourse.grading.course import Course
from vitcourse.grading.examine import nothing, record
from vitcourse.grading.grades import Row
from vitcourse.grading.harmless import as_id
from vitcourse.grading.master import find_master
from vitcourse.grading.papers import NOTHING, read_papers
from vitcourse.grading.report import write_report
from vitcourse.grading.submissions import MISSING, NO_NOTEBOOK, UNREADABLE

UNSCALED = "return query @ key.transpose(-2, -1)"
EVIL = "<script>x</script>&\"'"
NAMES = {"anna": "Anna", "fay": "Fay Young", "dora": ""}


@pytest.fixture(scope="module")
def grades(course, tmp_path_factory):
    """A folder of grades as the grader leaves it, its table, and the lesson of the course."""
    root, master = tmp_path_factory.mktemp("class") / "grades", find_master(LESSON, course)
    release = Course(root).release(master)
    table = []

    def hand_in(student, misconceptions, troubles=(), last="", **bodies):
        notebook = answered(release, last=last, **bodies)
        notebook.metadata["vitcourse"] |= {"student": student, "troubles": list(troubles)}
        for task in master.tasks.values():
            wrong = misconceptions.get(task.name)
            found = nothing(task, wrong, "")
            points = 0.0 if wrong else task.points
            record(cell_of(notebook, task.cell), task, found)
            table.append(Row(student, task.exercise, points, task.points, wrong or ""))
        file = root / "autograded" / as_id(student) / LESSON / f"{NAME}.ipynb"
        file.parent.mkdir(parents=True)
        nbformat.write(notebook, file)
        page = root / "feedback" / as_id(student) / LESSON / f"{NAME}.html"
        page.parent.mkdir(parents=True)
        page.touch()

    hand_in("anna", {})
    hand_in("ben", {"scores": "not-scaled"}, scores=f"# mine\n    {UNSCALED}")
    hand_in("carla", {"scores": "not-scaled"}, scores=UNSCALED)
    hand_in("dora", {"scores": "not-implemented", "cost": "endless-loop"}, ["a cell ran out of time"])
    hand_in(
        EVIL, {"causal_mask": "hides-nothing"}, causal_mask=f"return '{html.escape('<b>')}<b>'", last="import gc  # <i>"
    )
    hand_in("fay", dict.fromkeys(("scores", "causal_mask", "cost"), "nothing-handed-in"))
    return root, table, NAMES


@pytest.fixture(scope="module")
def page(grades):
    return write_report(*grades).read_text()


def text_of(part):
    return " ".join(
        html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<style.*?</style>", "", part, flags=re.DOTALL))).split()
    )


def section(page, name):
    return text_of(page[page.index(f'<section aria-label="{name}">') :].partition("</section>")[0])


def test_it_says_what_to_talk_about_and_where_it_is_healed(page):
    text = section(page, "To talk about")
    assert "2 students, in “Scaled scores”: The scores are not divided by the square root" in text
    assert "Read together: lesson 01, section “Why the square root?”." in text
    assert "end" not in text.split(), "what only one student did is nothing to talk about"


def test_it_counts_points_by_exercise(page):
    text = section(page, "Points")
    assert "5 of 6 handed in something that can be read. Of 9 points they have 6 on average, and half" in text
    assert "Scaled scores 2 0 3 40%" in text
    assert 'aria-label="Scaled scores: 2 have all points, 0 some, 3 none, 1 handed in nothing that can be read"' in page
    assert "in tenths: 0, 0, 0, 1, 0, 0, 3, 0, 0, 1" in page


def test_of_many_mistakes_the_rarer_ones_are_folded_away(grades, page, monkeypatch):
    monkeypatch.setattr(report, "OPEN", 0)
    folded = write_report(*grades).read_text()
    assert "<details>" not in page
    assert folded.index("<details>") < folded.index('<div class="mistake">') < folded.index("</details>")
    words = section(folded, "Mistakes")
    assert words.replace("1 more mistake of more than one student ", "") == section(page, "Mistakes")


def test_a_mistake_has_its_shortest_example(page):
    text = section(page, "Mistakes")
    assert "ben, carla." in text
    assert "def scores(query, key): return query @ key.transpose(-2, -1)" in text
    assert "# mine" not in text
    assert text.index("2 students") < text.index("Made by one student each")
    assert "not-implemented" not in text


def test_it_names_who_needs_help_and_what_was_stopped(page):
    text = section(page, "Who needs help")
    assert text.index("Fay Young (fay) 0 of 9 01_attention : nothing handed in") < text.index("dora 3 of 9")
    assert "anna" not in text
    assert "dora (01_attention) a cell ran out of time attention.cost did not end" in section(page, "What was stopped")


def test_hints_are_called_hints(page):
    text = section(page, "Hints")
    assert "No points depend on them" in text
    assert "import gc # <i> : looks into the program" in text
    assert "None." in text, "six students, most of whom wrote the same, are no pairs"


def test_nothing_on_it_acts_or_is_fetched(page):
    assert "<script" not in page
    assert EVIL not in page
    assert "<i>" not in page
    assert "url(" not in page
    links = re.findall(r"(?:src|href)=\"([^\"]*)\"", page)
    assert links
    assert all(link.startswith("feedback/") for link in links)


def test_links_lead_to_the_students_pages(page, grades, tmp_path):
    from urllib.parse import unquote

    for link in re.findall(r"href=\"([^\"]*)\"", page):
        assert (grades[0] / html.unescape(unquote(link))).is_file()


def test_students_are_called_by_name_where_it_is_told(page):
    text = text_of(page)
    assert "Fay Young (fay)" in text
    assert "Anna (anna)" not in text
    assert "dora 3 of 9" in text


def test_it_is_the_same_page_when_it_is_made_again(page, grades):
    assert write_report(*grades).read_text() == page


def test_an_untouched_stub_is_no_answer(grades, course):
    root, table, _ = grades
    papers = {paper.student: paper for paper in read_papers(root, table, {})}
    assert papers["anna"].answers.keys() == {"attention.scores", "attention.causal_mask", "attention.cost"}
    (file,) = root.glob(f"autograded/anna/{LESSON}/*.ipynb")
    notebook = nbformat.read(file, as_version=4)
    cell_of(notebook, "scores").source = cell_of(Course(root).release(find_master(LESSON, course)), "scores").source
    nbformat.write(notebook, file)
    assert "attention.scores" not in read_papers(root, table, {})[0].answers


def test_points_stand_without_a_notebook(tmp_path):
    (paper,) = read_papers(tmp_path, [Row("anna", "attention.scores", 3, 3, "")], {})
    assert (paper.lesson, paper.points, paper.answers, paper.page) == (LESSON, 3, {}, "")
    assert "1 student, 1 lesson." in text_of(write_report(tmp_path, [*paper.rows], {}).read_text())


@pytest.mark.parametrize("problem", [MISSING, NO_NOTEBOOK, UNREADABLE])
def test_what_there_is_in_place_of_work_is_said(tmp_path, problem):
    # An answer in words waits beside them, whatever was handed in.
    rows = [Row("7", "attention.scores", 0, 3, problem), Row("7", f"{LESSON}/essay", 0, 3, "")]
    page = write_report(tmp_path, rows, {"7": "Gus Grey"}).read_text()
    assert f"Gus Grey (7) 0 of 6 {LESSON}: {NOTHING[problem]}" in section(page, "Who needs help")
    assert "0 of 1 handed in something that can be read." in section(page, "Points")


def test_it_fits_every_screen_and_paper_and_asks_for_nothing(grades, page, context):
    opened = context.new_page()
    wanted = []
    opened.on("request", lambda request: wanted.append(request.url))
    opened.goto((grades[0] / "report.html").as_uri())
    for width in (390, 1000):
        opened.set_viewport_size({"width": width, "height": 800})
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert len(wanted) == 1
    opened.close()

"""The directives of the course and the two profiles, on a small course that is really built.

One book is built for self-study and for a class, a second one is full of faults between objectives and exercises.
"""

import json
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nbformat
import pytest
import yaml
from page_checks import visit
from small_books import build, write_book
from solution_text import leaks, marks

from tests.notebooks import sample
from vitcourse.checks import CATALOGUE
from vitcourse.notebooks import learner_notebook, with_setup

LESSON, EXERCISES = "lessons/01_attention/attention", "lessons/01_attention/attention_exercises"
LISTS = ("book/exercises", "book/objectives", "book/references")
ADDRESS = "https://github.com/some/course"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A lesson, its exercises and the two lists, built in both profiles."""
    notebooks = {LESSON: sample.lesson_notebook(), EXERCISES: sample.exercises_notebook()}
    root = write_book(tmp_path_factory.mktemp("course"), notebooks, *LISTS)
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["repository"] = {"url": ADDRESS}
    (root / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    cost = {sample.LESSON: {"cpu": {"seconds": 38.2, "threads": 2, "peak_gb": 1.26}}}
    (root / "book" / "results" / "lesson_cost.json").write_text(json.dumps(cost), encoding="utf-8")
    for profile, executed in (("self-study", "(2 of 2)"), ("class", "notebooks to execute: none")):
        done = build(root, "--profile", profile)
        assert done.returncode == 0, done.stdout
        assert executed in done.stdout
    return root


@pytest.fixture(scope="module")
def html(course):
    return course / "_build" / "html"


@pytest.fixture(scope="module")
def class_output(course):
    """Everything that the build for a class has written: pages, their sources, what Sphinx keeps."""
    return course / "_build" / "class"


def text_of(page) -> str:
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


@pytest.mark.browser
@pytest.mark.parametrize("name", [LESSON, EXERCISES, *LISTS[:2]])
def test_every_page_with_directives_is_sound(context, html, name):
    assert visit(context, (html / f"{name}.html").as_uri()) == ([], [], [])


@pytest.mark.browser
def test_open_answers_are_as_sound_as_closed_ones(html, context):
    for name in (LESSON, EXERCISES):
        path = html / f"{name}.opened.html"
        text = (html / f"{name}.html").read_text(encoding="utf-8")
        path.write_text(text.replace("<details", "<details open"), encoding="utf-8")
        assert visit(context, path.as_uri()) == ([], [], [])


@pytest.mark.browser
def test_the_lesson_card_says_what_it_takes(opened):
    card = opened(LESSON).locator(".lesson-card")
    assert card.locator("li").count() == len(sample.objectives())
    facts = {
        row.locator("dt").inner_text(): row.locator("dd").inner_text()
        for row in card.locator(".card-facts > div").all()
    }
    assert facts["To read"] == "about 25 minutes"
    assert facts["On a CPU"] == "about 38 s of processor time, 2 threads, 1.3 GB of memory"
    assert "On a GPU" not in facts  # it was not measured
    assert card.locator("dd code").inner_text() == "@"
    assert card.locator("dd a", has_text="Python").get_attribute("href") == "https://www.python.org"


@pytest.mark.browser
def test_an_exercise_card_says_what_the_catalogue_says(opened):
    exercise = CATALOGUE["attention.scores"]
    card = opened(EXERCISES).locator(".exercise-card").first
    text = card.inner_text()
    forbidden = exercise.forbidden_sentence.replace("`", "")
    for part in (exercise.objective, f"{exercise.minutes} minutes", "Points", forbidden):
        assert str(part) in text


@pytest.mark.browser
def test_a_quiz_opens_by_keyboard_and_says_its_verdict_in_words(opened):
    page = opened(LESSON)
    wrong, right = page.locator(".quiz-choice").all()
    assert not wrong.locator(".quiz-answer").is_visible()
    wrong.locator("summary").focus()
    page.keyboard.press("Enter")
    assert wrong.locator(".quiz-answer").inner_text().startswith("Not right. It is a weighted average.")
    assert not right.locator(".quiz-answer").is_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert right.locator(".quiz-answer").inner_text().startswith("Right. ")
    assert "And that is all." in right.locator(".quiz-answer").inner_text()
    assert page.get_by_role("group", name=re.compile("Three scores are")).count() == 1


@pytest.mark.browser
def test_a_slider_changes_figure_number_and_sentence_by_keyboard(opened):
    page = opened(LESSON)
    slider = page.get_by_role("slider", name="height of the first bar")
    shown = page.locator(".frames .plot:visible")
    assert slider.get_attribute("max") == "7"
    assert shown.count() == 1
    assert shown.get_attribute("aria-label") == "Three bars. (height of the first bar: 8)"
    assert shown.locator("svg:visible").count() == 1
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    assert shown.count() == 1
    assert shown.get_attribute("aria-label") == "Three bars. (height of the first bar: 4)"
    assert slider.get_attribute("aria-valuetext") == "4"
    assert page.locator(".frames-value").inner_text() == "4"
    assert page.locator(".frames-texts").inner_text() == "The first of three bars has height 4."


@pytest.mark.browser
def test_badges_lead_to_the_matrix_and_the_matrix_leads_back(opened):
    page = opened(LESSON)
    first = sample.objectives()[0]
    page.locator("section#build-it .objective-badge").click()
    page.wait_for_url(f"**/book/objectives.html#objective-{first.replace('.', '-')}")
    row = page.locator("table.objective-matrix tbody tr").first
    assert row.locator("td").nth(0).inner_text().startswith(f"{first} say what")
    trained = [name for name in sample.exercise_ids() if CATALOGUE[name].objective == first]
    assert row.locator("td").nth(3).inner_text().split() == [f"checks.{name}" for name in trained]
    row.locator("td").nth(1).locator("a").click()
    page.wait_for_url("**/attention.html#build-it")


def test_the_list_holds_every_exercise_with_a_link(html):
    page = (html / "book" / "exercises.html").read_text(encoding="utf-8")
    listed = page.partition('<ul class="exercise-list">')[2].partition("</ul>")[0]
    assert listed.count("<li ") == len(sample.exercise_ids())
    assert 'href="../lessons/01_attention/attention_exercises.html#exercise-1-scores"' in listed


def test_a_page_may_say_something_to_one_profile_alone(html, class_output):
    """book/exercises.md speaks of solutions inside of ``:::{only} self_study``."""
    texts = [text_of(folder / "book" / "exercises.html") for folder in (html, class_output / "html")]
    assert ["and the solution" in text for text in texts] == [True, False]


def test_the_page_for_self_study_folds_the_solution_away(html):
    text = text_of(html / f"{EXERCISES}.html")
    assert sample.SECRET_LINE in text
    assert text.index("raise NotImplementedError()") < text.index("Hint 1") < text.index(sample.SECRET_LINE)
    # The check was executed with the solution: what it says stands there, and not below the stub.
    assert text.index(sample.SECRET_LINE) < text.index("properties hold")


def test_the_search_for_solutions_finds_them_where_they_are(course, html):
    found = leaks(html, marks(course))
    assert set(found) == {"attention_exercises: scores-solution"}
    assert f"{EXERCISES}.html" in found["attention_exercises: scores-solution"]
    assert "searchindex.js" not in found["attention_exercises: scores-solution"], "a search would show it"


def test_nothing_that_is_written_for_a_class_gives_a_solution_away(course, class_output):
    assert (class_output / "html" / f"{EXERCISES}.html").exists()
    assert leaks(class_output, marks(course)) == {"attention_exercises: scores-solution": set()}


def test_a_class_page_does_not_say_that_the_stub_is_right(class_output):
    text = text_of(class_output / "html" / f"{EXERCISES}.html")
    assert "checks.attention.scores(scores)" in text
    assert "properties hold" not in text


@pytest.mark.parametrize("profile", ["self-study", "class"])
@pytest.mark.parametrize("name", [LESSON, EXERCISES])
def test_downloads_are_the_learners_copies(course, profile, name):
    html = course / "_build" / ("html" if profile == "self-study" else "class/html")
    copy = learner_notebook(nbformat.read(course / f"{name}.ipynb", as_version=4))
    assert nbformat.read(html / "_sources" / f"{name}.ipynb", as_version=4) == with_setup(copy, ADDRESS, "learner")


@pytest.fixture(scope="module")
def served(course):
    """The address of the built books on a server of this machine."""
    handler = partial(SimpleHTTPRequestHandler, directory=course / "_build")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.browser
@pytest.mark.parametrize("name", [f"{LESSON}.ipynb", f"{EXERCISES}.ipynb", "book/exercises.md"])
@pytest.mark.parametrize("place", ["file", "server"])
@pytest.mark.parametrize("profile", ["html", "class/html"])
def test_the_download_button_saves_the_file_under_its_name(course, context, request, profile, place, name):
    """The learner's copy of a notebook, and the source of a page in prose; no tab opens."""
    folder = (course / "_build").as_uri() if place == "file" else request.getfixturevalue("served")
    page = context.new_page()
    page.goto(f"{folder}/{profile}/{name.rpartition('.')[0]}.html")
    tabs = len(context.pages)
    page.locator(".run-it > summary").click()
    with page.expect_download() as waiting:
        page.locator(".btn-download-source-button").click()
    assert waiting.value.suggested_filename == name.rpartition("/")[2]
    saved = Path(waiting.value.path())
    if name.endswith(".ipynb"):
        copy = learner_notebook(nbformat.read(course / name, as_version=4))
        assert nbformat.read(saved, as_version=4) == with_setup(copy, ADDRESS, "learner")
        assert sample.SECRET_LINE not in saved.read_text(encoding="utf-8")
    else:
        assert saved.read_bytes() == (course / name).read_bytes()
    assert page.url.endswith(".html")
    assert len(context.pages) == tabs
    page.close()


@pytest.mark.parametrize("profile", ["html", "class/html"])
def test_links_to_notebooks_lead_to_the_learners_branch(course, profile):
    found, sources = set(), []
    for path in (course / "_build" / profile).rglob("*.html"):
        if "_static" not in path.parts:
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r'href="([^"]*\.ipynb)"', text))
            sources += re.findall(r'href="[^"]*_sources/', text)
    colab = f"https://colab.research.google.com/github/some/course/blob/learner/{EXERCISES}.ipynb"
    assert colab in found
    assert f"https://mybinder.org/v2/gh/some/course/learner?urlpath=lab/tree/{EXERCISES}.ipynb" in found
    assert all("/learner" in address for address in found)
    # Every page holds the file of its download button.
    assert sources == []


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """What the build says of a book with one fault of each kind."""
    lost = CATALOGUE["attention.scores"].objective
    ids = [*(name for name in sample.objectives() if name != lost), "01.9", "02.1"]
    lesson, exercises = sample.lesson_notebook(ids, named="01.7"), sample.exercises_notebook()
    lesson.cells[3].source = ":::{quiz}\nA question?\n\n- [ ] one\n  why\n- [ ] two\n  why\n:::"
    exercises.cells = exercises.cells[:-1]
    root = write_book(tmp_path_factory.mktemp("faulty"), {LESSON: lesson, EXERCISES: exercises}, *LISTS)
    return {"root": root, "done": build(root), "lost": lost}


def test_faults_between_objectives_and_exercises_fail_the_build(faulty):
    """An objective without an exercise, an exercise without its objective, an unknown one, a card that is missing."""
    assert faulty["done"].returncode == 1
    for fault in (
        "objective 01.9 has no exercise",
        "objective 02.1 does not belong to lesson 01_attention",
        f"exercise attention.scores is for {faulty['lost']}, no objective of its lesson",
        f"exercise {sample.exercise_ids()[-1]} is in checks.CATALOGUE and has no card",
        "objective 01.7 is named here, and stands on no lesson card",
    ):
        assert fault in faulty["done"].stdout
    assert f"{LESSON}.ipynb: WARNING" in faulty["done"].stdout


def test_a_book_with_warnings_is_there_to_be_read_and_counts_as_stale(faulty):
    build_folder = faulty["root"] / "_build"
    assert "Build it" in text_of(build_folder / "html" / f"{LESSON}.html")
    assert not (build_folder / "book_key").exists()
    named = [line for line in faulty["done"].stdout.splitlines() if line.startswith("  failed: ")]
    # Five of the warnings, how many there are, and the notebook of which there is no learner's copy.
    assert len(named) == 7
    assert named[5] == "  failed: 7 warnings on the pages; all of them are shown above"
    assert named[6].startswith(f"  failed: {LESSON}.ipynb: cell quiz: a quiz needs a right answer")


def test_a_directive_with_a_fault_fails_the_build_with_its_place(faulty):
    # myst-nb counts the lines of the fourth cell from 40000.
    assert re.search(rf"{LESSON}\.ipynb:4000\d: ERROR: a quiz needs a right answer", faulty["done"].stdout)

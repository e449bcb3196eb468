"""The way through the course, on a small book that is really built: numbers, place, map, cards, the first commands."""

import json

import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from page_checks import visit
from small_books import build, write_book

from tests.notebooks import sample
from vitcourse.exercises import of_topic
from vitcourse.recipes.asl_finetuning import asl_reach

FIRST, EXERCISES = "lessons/01_attention/attention", "lessons/01_attention/attention_exercises"
LATER, APPENDIX = "lessons/08_training/training", "lessons/08_training/faults"
INDEX = """\
# A small book

:::{course-start} #run-it
:::

:::{course-ways}
- I begin: 01
- I train: 01, 08; the faults can wait
:::

:::{made-chart}
:::

:::{course-commands}
make learn
:::

:::{lesson-map}
- 01-04 Attention
- 05-07 Images
- 08-12 Training
:::

:::{lesson-cards}
:::
"""


def lesson(title: str, objective: str):
    card = f":::{{lesson-card}}\n:minutes: 30\n\n- **{objective}** do it;\n:::"
    cells = [new_markdown_cell(f"# {title}\n\n**Why is $x_1$ so?**", id="title"), new_markdown_cell(card, id="card")]
    return new_notebook(cells=[*cells, new_code_cell("1", id="one")], metadata=sample.KERNEL)


@pytest.fixture(scope="module")
def html(tmp_path_factory):
    notebooks = {
        FIRST: sample.lesson_notebook(),
        EXERCISES: sample.exercises_notebook(),
        LATER: lesson("Training: step by step", "08.1"),
        APPENDIX: lesson("Faults", "08.2"),
    }
    root = write_book(
        tmp_path_factory.mktemp("home"), notebooks, "book/exercises", "book/objectives", "book/references"
    )
    (root / "index.md").write_text(INDEX, encoding="utf-8")
    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    config["repository"] = {"url": "https://github.com/some/course.git"}
    (root / "_config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (root / "book" / "results" / "lesson_cost.json").write_text(json.dumps({}), encoding="utf-8")
    done = build(root)
    assert done.returncode == 0, done.stdout
    return root / "_build" / "html"


pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ["index", FIRST, EXERCISES, LATER])
def test_the_pages_are_sound(context, html, name):
    assert visit(context, (html / f"{name}.html").as_uri()) == ([], [], [])


def test_titles_and_the_sidebar_have_numbers(opened):
    page = opened(EXERCISES)
    assert page.locator("article h1").inner_text().startswith("01 · Exercises\nattention")
    assert page.title().startswith("01 · Exercises: attention")
    listed = page.locator(".bd-links a.reference.internal").all_text_contents()
    numbers = [text.partition(" · ")[0].strip() for text in listed if " · " in text]
    assert numbers == ["01", "01", "08", "08"]
    headings = opened("book/exercises").locator("article h2").all_inner_texts()
    assert [text.rstrip("#") for text in headings] == ["01 · Attention"]


@pytest.mark.parametrize(
    ("name", "current", "kind"),
    [(FIRST, "01", "page"), (EXERCISES, "01", "true"), (LATER, "08", "page"), (APPENDIX, "08", "true")],
)
def test_each_page_of_a_lesson_shows_its_place(opened, name, current, kind):
    page = opened(name)
    place = page.get_by_role("navigation", name="Place in the course")
    assert place.locator("a").all_inner_texts() == ["01", "08"]
    assert place.locator("[aria-current]").inner_text() == current
    assert place.locator("[aria-current]").get_attribute("aria-current") == kind
    assert place.locator("li.after-gap").all_inner_texts() == ["08"]
    place.get_by_role("link", name="Lesson 08, Training: step by step").click()
    page.wait_for_url(f"**/{LATER}.html*")


def test_other_pages_have_no_place(opened):
    assert opened("book/objectives").locator(".lesson-place").count() == 0


def test_the_map_has_the_parts_that_are_written(opened):
    page = opened("index")
    lessons = page.get_by_role("navigation", name="The lessons in order")
    assert lessons.locator("p").all_inner_texts() == ["Attention", "Training"]
    assert [" ".join(text.split()) for text in lessons.locator("a").all_inner_texts()] == [
        "01 Attention",
        "08 Training",
        "08 Faults",
    ]


def test_the_first_page_says_where_to_begin(opened):
    page = opened("index")
    begin = page.get_by_role("link", name="Start lesson 01 · 25 minutes")
    assert page.locator(".front-start a").all_inner_texts()[:2] == ["Start lesson 01 · 25 minutes", "Run it"]
    assert page.locator("a[data-continue]").is_hidden()  # until there is something to continue
    begin.click()
    page.wait_for_url(f"**/{FIRST}.html*")


def test_ways_are_as_long_as_their_lessons_say(opened):
    ways = opened("index").locator(".front-ways > li")
    assert ways.first.inner_text().split() == ["I", "begin", "01", "1", "lesson,", "25", "minutes", "to", "read"]
    assert "2 lessons, 55 minutes to read; the faults can wait" in ways.last.inner_text()
    assert ways.last.get_by_role("link", name="Lesson 08, Training: step by step").count() == 1


def test_the_chart_shows_what_is_recorded(opened):
    shares = [row["valid"]["second look"]["accuracy"] for row in asl_reach.reached()]
    mean = sum(shares) / len(shares)
    bars = opened("index").locator(".made-chart li")
    assert bars.count() == 6
    assert bars.last.locator("b").inner_text() == f"{mean:.0%}"
    assert bars.last.locator("u").get_attribute("style") == f"width: {mean:.1%}"


def test_the_cards_say_what_the_lessons_say(opened):
    page = opened("index")
    cards = page.locator(".lesson-cards > div")
    exercises = of_topic("attention").values()
    points = sum(exercise.points for exercise in exercises)
    assert [card.locator("p").first.inner_text() for card in cards.all()] == [
        "01Attention",
        "08Training: step by step",
        "08Faults",
    ]
    assert cards.first.locator(".card-question").inner_text() == "What is read from what?"
    assert cards.first.locator(".card-facts-line").inner_text() == (
        f"25 minutes · {len(exercises)} exercises · {points} points"
    )
    assert cards.last.locator(".card-facts-line").inner_text() == "30 minutes"
    assert cards.last.locator(".card-question mjx-container").count() == 1
    cards.last.click(position={"x": 5, "y": 5})  # the whole card is the link
    page.wait_for_url(f"**/{APPENDIX}.html")


def test_the_commands_begin_with_the_address(opened):
    text = opened("index").locator("article pre").first.inner_text()
    assert text.split("\n")[:3] == ["git clone https://github.com/some/course.git", "cd course", "make learn"]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """A book without an address, whose second lesson has no card, and whose second page a map without parts."""
    bare = new_notebook(cells=[new_markdown_cell("# Bare\n\nText.", id="title")], metadata=sample.KERNEL)
    notebooks = {FIRST: lesson("Attention", "01.1"), "lessons/02_bare/bare": bare}
    root = write_book(tmp_path_factory.mktemp("faulty"), notebooks, "book/references")
    (root / "index.md").write_text(INDEX, encoding="utf-8")
    other = INDEX.replace("- 05-07 Images", "- five to seven")
    (root / "book" / "references.md").write_text(other, encoding="utf-8")
    done = build(root)
    assert done.returncode == 1
    return done.stdout, (root / "_build" / "html" / "index.html").read_text(encoding="utf-8")


def test_a_lesson_without_a_card_fails_the_build(faulty):
    assert "lesson 02_bare has no card, so the first page would not show it" in faulty[0]


def test_without_an_address_the_commands_begin_with_the_first(faulty):
    assert "make learn" in faulty[1]
    assert "git clone" not in faulty[1]
    assert "github.com" not in faulty[1], "the source of the course is not known"


def test_a_part_that_is_not_written_as_it_should_be_is_told(faulty):
    assert "a map needs the parts of the course, as '- 01-04 name of the part'" in faulty[0]

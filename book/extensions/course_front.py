"""Sphinx extension: what the first page has beside the map of the lessons: where to begin, ways through, what is made.

All of it comes from the lessons' own cards and from recorded runs. A lesson without a card would be missing there, so
the build asks for one.
"""

import re
from pathlib import Path

from course_home import MAP, Way, course_way
from course_nodes import counted, html, words
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
LINE = re.compile(r"- (.+): ((?:\d\d,? ?)+)(?:; (.+))?")


class front_place(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """Stands for the buttons or the ways, until all pages are read."""


class CourseStart(SphinxDirective):
    """``:::{course-start} #run-it``: the first lesson, how to run the course, and where this reader was."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        return [front_place("", kind="start", run=self.arguments[0])]


class CourseWays(SphinxDirective):
    """``:::{course-ways}``: ways through the course, as ``- For whom: 01, 02; what it leaves out``."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        lines = [LINE.fullmatch(line.strip()) for line in self.content if line.strip()]
        if not lines or not all(lines):
            raise self.error("a way through the course is '- For whom: 01, 02; what it leaves out'")
        ways = [(line[1], re.findall(r"\d\d", line[2]), line[3]) for line in lines]
        return [front_place("", kind="ways", ways=ways)]


class MadeChart(SphinxDirective):
    """``:::{made-chart}``: how many letters of real photos are named rightly, on the way through the course."""

    def run(self) -> list[nodes.Node]:
        from vitcourse import results  # torch takes seconds, which other pages need not
        from vitcourse.recipes.asl_finetuning import asl_reach

        table, reach = results.load("asl_table_real"), asl_reach.reached()
        transfer = results.load("sign_transfer")["rows"]

        def mean(found: list[float]) -> float:
            return sum(found) / len(found)

        def of_table(title: str) -> float:
            return mean([row["valid"]["accuracy"] for row in table["rows"] if row["title"] == title])

        def reached(reading: str) -> float:
            return mean([row["valid"][reading]["accuracy"] for row in reach])

        rendered = next(row["accuracy"] for row in transfer if row["title"] == "valid" and not row["mirrored_too"])
        bars = {
            "A guess": 1 / 26,
            "A ResNet-18 from scratch": of_table("ResNet-18"),
            "Your ViT, rendered hands alone": rendered,
            "Your ViT, fine-tuned (lesson 10)": of_table("ViT, C, no sigmoid"),
            "Your ViT, full recipe (lesson 11)": reached("single look"),
            "Your ViT, with a second look": (best := reached("second look")),
        }
        title = f"Letters of real photos named rightly: from {rendered:.0%} to {best:.0%}"
        items = [
            html(
                "li",
                html("span", words(name)),
                html("i", html("u", style=f"width: {share:.1%}"), aria_hidden="true"),
                html("b", words(f"{share:.0%}")),
                classes="" if name.startswith("Your") else "made-other",
            )
            for name, share in bars.items()
        ]
        note = (
            f"Recorded on {table['data']['valid']} photos that no model was trained on; of models trained on photos, "
            "the mean of three seeds. A second look cuts out the hand that the first one found and reads it again."
        )
        parts = html("figcaption", words(title)), html("ol", *items), html("p", words(note))
        return [html("figure", *parts, classes="made-chart")]


def lesson_number(way: Way) -> dict[str, list]:
    """The pages with a card of each lesson, by its number."""
    found: dict[str, list] = {}
    for page in way.pages:
        found.setdefault(page.lesson[:2], []).append(page)
    return found


def start(way: Way, run: str) -> nodes.Node:
    first = way.pages[0]
    minutes = f" · {first.minutes} minutes" if first.minutes else ""
    begin = way.link(first, words(f"Start lesson {first.lesson[:2]}{minutes}"), classes="front-first")
    # Filled and shown by whoever keeps the reader's progress.
    on = html("a", words("Continue"), href="#", data_continue="", hidden="")
    return html("p", begin, html("a", words("Run it"), href=run), on, classes="front-start")


def ways(way: Way, lines: list) -> nodes.Node:
    numbered, items = lesson_number(way), []
    for who, numbers, why in lines:
        pages = [numbered[number][0] for number in numbers if number in numbered]
        minutes = sum(page.minutes for page in pages)
        stops = [
            html(
                "li", way.link(page, words(page.lesson[:2]), aria_label=f"Lesson {page.lesson[:2]}, {way.title(page)}")
            )
            for page in pages
        ]
        long = f"{counted(len(pages), 'lesson')}, {minutes} minutes to read" + (f"; {why}" if why else "")
        items.append(html("li", html("b", words(who)), html("ol", *stops), html("span", words(long))))
    return html("ul", *items, classes="front-ways")


def fill(app, doctree, docname: str) -> None:
    way = Way(app, docname)
    for place in list(doctree.findall(front_place)):
        made = start(way, place["run"]) if place["kind"] == "start" else ways(way, place["ways"])
        place.replace_self(made if way.pages else [])


def check(app, env) -> None:
    """Every folder of a lesson stands on the map: a card is asked for where one is missing."""
    if not getattr(env, "course_map", None):
        return
    shown = {page.lesson for page in Way(app, env.config.root_doc).pages}
    for folder in sorted(
        path.name for path in (Path(app.srcdir) / "lessons").glob("[0-9][0-9]_*") if list(path.glob("*.ipynb"))
    ):
        if folder not in shown:
            sentence = f"lesson {folder} has no card, so the first page would not show it"
            logger.warning(sentence, location=env.course_map, type="course", subtype="map")


def note_map(app, doctree) -> None:
    if any(node["kind"] == MAP for node in doctree.findall(course_way)):
        app.env.course_map = app.env.docname


def setup(app):
    for name, directive in (("course-start", CourseStart), ("course-ways", CourseWays), ("made-chart", MadeChart)):
        app.add_directive(name, directive)
    app.connect("doctree-read", note_map)
    app.connect("env-check-consistency", check)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": False, "parallel_write_safe": True}

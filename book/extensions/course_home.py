"""The way through the course: the number of each lesson and its place, on each of its pages; on the first page the
whole path, a card for each lesson, and the commands to start with.

A lesson's number is that of its folder. Of a lesson that is not written nothing is shown, and no number moves up.
"""

import re
from collections.abc import Iterator

from course_nodes import CoursePage, counted, course_pages, html, lesson_of, words
from docutils import nodes
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

from vitcourse.exercises import CATALOGUE

PART = re.compile(r"- (\d\d)-(\d\d) (.+)")
MAP, CARDS = "lesson-map", "lesson-cards"


class course_way(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """Stands for the map or the cards, until all pages are read."""


class NumberedTitle(SphinxTransform):
    """The title of each page of a lesson begins with the lesson's number, and so do all lists that name the page."""

    default_priority = 10

    def apply(self, **_options) -> None:
        lesson, title = lesson_of(self.env.docname), next(self.document.findall(nodes.title), None)
        if lesson and title is not None:
            title.insert(0, words(f"{lesson[:2]} · "))


class LessonMap(SphinxDirective):
    """``:::{lesson-map}``: the parts of the course, as ``- 01-04 name of the part``, each with its lessons."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        parts = [PART.fullmatch(line.strip()) for line in self.content if line.strip()]
        if not parts or not all(parts):
            raise self.error("a map needs the parts of the course, as '- 01-04 name of the part'")
        return [course_way("", kind=MAP, parts=[part.groups() for part in parts])]


class LessonCards(SphinxDirective):
    """``:::{lesson-cards}``: a card for each lesson, made from the lesson's own."""

    def run(self) -> list[nodes.Node]:
        return [course_way("", kind=CARDS)]


class Commands(SphinxDirective):
    """``:::{course-commands}``: what to type, after fetching the course where its address is known."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        address = self.config.course_clone
        fetch = [f"git clone {address}", f"cd {address.rstrip('/').rpartition('/')[2].removesuffix('.git')}"]
        text = "\n".join([*(fetch if address else []), *self.content])
        return [nodes.literal_block(text, text, language="text")]


def note_question(app, doctree) -> None:
    """Keep the first paragraph of a lesson, which is its question, for its card on the first page."""
    page = course_pages(app.env).get(app.env.docname)
    section = next(doctree.findall(nodes.section), None)
    if page and page.has_card and section is not None:
        first = next((child for child in section.children if isinstance(child, nodes.paragraph)), None)
        page.question = [child.deepcopy() for child in first.children] if first else []


def in_order(env, page: str) -> Iterator[str]:
    """A page and those below it, as the contents list them."""
    yield page
    for below in env.toctree_includes.get(page, ()):
        yield from in_order(env, below)


class Way:
    """Fills what shows the lessons, on one page."""

    def __init__(self, app, docname: str):
        self.app, self.env, self.docname = app, app.env, docname
        known = course_pages(self.env)
        found = (known[name] for name in in_order(self.env, app.config.root_doc) if name in known)
        self.pages = [page for page in found if page.lesson and page.has_card]

    def title(self, page: CoursePage) -> str:
        """Without the number."""
        return self.env.titles[page.docname].astext().partition(" · ")[2]

    def link(self, page: CoursePage, *content: nodes.Node, **attributes: str) -> nodes.Node:
        address = self.app.builder.get_relative_uri(self.docname, page.docname) or "#"
        return html("a", *content, href=address, **attributes)

    def place(self) -> nodes.Node:
        """The numbers of all lessons in a row, the lesson of this page among them marked."""
        own, before = lesson_of(self.docname), ""
        stops: dict[str, CoursePage] = {}
        for page in self.pages:
            stops.setdefault(page.lesson, page)
        items = []
        for page in stops.values():
            current = {"aria_current": "page" if page.docname == self.docname else "true"} if page.lesson == own else {}
            gap = "after-gap" if before and int(page.lesson[:2]) > int(before) + 1 else ""
            name = f"Lesson {page.lesson[:2]}, {self.title(page)}"
            link = self.link(page, words(page.lesson[:2]), aria_label=name, title=self.title(page), **current)
            items.append(html("li", link, classes=gap))
            before = page.lesson[:2]
        return html("nav", html("ol", *items), classes="lesson-place", aria_label="Place in the course")

    def map(self, parts: list[tuple[str, str, str]]) -> list[nodes.Node]:
        columns = []
        for first, last, name in parts:
            items = [
                html(
                    "li",
                    self.link(page, html("span", words(page.lesson[:2])), words(self.title(page).partition(":")[0])),
                )
                for page in self.pages
                if first <= page.lesson[:2] <= last
            ]
            if items:
                columns.append(html("div", html("p", words(name)), html("ol", *items, classes="simple")))
        return [html("nav", *columns, classes=MAP, aria_label="The lessons in order")]

    def cards(self) -> list[nodes.Node]:
        return [html("div", *map(self.card, self.pages), classes=CARDS)]

    def card(self, page: CoursePage) -> nodes.Node:
        link = self.link(page, html("span", words(page.lesson[:2]), classes="card-number"), words(self.title(page)))
        question = html("p", *(node.deepcopy() for node in page.question), classes="card-question")
        exercises = [
            CATALOGUE[name]
            for other in course_pages(self.env).values()
            if page.is_main and other.lesson == page.lesson
            for name, _, _ in other.exercises
        ]
        facts = [f"{page.minutes} minutes"] * bool(page.minutes)
        facts += [counted(len(exercises), "exercise"), counted(sum(one.points for one in exercises), "point")] * bool(
            exercises
        )
        return html(
            "div",
            html("p", link, classes="card-title"),
            question,
            html("p", words(" · ".join(facts)), classes="card-facts-line"),
        )


def fill(app, doctree, docname: str) -> None:
    """Put map and cards in their places, and at the top of a lesson's pages its place."""
    way = Way(app, docname)
    for stand_in in list(doctree.findall(course_way)):
        content = way.map(stand_in["parts"]) if stand_in["kind"] == MAP else way.cards()
        if any(True for part in content for _ in part.findall(nodes.math)):  # a question may hold a formula
            app.env.get_domain("math").data["has_equations"][docname] = True
        stand_in.replace_self(content)
    if lesson_of(docname) and way.pages:
        doctree.insert(0, way.place())


def setup(app):
    app.add_config_value("course_clone", "", "env")
    app.add_transform(NumberedTitle)
    for name, directive in ((MAP, LessonMap), (CARDS, LessonCards), ("course-commands", Commands)):
        app.add_directive(name, directive)
    app.connect("doctree-read", note_question)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": False, "parallel_write_safe": True}

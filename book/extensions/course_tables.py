"""The list of all exercises and the matrix of objectives, made when every page is read; and what must hold for both."""

from collections.abc import Iterator

from course_nodes import CoursePage, anchor, course_pages, course_table, html, words
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from vitcourse.exercises import CATALOGUE, COMMON

logger = logging.getLogger(__name__)
MATRIX = "objective-matrix"
HEADINGS = ("Objective", "Sections", "Exercises", "Checks")


class CourseTable(SphinxDirective):
    """``:::{exercise-list}`` and ``:::{objective-matrix}``."""

    def run(self) -> list[nodes.Node]:
        return [course_table("", kind=self.name)]


class Count(SphinxRole):
    """``{course-count}`exercises```: how many the catalogue has; as well `points`, `hours`, and known `mistakes`."""

    def run(self):
        mistakes = sum(len(set(one.misconceptions) - set(COMMON)) for one in CATALOGUE.values())
        points, minutes = (sum(getattr(one, key) for one in CATALOGUE.values()) for key in ("points", "minutes"))
        many = {"exercises": len(CATALOGUE), "mistakes": mistakes, "points": points, "hours": round(minutes / 60)}
        return [words(f"{many[self.text]:,}")], []


def lessons(env) -> dict[str, list[CoursePage]]:
    """The pages of each lesson, in order."""
    found: dict[str, list[CoursePage]] = {}
    for page in sorted(course_pages(env).values(), key=lambda page: page.docname):
        if page.lesson:
            found.setdefault(page.lesson, []).append(page)
    return found


def objectives(pages: list[CoursePage]) -> dict[str, list[nodes.Node]]:
    return {name: text for page in pages for name, text in page.objectives.items()}


def exercise_places(pages: list[CoursePage]) -> list[tuple[CoursePage, str, str, str]]:
    """(page, exercise, anchor, title) of every exercise, in order."""
    return [(page, *place) for page in pages for place in page.exercises]


def faults(env) -> Iterator[tuple[str, str]]:
    """What is wrong between objectives, exercises and sections: (page, sentence). A lesson without a card is exempt."""
    known = {name for pages in lessons(env).values() for name in objectives(pages)}
    seen: dict[str, str] = {}
    for lesson, pages in lessons(env).items():
        own, placed = objectives(pages), exercise_places(pages)
        if any(page.has_card for page in pages) and placed:
            yield from _lesson_faults(lesson, pages, own, placed)
        for page, exercise, _, _ in placed:
            if exercise in seen:
                yield page.docname, f"exercise {exercise} has a second card; the first is on {seen[exercise]}"
            seen.setdefault(exercise, page.docname)
        for page in pages:
            for name, _, _ in page.sections:
                if name not in known:
                    yield page.docname, f"objective {name} is named here, and stands on no lesson card"


def _lesson_faults(lesson: str, pages: list[CoursePage], own: dict, placed: list) -> Iterator[tuple[str, str]]:
    card = next(page.docname for page in pages if page.has_card)
    trained = {CATALOGUE[exercise].objective for _, exercise, _, _ in placed}
    for name in own:
        if not name.startswith(f"{lesson[:2]}."):
            yield card, f"objective {name} does not belong to lesson {lesson}"
        if name not in trained:
            yield card, f"objective {name} has no exercise"
    for page, exercise, _, _ in placed:
        if CATALOGUE[exercise].objective not in own:
            yield (
                page.docname,
                f"exercise {exercise} is for {CATALOGUE[exercise].objective}, no objective of its lesson",
            )
    here = {exercise for _, exercise, _, _ in placed}
    for name, exercise in CATALOGUE.items():
        if exercise.lesson == lesson and name not in here:
            yield placed[0][0].docname, f"exercise {name} is in checks.CATALOGUE and has no card"


def check(app, env) -> None:  # noqa: ARG001 - the signature is Sphinx's
    """Warn of every fault: the build takes warnings for errors."""
    for docname, sentence in faults(env):
        logger.warning(sentence, location=docname, type="course", subtype="objectives")


class Tables:
    """Fills the place of a list or a matrix on one page."""

    def __init__(self, app, docname: str):
        self.app, self.env, self.docname = app, app.env, docname

    def link(self, page: str, target: str, *content: nodes.Node) -> nodes.Node:
        address = self.app.builder.get_relative_uri(self.docname, page)
        address = f"{address}#{target}" if target else address or "#"
        return html("a", *content, classes="reference internal", href=address)

    def heading(self, pages: list[CoursePage]) -> nodes.Node:
        """The lesson's title, linked; that of its first page, if there is no lesson."""
        page = next((page for page in pages if page.is_main), pages[0])
        return html("h2", self.link(page.docname, "", words(self.env.titles[page.docname].astext())))

    def exercise_list(self) -> list[nodes.Node]:
        parts = []
        for pages in lessons(self.env).values():
            items = []
            for page, name, target, title in exercise_places(pages):
                facts = CATALOGUE[name].facts
                line = f"objective {facts['Objective']} · {facts['Difficulty']} · {facts['Time']} · "
                points = "1 point" if facts["Points"] == "1" else f"{facts['Points']} points"
                link = self.link(page.docname, target, words(title))
                facts_line = html("span", words(line + points), classes="exercise-facts")
                items.append(html("li", link, facts_line, data_exercise=name))
            if items:
                parts += [self.heading(pages), html("ul", *items, classes="exercise-list")]
        return parts or [nodes.paragraph("", "There is no exercise yet.")]

    def objective_matrix(self) -> list[nodes.Node]:
        parts = []
        for pages in lessons(self.env).values():
            if own := objectives(pages):
                rows = [self.matrix_row(name, text, pages) for name, text in own.items()]
                parts += [self.heading(pages), matrix(rows)]
        return parts or [nodes.paragraph("", "There is no objective yet.")]

    def matrix_row(self, name: str, text: list[nodes.Node], pages: list[CoursePage]) -> nodes.row:
        trained = [place for place in exercise_places(pages) if CATALOGUE[place[1]].objective == name]
        sections = [
            self.link(page.docname, place[1], words(place[2]))
            for page in pages
            for place in page.sections
            if place[0] == name
        ]
        title = html("span", words(name), classes="objective-badge")
        first = entry([title, words(" "), *(node.deepcopy() for node in text)])
        first["ids"].append(anchor(name))
        return nodes.row(
            "",
            first,
            entries(sections),
            entries([self.link(page.docname, target, words(heading)) for page, _, target, heading in trained]),
            entries([nodes.literal("", f"checks.{exercise}") for _, exercise, _, _ in trained]),
        )


def entry(content: list[nodes.Node]) -> nodes.entry:
    return nodes.entry("", nodes.paragraph("", "", *content))


def entries(contents: list[nodes.Node]) -> nodes.entry:
    """A cell with a line for each of its parts."""
    return nodes.entry("", *(nodes.paragraph("", "", content) for content in contents or [words("–")]))


def matrix(rows: list[nodes.row]) -> nodes.table:
    group = nodes.tgroup("", cols=len(HEADINGS))
    group += [nodes.colspec(colwidth=width) for width in (34, 22, 22, 22)]
    group += nodes.thead("", nodes.row("", *(entry([words(name)]) for name in HEADINGS)))
    group += nodes.tbody("", *rows)
    return nodes.table("", group, classes=["objective-matrix"])


def fill(app, doctree, docname: str) -> None:
    """Put list and matrix in their places."""
    tables = Tables(app, docname)
    for place in list(doctree.findall(course_table)):
        # The words of an objective may hold formulas that this page did not have when it was read.
        app.env.get_domain("math").data["has_equations"][docname] = True
        place.replace_self(tables.objective_matrix() if place["kind"] == MATRIX else tables.exercise_list())

"""Sphinx extension: the table of what a reader has done, which `progress.js` fills from what the browser keeps."""

import json

from course_nodes import html, words
from course_search import in_reading_order
from course_tables import exercise_places, lessons
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

HEADINGS = ("Lesson", "Read", "Quizzes right at the first answer", "Exercises ticked")


class progress_table(nodes.General, nodes.Element):  # noqa: N801 - docutils names nodes so
    """Stands for the table, until all pages are read."""


class Progress(SphinxDirective):
    """``:::{course-progress}``: a row for each lesson, and buttons to save, take in and forget."""

    def run(self) -> list[nodes.Node]:
        return [progress_table("")]


def table(app, docname: str) -> nodes.Node:
    rows = []
    order = in_reading_order(app.env)
    for pages in lessons(app.env).values():
        pages.sort(key=lambda page: order.index(page.docname))
        first = next((page for page in pages if page.has_card), pages[0])
        what = {
            "pages": [page.docname for page in pages if not page.exercises],
            "quizzes": [quiz for page in pages for quiz in page.quizzes],
            "exercises": [name for _, name, _, _ in exercise_places(pages)],
        }
        if not what["pages"]:
            continue
        address = app.builder.get_relative_uri(docname, first.docname)
        title = html("a", words(app.env.titles[first.docname].astext().partition(":")[0]), href=address)
        cells = [html("td", words("–")) for _ in HEADINGS[1:]]
        rows.append(html("tr", html("th", title, scope="row"), *cells, data_progress=json.dumps(what)))
    head = html("tr", *(html("th", words(name), scope="col") for name in HEADINGS))
    made = html("table", html("thead", head), html("tbody", *rows), classes="table course-progress")
    return html("div", made, classes="pst-scrollable-table-container")


def fill(app, doctree, docname: str) -> None:
    for place in list(doctree.findall(progress_table)):
        place.replace_self([table(app, docname), html("div", classes="progress-buttons")])


def setup(app):
    app.add_directive("course-progress", Progress)
    app.add_css_file("progress.css")
    app.add_js_file("progress.js", loading_method="defer")
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": False, "parallel_write_safe": True}

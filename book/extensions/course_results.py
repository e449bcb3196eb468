"""Sphinx extension: the pages of results and of performance, made from every recorded run that ``book/results`` holds.

For each run: what it asks, one chart, one table that sorts, and folded below them how it was measured. A run of a new
lesson appears by itself.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from course_charts import bars, dots
from course_nodes import html, words
from course_runs import SPEED, Cell, Run, Table, is_share, label, read_run, text_of
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

COLUMNS = 7


class RecordedRuns(SphinxDirective):
    """``:::{recorded-runs}``: all runs but those of speed, by lesson; with ``speed`` behind it, those alone."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        files = sorted(Path(self.env.srcdir, "book", "results").glob("*.json"))
        for file in files:
            self.env.note_dependency(str(file))
        runs = [run for file in files if (run := read_run(file)).tables]
        speed = self.arguments == [SPEED]
        runs = [run for run in runs if (run.topic == SPEED) == speed]
        if not runs:
            return [nodes.paragraph("", "Nothing is recorded yet.")]
        runs.sort(key=lambda run: (self.lesson(run), run.name))
        return [overview(runs, self), *(self.section(run) for run in runs)]

    def lesson(self, run: Run) -> str:
        """The folder of the lesson whose recipes made a run."""
        return next((page.split("/")[1] for page in sorted(self.env.found_docs) if f"_{run.topic}/" in page), "")

    def link(self, lesson: str) -> nodes.Node:
        page = f"lessons/{lesson}/{lesson[3:]}"
        if page not in self.env.found_docs:
            return words("–")
        address = self.env.app.builder.get_relative_uri(self.env.docname, page)
        return html("a", words(lesson[:2]), href=address, classes="reference internal")

    def section(self, run: Run) -> nodes.section:
        section = nodes.section("", nodes.title("", run.title.rstrip(".")), ids=[anchor(run)], names=[run.name])
        run.facts["Committed on"] = day_of(self.env.srcdir, run.name)
        where = f"{run.facts['Machine']} · {run.facts['Committed on']} · took {run.facts['Took']}"
        section += html("p", words(where), classes="run-where")
        for table in run.tables:
            section += html("div", chart(run, table), sortable(table), classes="recorded-table")
        section += self.how(run)
        return section

    def how(self, run: Run) -> nodes.Node:
        rows = [html("div", html("dt", words(name)), html("dd", words(text))) for name, text in run.facts.items()]
        told = [html("p", words(part)) for part in plain(run.how)]
        command = html("code", words(f"vitcourse record {run.recipe}"))
        again = html("p", words("To make it again: "), command, words(f". The file is book/results/{run.name}.json."))
        box = html("div", *told, html("dl", *rows, classes="run-facts simple"), again)
        return html("details", html("summary", words("How this was measured")), box, classes="how-measured")


def anchor(run: Run) -> str:
    return f"run-{run.name.replace('_', '-')}"


def plain(text: str) -> Iterator[str]:
    for part in text.split("\n\n"):
        if part.strip():
            yield " ".join(part.split()).replace("`", "")


def day_of(source: str, name: str) -> str:
    """The day on which the file of a run was last committed; a copy outside of git does not know it."""
    root = next((up for up in Path(source).parents if (up / ".git").exists()), None)
    if root is None:
        return "day not known"
    command = ["git", "-C", root, "log", "-1", "--format=%cs", "--", f"book/results/{name}.json"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "not committed yet"


def overview(runs: list[Run], directive: RecordedRuns) -> nodes.Node:
    """Every run on the page in a table that sorts."""
    rows = []
    for run in runs:
        seeds = max(table.seeds for table in run.tables)
        lesson = directive.lesson(run)
        title = html("a", words(run.title.rstrip(".")), href=f"#{anchor(run)}", classes="internal")
        seconds = run.content.get("seconds", 0)
        rows.append(
            [
                html("td", directive.link(lesson), data_value=lesson),
                html("td", title, data_value=run.title.casefold()),
                html("td", words(str(seeds) if seeds > 1 else "–"), data_value=str(seeds)),
                html("td", words(run.facts["Took"]), data_value=str(seconds)),
            ]
        )
    names, telling = ["Lesson", "What was asked", "Seeds", "Took"], [0, 1, 2, 3]
    if not any(directive.lesson(run) for run in runs):
        telling = [1, 3]
    return grid([names[i] for i in telling], [[row[i] for i in telling] for row in rows])


def grid(headings: list[str], rows: list[list[nodes.Node]]) -> nodes.Node:
    """A table whose columns `tables.js` sorts."""
    head = html("tr", *(html("th", words(name), scope="col") for name in headings))
    body = html("tbody", *(html("tr", *cells) for cells in rows))
    table = html("table", html("thead", head), body, classes="table sortable")
    return html("div", table, classes="pst-scrollable-table-container")


def chart(run: Run, table: Table) -> nodes.Node:
    """Times as bars, one for each way; all else as a dot for each seed."""
    family = next((name for name in ("milliseconds", "images_per_second", "seconds") if times(table, name)), None)
    if run.topic == SPEED and family:
        return bars(table, family, times(table, family))
    return dots(table)


def times(table: Table, family: str) -> list[int]:
    return [i for i, name in enumerate(table.measures) if name == family or name.startswith(f"{family}.")]


def sortable(table: Table) -> nodes.Node:
    """Settings, then the measures as mean and range."""
    shares = [is_share(name, [cells[i] for _, cells in table.rows]) for i, name in enumerate(table.measures)]
    kept = list(range(len(table.measures)))[:COLUMNS]
    rows = []
    for settings, cells in table.rows:
        row = [html("td", words(text), data_value=text.casefold()) for text in settings]
        for i in kept:
            share = shares[i] if table.measures != ["value"] else is_share(settings[0], [cells[i]])
            row.append(number(cells[i], share))
        rows.append(row)
    return grid([label(name) for name in (*table.settings, *(table.measures[i] for i in kept))], rows)


def number(cell: Cell | None, share: bool) -> nodes.Node:
    if cell is None:
        return html("td", words("–"), data_value="", classes="number")
    content: list[nodes.Node] = [words(text_of(cell.value, share))]
    if cell.low != cell.high:
        content.append(html("small", words(f"{text_of(cell.low, share)} to {text_of(cell.high, share)}")))
    return html("td", *content, data_value=str(cell.value), classes="number")


def setup(app):
    app.add_directive("recorded-runs", RecordedRuns)
    app.add_css_file("results.css")
    app.add_js_file("tables.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}

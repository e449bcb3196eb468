"""Sphinx extension: the pages of results and of performance, made from every recorded run that ``book/results`` holds.

The runs of a lesson stand together. The first of them is open: one chart, one table that sorts, and folded below them
all else and how it was measured; of each other stands there what it asked, and the rest is folded. A run of a new
lesson appears by itself.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from course_charts import bars, dots
from course_labels import label
from course_nodes import counted, html, words
from course_runs import SPEED, Cell, Run, Table, is_share, read_run, text_of
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

# What is shown of a table before it is unfolded; of few rows, all measures are then shown as a row each.
COLUMNS, ROWS, FEW_ROWS = 5, 12, 6


class RecordedRuns(SphinxDirective):
    """``:::{recorded-runs}``: all runs but those of speed, by lesson; with ``speed`` behind it, those alone.

    Its content names the runs that open their lessons.
    """

    optional_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        files = sorted(Path(self.env.srcdir, "book", "results").glob("*.json"))
        for file in files:
            self.env.note_dependency(str(file))
        runs = [run for file in files if (run := read_run(file)).tables and run.recipe]
        speed = self.arguments == [SPEED]
        runs = [run for run in runs if (run.topic == SPEED) == speed]
        if not runs:
            return [nodes.paragraph("", "Nothing is recorded yet.")]
        first = " ".join(self.content).split()
        if unknown := set(first) - {run.name for run in runs}:
            raise self.error(f"no recorded run is called {', '.join(sorted(unknown))}")
        runs.sort(key=lambda run: (self.lesson(run), run.name not in first, run.name))
        lessons: dict[str, list[Run]] = {}
        for run in runs:
            lessons.setdefault(self.lesson(run), []).append(run)
        every = folded("All of them in one table", overview(runs, self))
        return [every, *(part for lesson, own in lessons.items() for part in self.family(lesson, own))]

    def family(self, lesson: str, runs: list[Run]) -> list[nodes.Node]:
        """The runs of one lesson below its title; those of no lesson are all open, and have no title above them."""
        if not lesson:
            return [self.section(run, is_open=True) for run in runs]
        title = nodes.title("", f"{lesson[:2]} · {self.title(lesson)}")
        section = nodes.section("", title, ids=[f"runs-{lesson[:2]}"], names=[f"runs-{lesson[:2]}"])
        section += [self.section(run, is_open=run is runs[0]) for run in runs]
        return [section]

    def title(self, lesson: str) -> str:
        """What a lesson is called, without what follows the colon; other pages may not be read yet."""
        notebook = json.loads(Path(self.env.doc2path(page_of(lesson))).read_text(encoding="utf-8"))
        return "".join(notebook["cells"][0]["source"]).splitlines()[0].lstrip("# ").partition(":")[0]

    def lesson(self, run: Run) -> str:
        """The folder of the lesson whose recipes made a run."""
        return next((page.split("/")[1] for page in sorted(self.env.found_docs) if f"_{run.topic}/" in page), "")

    def link(self, lesson: str) -> nodes.Node:
        if page_of(lesson) not in self.env.found_docs:
            return words("–")
        address = self.env.app.builder.get_relative_uri(self.env.docname, page_of(lesson))
        return html("a", words(lesson[:2]), href=address, classes="reference internal")

    def section(self, run: Run, *, is_open: bool) -> nodes.section:
        section = nodes.section("", nodes.title("", run.title.rstrip(".")), ids=[anchor(run)], names=[run.name])
        run.facts["Committed on"] = day_of(self.env.srcdir, run.name)
        where = f"{run.facts['Machine']} · {run.facts['Committed on']} · took {run.facts['Took']}"
        shown = [html("p", words(where), classes="run-where")]
        first, *others = sorted(run.tables, key=lambda table: -len(table.rows) * len(table.measures))
        shown += [chart(run, first), *tables(first)]
        if others:
            more = [part for table in others for part in (chart(run, table), *tables(table))]
            shown.append(folded(f"{counted(len(others), 'more table')} of this run", *more))
        shown.append(self.how(run))
        if not is_open:
            rows = counted(sum(len(table.rows) for table in run.tables), "row")
            seeds = max(table.seeds for table in run.tables)
            told = " · ".join([rows, *[f"{seeds} seeds"] * (seeds > 1), f"took {run.facts['Took']}"])
            shown = [html("details", html("summary", words(told)), *shown, classes="run-folded")]
        section += shown
        return section

    def how(self, run: Run) -> nodes.Node:
        rows = [html("div", html("dt", words(name)), html("dd", words(text))) for name, text in run.facts.items()]
        told = [html("p", words(part)) for part in plain(run.how)]
        command = html("code", words(f"vitcourse record {run.recipe}"))
        again = html("p", words("To make it again: "), command, words(f". The file is book/results/{run.name}.json."))
        box = html("div", *told, html("dl", *rows, classes="run-facts simple"), again)
        return folded("How this was measured", box)


def folded(summary: str, *content: nodes.Node) -> nodes.Node:
    return html("details", html("summary", words(summary)), *content, classes="run-more")


def page_of(lesson: str) -> str:
    return f"lessons/{lesson}/{lesson[3:]}"


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


def tables(table: Table) -> list[nodes.Node]:
    """Settings, then the measures as mean and range. What is long or wide is folded."""
    measures, settings = list(range(len(table.measures))), list(range(len(table.settings)))
    found = [sortable(table, table.telling or settings, measures[:COLUMNS])]
    if len(table.rows) > ROWS:
        found = [folded(f"The {len(table.rows)} rows of this table", *found)]
    if measures[COLUMNS:] or len(table.telling) < len(settings):
        whole = turned(table) if len(table.rows) <= FEW_ROWS else sortable(table, settings, measures)
        found.append(folded("All that was set and measured", whole))
    return found


def shares(table: Table) -> list[bool]:
    return [is_share(name, [cells[i] for _, cells in table.rows]) for i, name in enumerate(table.measures)]


def sortable(table: Table, told: list[int], kept: list[int]) -> nodes.Node:
    """A row for each setting."""
    share, rows = shares(table), []
    for settings, cells in table.rows:
        row = [html("td", words(settings[i]), data_value=sorted_by(settings[i])) for i in told]
        for i in kept:
            own = share[i] if table.measures != ["value"] else is_share(settings[0], [cells[i]])
            row.append(number(cells[i], own))
        rows.append(row)
    names = [*(table.settings[i] for i in told), *(table.measures[i] for i in kept)]
    return grid([label(name) for name in names], rows)


def sorted_by(text: str) -> str:
    return text.replace(",", "").casefold()


def turned(table: Table) -> nodes.Node:
    """A row for each setting and each measure, a column for each row."""
    names = [*table.settings, *table.measures]
    rows = [[html("td", words(label(name)), data_value=label(name))] for name in names]
    for settings, cells in table.rows:
        own = [html("td", words(text), data_value=sorted_by(text)) for text in settings]
        own += [number(cell, share) for cell, share in zip(cells, shares(table), strict=True)]
        for row, cell in zip(rows, own, strict=True):
            row.append(cell)
    return grid(["measure", *table.names()], rows)


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

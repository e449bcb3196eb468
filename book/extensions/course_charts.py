"""Charts of recorded runs, made of boxes with words: they take the colours of the page and the width of the screen."""

from course_labels import label, parts
from course_nodes import html, words
from course_runs import Table, is_share, text_of
from docutils import nodes


def dots(table: Table) -> nodes.Node:
    """The first measure of a table: a line for each row, a dot for each seed, a stroke at their mean."""
    own = table.measures[0]
    pairs = [(name, cells[0]) for name, (_, cells) in zip(table.names(), table.rows, strict=True) if cells[0]]
    if table.measures == ["value"]:
        pairs = [(name, cell) for name, cell in pairs if is_share(name, [cell])] or pairs[:1]
        own = "share right" if is_share(pairs[0][0], [pairs[0][1]]) else label(pairs[0][0])
    cells = [cell for _, cell in pairs]
    share = is_share(own, cells) or own == "share right"
    low, high = span([end for cell in cells for end in (cell.low, cell.high)], share)
    lines = []
    for name, cell in pairs:
        marks = [mark("dot", value, low, high) for value in sorted(set(cell.each or [cell.value]))]
        track = html("span", *marks, mark("mean", cell.value, low, high), classes="track")
        lines.append(line(name, track, text_of(cell.value, share)))
    seeds = f"a dot for each of {table.seeds} seeds, a stroke at the mean" if table.seeds > 1 else "one run each"
    return figure(f"{label(own)}: {seeds}", lines, text_of(low, share), text_of(high, share))


def bars(table: Table, family: str, columns: list[int]) -> nodes.Node:
    """Times or rates: under each row a bar for each way, from 0."""
    every = [cells[i] for _, cells in table.rows for i in columns if cells[i]]
    high = max(cell.value for cell in every)
    # Times that lie far apart would leave the short ones without a bar: each row then has a scale of its own.
    apart = high > 30 * min(max(cells[i].value for i in columns if cells[i]) for _, cells in table.rows)
    lines = []
    for name, (_, cells) in zip(table.names(), table.rows, strict=True):
        if len(columns) > 1:
            lines.append(html("p", words(name), classes="chart-group"))
        top = max(cells[i].value for i in columns if cells[i]) if apart else high
        for i in columns:
            if cell := cells[i]:
                way = parts(table.measures[i].partition(".")[2]) or name
                track = html(
                    "span", html("span", classes="bar", style=f"width: {100 * cell.value / top:.1f}%"), classes="track"
                )
                lines.append(line(way, track, text_of(cell.value, False)))
    scale = "; each group has its own scale" if apart else ""
    return figure(f"{label(family)}, from 0{scale}", lines, "", "")


def span(values: list[float], share: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    if share:
        return (0.0, 1.0) if high - low > 0.3 else (max(0.0, round(low - 0.05, 2)), min(1.0, round(high + 0.05, 2)))
    room = 0.05 * (high - low) or abs(high) or 1.0
    return low - room, high + room


def mark(kind: str, value: float, low: float, high: float) -> nodes.Node:
    return html("span", classes=kind, style=f"left: {100 * (value - low) / (high - low):.1f}%")


def line(name: str, track: nodes.Node, value: str) -> nodes.Node:
    return html("div", html("span", words(name), classes="name"), track, html("span", words(value), classes="value"))


def figure(claim: str, lines: list[nodes.Node], low: str, high: str) -> nodes.Node:
    parts = [html("p", words(claim), classes="chart-claim"), *lines]
    if low:
        ends = html("span", html("span", words(low)), html("span", words(high)), classes="track ends")
        parts.append(html("div", html("span", classes="name"), ends, html("span", classes="value")))
    return html("div", *parts, classes="run-chart")

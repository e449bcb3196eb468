"""The results table of the sign project: the published rows, and recorded runs beside them."""

import html
import math
from collections.abc import Callable, Iterable, Mapping
from statistics import mean, stdev

# Read from the tables of the slides that the course follows (D. Sociu, "Vision transformer", in Romanian, not public),
# on the real American Sign Language photos; fractions of 1, None where the document gives no number.
_COLUMNS = ("train accuracy", "train loss", "valid accuracy", "valid loss", "IoU@50", "IoU@75", "IoU@90")
PUBLISHED = {
    "ViT-B/16, in21k, letters only": (None, None, 0.8888, None, None, None, None),
    "ResNet-18": (1.0, 0.0099, 0.8819, 0.4073, 1.0, 0.8472, 0.1319),
    "ViT-B/16, in21k, without C": (1.0, 0.0854, 0.9097, 0.3724, 1.0, 0.8055, 0.1250),
    "ViT-B/16, in21k, C, sigmoid": (1.0, 0.0006, 0.8750, 0.4733, 1.0, 0.9930, 0.6388),
    "ViT-B/16, in21k, C, no sigmoid": (1.0, 0.0006, 0.8819, 0.3549, 1.0, 0.9930, 0.6597),
}


def interval(values: Iterable[float]) -> tuple[float, float]:
    """Mean of several seeds, and half the width of its 95% interval (Student's t).

    Raises:
        ValueError: fewer than 2 values.
    """
    from scipy import stats

    values = list(values)
    if len(values) < 2:
        raise ValueError(f"an interval takes at least 2 values, got {len(values)}")
    return mean(values), float(stats.t.ppf(0.975, len(values) - 1)) * stdev(values) / math.sqrt(len(values))


def compared_table(rows: Iterable[dict], label: str = "results") -> str:
    """An HTML table of the rows of a recorded `asl_table`, each below the published row that it stands beside.

    Args:
        label: what a screen reader calls the table; no two of a page may share it.

    A cell gives the mean over the seeds, and below it half the width of its 95% interval. A dash stands where the
    document gives no number, or where no box was trained.
    """
    groups: dict[str, dict[str, list[dict]]] = {name: {} for name in PUBLISHED}
    for row in rows:
        groups[row["published"]].setdefault(row["title"], []).append(row)
    lines = []
    for name, ours in groups.items():
        lines.append(_row(f"{name} (published)", ([value] for value in PUBLISHED[name])))
        for title, runs in ours.items():
            chosen = html.escape(f"{runs[0]['image_size']} px, chosen on {runs[0]['chosen_on']}")
            head = f"<strong>{html.escape(title)}</strong><br><small>{chosen}</small>"
            lines.append(_row(head, zip(*(_values(run) for run in runs), strict=True), _estimate))
    return _table(lines, label)


def results_table(recorded: Mapping[str, Iterable[dict]], label: str = "results") -> str:
    """An HTML table: the published rows, then one row for each named group of recorded runs.

    Args:
        recorded: for each name, runs that differ in their seed alone; each holds ``train`` and ``valid`` as measured
            by `asl.evaluate`. A cell shows the mean, and below it the least and the greatest value.
        label: as for `compared_table`.
    """
    rows = [_row(f"{name} (published)", ([value] for value in values)) for name, values in PUBLISHED.items()]
    for name, runs in recorded.items():
        rows.append(_row(f"<strong>{html.escape(name)}</strong>", zip(*(_values(run) for run in runs), strict=True)))
    return _table(rows, label)


def _table(rows: list[str], label: str) -> str:
    head = "".join(f'<th scope="col">{column.replace(" ", "<br>")}</th>' for column in ("model", *_COLUMNS))
    # The frame scrolls sideways on a narrow screen, also by keyboard.
    named = f'role="region" aria-label="{html.escape(label)}"'
    return (
        f'<div class="results-table" style="overflow-x: auto" tabindex="0" {named}>'
        f'<table class="dataframe"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _row(name: str, columns: Iterable[Iterable[float | None]], several: Callable | None = None) -> str:
    write = several or _cell
    cells = (f"<td>{write(column, list(values))}</td>" for column, values in zip(_COLUMNS, columns, strict=True))
    return f'<tr><th scope="row">{name}</th>{"".join(cells)}</tr>'


def _values(run: dict) -> tuple[float | None, ...]:
    train, valid = run["train"], run["valid"]
    letters = (train["accuracy"], train["loss"], valid["accuracy"], valid["loss"])
    return (*letters, valid.get("iou50"), valid.get("iou75"), valid.get("iou90"))


def _estimate(column: str, values: list[float | None]) -> str:
    if None in values or len(values) == 1:
        return _cell(column, values)
    scale, unit, form = (1, "", ".2f") if column.endswith("loss") else (100, "%", ".1f")
    middle, half = (scale * value for value in interval(values))
    return f"{middle:{form}}{unit}<br><small>± {half:{form}}</small>"


def _cell(column: str, values: list[float | None]) -> str:
    if None in values:
        return "–"
    if len(values) == 1:  # as published
        return f"{values[0]:.4f}" if column.endswith("loss") else f"{values[0]:.2%}"
    scale, unit, form = (1, "", ".2f") if column.endswith("loss") else (100, "%", ".1f")
    mean, least, greatest = (scale * value for value in (sum(values) / len(values), min(values), max(values)))
    return f"{mean:{form}}{unit}<br><small>{least:{form}}–{greatest:{form}}</small>"

"""Recorded runs as tables: any file of ``book/results`` becomes rows of settings and measures, with no word typed here
about a single run. What a run is about is read off the recipe that made it.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from course_labels import in_words, label, parts

from vitcourse import recipes

SEED, SPEED = "seed", "speed"
# What is shown first where a run has it; the rest comes in the order of the file.
TELLING = ("valid.accuracy", "right.both", "accuracy", "test", "error")
AS_SHARE = re.compile(
    r"accuracy|(iou|IoU@)\d|right|test|train|valid|held|top3|teacher|student|class|distillation|both|agree|share|exact|tokens|"
    r"probability|named|refused|otherwise|as_trained|new_orders|ema|score|hidden|by_"
)
NO_SHARE = re.compile(r"loss|seconds|mean_iou|mean IoU|gradient|lr|parameters|images$|variance|levels|spread|step")
ASIDE = re.compile(r"(cpu_)?seconds|threads|valid_read|epochs?|rounds")
SET = re.compile(r"(.*\.)?(rate|lr|gamma|\w+_divisor)")
# Longer words in a row are all answers in a string, of which a table shows how many are right; far longer ones are a
# picture, and such rows are there for a page that computes.
WORDS, PICTURE = 100, 2000


@dataclass
class Cell:
    """A mean and how far it goes, over seeds or rounds; or one number."""

    value: float
    low: float
    high: float
    each: list[float] = field(default_factory=list)


@dataclass
class Table:
    """Rows of one list in a file: what was set, and what came out."""

    name: str
    settings: list[str]
    measures: list[str]
    rows: list[tuple[list[str], list[Cell | None]]]
    seeds: int

    @property
    def telling(self) -> list[int]:
        """The settings that tell the rows apart; what else was set follows from them."""
        found, told = [], 1
        for i, _ in enumerate(self.settings):
            apart = len({tuple(settings[k] for k in (*found, i)) for settings, _ in self.rows})
            if apart > told:
                found, told = [*found, i], apart
        return found

    def names(self) -> list[str]:
        return [", ".join(settings[i] for i in self.telling) or "all" for settings, _ in self.rows]


@dataclass
class Run:
    """One file of recorded results."""

    name: str
    recipe: str
    topic: str
    title: str
    how: str
    facts: dict[str, str]
    tables: list[Table]
    content: dict


@cache
def _recipes() -> dict[str, tuple[str, str]]:
    """(topic, docstring) of each recipe, by its name."""
    folder, found = Path(recipes.__file__).parents[2], {}
    for name, module in recipes.modules().items():
        source = (folder / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        found[name] = (module.split(".")[2], ast.get_docstring(ast.parse(source)) or "")
    return found


def read_run(file: Path) -> Run:
    content, name = json.loads(file.read_text(encoding="utf-8")), file.stem
    made_by = max((known for known in _recipes() if name == known or name.startswith(f"{known}_")), key=len, default="")
    topic, told = _recipes().get(made_by, ("", ""))
    first, _, rest = told.partition("\n\n")
    title = " ".join(first.split()).partition(": ")[2].replace("`", "") or name.replace("_", " ")
    provenance = content.get("provenance", {})
    threads = provenance.get("threads", 1)
    kept = {key: value for key, value in content.items() if key not in ("seconds", "provenance")}
    facts = {
        "Machine": f"{provenance.get('device', 'not known')}, {threads} thread{'s' * (threads != 1)}",
        "Took": duration(content.get("seconds", 0)),
        "Versions": ", ".join(f"{key} {value}" for key, value in provenance.get("versions", {}).items() if value),
        **{parts(key): shown(one) for key, one in kept.items() if isinstance(one, str | int | float)},
    }
    tables = [made for key, rows in lists_of(kept) if (made := table_of(key, rows))]
    if not tables and (
        alone := table_of("", [{key: value for key, value in kept.items() if isinstance(value, float)}])
    ):
        tables = [alone]
    return Run(name, made_by, topic, title[:1].upper() + title[1:], rest, facts, tables, content)


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def lists_of(content: dict, below: str = "") -> Iterator[tuple[str, list[dict]]]:
    """Every list of rows in a file, by its place."""
    for key, value in content.items():
        if isinstance(value, list) and len(value) > 1 and all(map(is_row, value)):
            yield f"{below}{key}", value
        elif isinstance(value, dict):
            yield from lists_of(value, f"{below}{key}.")


def flat(row: dict, below: str = "") -> dict:
    """A row with names such as ``valid.accuracy``; a median with its range is one `Cell`."""
    found = {}
    for key, value in row.items():
        name = f"{below}{key}"
        if isinstance(value, dict) and "median" in value:
            low, high = value.get("quartiles") or (value["least"], value["greatest"])
            found[name] = Cell(value["median"], low, high)
        elif isinstance(value, dict):
            found |= flat(value, f"{name}.")
        elif not isinstance(value, list):
            found |= {name: value} if len(str(value)) <= WORDS else {}
        elif not below and len(value) > 2 and all(map(is_number, value)):
            found[f"{name}, last"] = value[-1]
    return found


def is_row(value) -> bool:
    return isinstance(value, dict) and not any(isinstance(one, str) and len(one) > PICTURE for one in value.values())


def is_number(value) -> bool:
    return isinstance(value, int | float | Cell) and not isinstance(value, bool)


def groups_by(rows: list[dict], keys: list[str]) -> dict[tuple, list[dict]]:
    found: dict[tuple, list[dict]] = {}
    for row in rows:
        found.setdefault(tuple(str(row.get(key)) for key in keys), []).append(row)
    return found


def repeats(rows: list[dict], keys: list[str]) -> int:
    """How many rows are not told apart by these settings and the seed."""
    return len(rows) - len(groups_by(rows, [*keys, SEED]))


def table_of(name: str, rows: list[dict]) -> Table | None:
    """Rows with equal settings are one row: the mean over their seeds, and the range."""
    rows = [flat(row) for row in rows]
    columns = list(dict.fromkeys(key for row in rows for key in row if key != SEED))
    numbers = [key for key in columns if all(is_number(row[key]) for row in rows if row.get(key) is not None)]
    numbers = [key for key in numbers if any(row.get(key) is not None for row in rows)]
    keys = [key for key in columns if key not in numbers]
    # A number is a setting where rows of one seed cannot be told apart without it.
    for key in sorted(numbers, key=lambda key: not isinstance(rows[0].get(key), int)):
        if isinstance(rows[0].get(key), Cell):
            continue
        if repeats(rows, [*keys, key]) < repeats(rows, keys):
            keys.append(key)
    groups = list(groups_by(rows, keys).values())
    keys += [key for key in numbers if key not in keys and is_set(key, groups)]
    measures = [key for key in numbers if key not in keys and not is_aside(key, rows)]
    measures.sort(key=lambda key: TELLING.index(key) if key in TELLING else len(TELLING))
    if not measures:
        return None
    made = [([shown(own[0].get(key)) for key in keys], [joined(own, key) for key in measures]) for own in groups]
    seeds = len({row.get(SEED) for row in rows})
    if len(made) == 1:
        cells = made[0][1]
        return Table(
            name,
            ["measure"],
            ["value"],
            [([label(key)], [cell]) for key, cell in zip(measures, cells, strict=True)],
            seeds,
        )
    telling = [i for i, _ in enumerate(keys) if len({row[0][i] for row in made}) > 1]
    made = [([row[i] for i in telling], cells) for row, cells in made]
    return Table(name, [keys[i] for i in telling], measures, made, seeds)


def is_set(key: str, groups: list[list[dict]]) -> bool:
    """Whether a number was chosen rather than measured: whole, or named as a setting, and the same for all seeds."""
    values = [[row.get(key) for row in rows] for rows in groups]
    named = SET.fullmatch(key) or all(isinstance(value, int | None) for own in values for value in own)
    return bool(named) and all(len(set(own)) == 1 for own in values)


def is_aside(key: str, rows: list[dict]) -> bool:
    return bool(ASIDE.fullmatch(key)) and not any(isinstance(row.get(key), Cell) for row in rows)


def joined(rows: list[dict], key: str) -> Cell | None:
    values = [row[key] for row in rows if row.get(key) is not None]
    if not values:
        return None
    if isinstance(values[0], Cell):
        return values[0]
    return Cell(sum(values) / len(values), min(values), max(values), values)


def shown(value) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else in_words(str(value))


def is_share(key: str, cells: list[Cell | None]) -> bool:
    values = [cell.value for cell in cells if cell]
    last = key.rpartition(".")[2]
    return bool(AS_SHARE.search(key)) and not NO_SHARE.search(last) and all(0 <= value <= 1 for value in values)


def text_of(value: float, share: bool) -> str:
    if share:
        return f"{100 * value:.1f}%".replace(".0%", "%")
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

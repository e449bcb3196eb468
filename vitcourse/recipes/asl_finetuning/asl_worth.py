"""The recorded run ``asl_worth``: what labels, head, start and the constant C are worth on the real photos, each alone.

The setting that all are compared with has tight labels, a box head that finds each side, the start from rendered signs,
and C = 10. Each row changes one of them (the last changes two). All are trained for as long and judged on one hold-out
of train, by both kinds of labels; valid is not read. What `asl_heads` has trained already is taken from its record.

One seed a row, as there: a gap of 5 points may come from the seed.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_data.photos import identity, real_parts
from vitcourse.recipes.asl_finetuning import asl_heads
from vitcourse.recipes.asl_finetuning.asl_heads import held_out_row, recorded

ALL = {"labels": "tight", "box_head": "sides", "backbone": "vit-signs", "classification_divisor": 10.0}
CHANGES = {
    "all of it": {},
    "from random weights": {"backbone": "vit"},
    "C = 1": {"classification_divisor": 1.0},
    "C = 100": {"classification_divisor": 100.0},
    "exported labels": {"labels": "exported"},
    "head on the mean": {"box_head": "mean"},
    "exported labels, head on the mean": {"labels": "exported", "box_head": "mean"},
}


@recipe("asl_worth", needs_data=True)
def record(data: Path, say: Say) -> Iterator[dict]:
    """Trains what neither record holds yet; the file is written after each row."""
    known = identity(data)
    old, heads = (recorded(name, known) or {"rows": []} for name in ("asl_worth", "asl_heads"))
    rows, parts = [], real_parts(data, say, tight=True)
    content = {"data": known, "hold_out": {"share": asl_heads.HOLD_OUT, **parts.counts(asl_heads.HOLD_OUT)}}
    for title, changes in CHANGES.items():
        settings = ALL | changes
        found = next((row for row in old["rows"] + in_full(heads["rows"]) if row["settings"] == settings), None)
        found = found or held_out_row(replace(asl_heads.RUN, **settings), parts)
        rows.append({"title": title, "settings": settings, "seed": 0} | found)
        single = found["held_out"]["single look"]["tight"]
        say(f"{title}: letters {single['accuracy']:.1%}, IoU@90 {single['iou90']:.1%}")
        yield content | {"rows": rows, "seconds": sum(row["seconds"] for row in rows)}


def in_full(rows: list[dict]) -> list[dict]:
    """Rows of `asl_heads` with seed 0, with the settings that all of them share."""
    shared = {name: getattr(asl_heads.RUN, name) for name in ALL}
    return [row | {"settings": shared | row["settings"]} for row in rows if row["seed"] == 0]

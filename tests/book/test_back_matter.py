"""What the pages behind the lessons are made from: the glossary, recorded runs, and the words of errors."""

import json
import re
import tomllib
from pathlib import Path

import nbformat
import pytest
from course_labels import in_words, label
from course_runs import Cell, read_run, table_of, text_of
from docutils.nodes import make_id

ROOT = Path(__file__).parents[2]
GLOSSARY = tomllib.loads((ROOT / "book" / "glossary.toml").read_text(encoding="utf-8"))
# Headings of the troubleshooting page that are the words of other programs, or of no program.
FOREIGN = re.compile(
    r"No space|operator torchvision|ModuleNotFoundError|vitcourse: command|NotImplementedError|CheckFailed|name '|mat1|"
    r"CUDA|Expected all|A slider|Your progress"
)


def anchors(page: str) -> set[str]:
    cells = nbformat.read(ROOT / "lessons" / f"{page}.ipynb", as_version=4).cells
    lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    return {make_id(re.sub(r"[`$*]", "", line.lstrip("# "))) for line in lines if re.match("#{1,4} ", line)}


def test_every_term_stands_in_order_and_its_section_exists():
    assert list(GLOSSARY) == sorted(GLOSSARY, key=str.casefold)
    missing = [name for name, entry in GLOSSARY.items() if (at := entry["at"].split("#"))[1] not in anchors(at[0])]
    assert missing == []


def test_no_two_terms_are_called_the_same():
    """But for what the reports call by one word."""
    names = [word.casefold() for name, entry in GLOSSARY.items() for word in (name, *entry.get("also", []))]
    assert [name for name in names if names.count(name) > 1] == []


def test_errors_of_the_course_are_quoted_as_they_are():
    page = (ROOT / "book" / "troubleshooting.md").read_text(encoding="utf-8")
    files = [*ROOT.glob("vitcourse/**/*.py"), *ROOT.glob("book/programs/*.py"), *ROOT.glob("book/assets/static/*.js")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in [*files, ROOT / "Makefile"])
    own = [line for line in re.findall("^### (.+)", page, re.MULTILINE) if not FOREIGN.match(line)]
    parts = {part.strip() for line in own for part in line.split("…")}
    assert len(own) > 10
    assert [part for part in parts if part not in source] == []


def test_rows_with_equal_settings_are_one_row_with_the_range_of_their_seeds():
    rows = [
        {
            "model": model,
            "rate": rate,
            "seed": seed,
            "images": 90,
            "valid": {"accuracy": value + seed / 100},
            "seconds": 3.0,
        }
        for model, rate, value in (("a", 0.1, 0.5), ("a", 0.2, 0.6), ("b", 0.1, 0.7))
        for seed in (0, 1, 2)
    ]
    table = table_of("rows", rows)
    assert table.settings == ["model", "rate"]
    assert table.measures == ["valid.accuracy"]
    assert table.seeds == 3
    assert [row for row, _ in table.rows] == [["a", "0.1"], ["a", "0.2"], ["b", "0.1"]]
    (first,) = table.rows[0][1]
    assert (first.low, first.high) == (0.5, 0.52)
    assert first.value == pytest.approx(0.51)


def test_rows_are_named_by_the_settings_that_tell_them_apart():
    ways = (("as it comes", "none", 0), ("as it comes", "none", 2), ("one thread", "1", 0))
    rows = [{"way": way, "threads": threads, "busy": f"{busy}", "share": 0.5} for way, threads, busy in ways]
    table = table_of("rows", rows)
    assert table.settings == ["way", "threads", "busy"]
    assert table.names() == ["as it comes, 0", "as it comes, 2", "one thread, 0"]


def test_answers_in_a_row_are_no_setting_and_pictures_no_table(tmp_path):
    file = tmp_path / "a_run.json"
    rows = [{"seed": seed, "right": 0.5, "letters": "ABC" * 50} for seed in (0, 1)]
    file.write_text(json.dumps({"rows": rows, "pictures": [{"right": 0.5, "png": "iVBO" * 999}] * 2}), encoding="utf-8")
    (table,) = read_run(file).tables
    assert table.rows == [(["right"], [Cell(0.5, 0.5, 0.5, [0.5, 0.5])])]


def test_a_median_keeps_its_quartiles():
    table = table_of("rows", [{"way": way, "ratio": {"median": 2.0, "quartiles": [1.0, 3.0]}} for way in "ab"])
    assert table.rows[1] == (["b"], [Cell(2.0, 1.0, 3.0)])


def test_every_recorded_run_is_read_and_says_what_it_asked():
    runs = [read_run(file) for file in sorted((ROOT / "book" / "results").glob("*.json"))]
    empty = [run.name for run in runs if not run.tables]
    others = {
        "lesson_cost": "the cards",
        "large_class": "the guide",
        "asl_valid_reads": "a count",
        "asl_neighbours": "the tables of the real photos",
        "asl_sides": "pages",
        "sign_pictures": "pages",
    }
    assert set(empty) <= set(others)
    # What no recipe makes is shown elsewhere.
    assert {run.name for run in runs if run.tables and not (run.recipe and run.topic)} <= set(others)
    for run in runs:
        for table in run.tables:
            assert all(len(settings) == len(table.settings) for settings, _ in table.rows), run.name


def test_no_head_of_a_recorded_run_is_a_key():
    runs = [read_run(file) for file in sorted((ROOT / "book" / "results").glob("*.json"))]
    heads = {label(key) for run in runs for table in run.tables for key in (*table.settings, *table.measures)}
    heads |= {row[0] for run in runs for table in run.tables if table.measures == ["value"] for row, _ in table.rows}
    assert [head for head in sorted(heads) if re.search(r"[a-z]_|iou\d|\b(lr|hf|giou|dim|title)\b|, last", head)] == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("valid.mean_iou", "valid, mean IoU"),
        ("held_out_iou75", "hold-out, IoU@75"),
        ("constant.0.04.iou90", "less a constant, 0.04, IoU@90"),
        ("losses, last", "loss, at the end"),
        ("settings.OMP_NUM_THREADS", "OMP_NUM_THREADS"),
    ],
)
def test_a_key_is_told_in_words(key, words):
    assert label(key) == words


def test_settings_are_told_in_words():
    assert [in_words(text) for text in ("C = 1, giou", "adamw", "11717214", "1437")] == [
        "C = 1, GIoU",
        "AdamW",
        "11,717,214",
        "1437",
    ]


@pytest.mark.parametrize(
    ("value", "share", "text"), [(0.5, True, "50%"), (0.8333, True, "83.3%"), (1234.5, False, "1,234")]
)
def test_numbers_are_short(value, share, text):
    assert text_of(value, share) == text

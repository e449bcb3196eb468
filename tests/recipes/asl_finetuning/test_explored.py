"""What pages are told of pulls and of frozen blocks, at sizes that take seconds, and what was recorded at full size."""

import json
from dataclasses import replace

import pytest

from vitcourse import results
from vitcourse.recipes.asl_finetuning import asl_pulls, frozen_blocks

pytestmark = pytest.mark.trains


def test_pulls_are_measured_with_new_and_with_trained_heads(folder, monkeypatch):
    monkeypatch.setattr(asl_pulls, "PICTURES", asl_pulls.PICTURES | {"train": 78, "valid": 26})
    monkeypatch.setattr(asl_pulls, "WIDE", replace(asl_pulls.WIDE, epochs=1))
    monkeypatch.setattr(asl_pulls, "BOX_LOSSES", ("mse", "giou"))
    content = json.loads(asl_pulls.record(None, lambda line: None).read_text())
    assert [(row["heads"], row["loss"]) for row in content["rows"]] == [
        (heads, loss) for heads in ("new", "trained") for loss in ("mse", "giou")
    ]
    new, _, trained, _ = content["rows"]
    assert trained["box_loss"] < new["box_loss"]
    assert all(abs(row["cosine"]) <= 1 for row in content["rows"])


def test_the_recorded_square_pulls_least_where_boxes_are_right():
    rows = {(row["heads"], row["loss"]): row for row in results.load("asl_pulls")["rows"]}
    assert rows["trained", "mse"]["box_pull"] < rows["new", "mse"]["box_pull"]
    assert rows["trained", "giou"]["box_pull"] > rows["new", "giou"]["box_pull"]


def test_frozen_blocks_are_counted_and_timed(folder, monkeypatch):
    monkeypatch.setattr(frozen_blocks, "BATCH", 2)
    monkeypatch.setattr(frozen_blocks, "ROUNDS", 1)
    rows = json.loads(frozen_blocks.record(None, lambda line: None).read_text())["rows"]
    assert [row["frozen"] for row in rows] == [-1, 0, 1, 2, 3, 4, 5, 6]
    for name in ("trained_parameters", "operations", "kept_bytes"):
        values = [row[name] for row in rows]
        assert values == sorted(values, reverse=True)
        assert values[-1] < 0.4 * values[0]
    assert all(row["step_seconds"] > 0 for row in rows)

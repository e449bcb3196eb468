"""The comparison of box heads and the final trainings, on few rendered signs: what is trained, judged and kept."""

import json
from dataclasses import replace

import pytest

from vitcourse.asl import trainer
from vitcourse.asl.looks import READINGS
from vitcourse.data.asl import load, synthesise
from vitcourse.recipes.asl_finetuning import asl_heads, asl_reach, asl_worth


@pytest.fixture
def signs(folder, monkeypatch):
    """Signs where the photos would lie; every training takes one epoch."""
    synthesise(folder / "signs", train=78, valid=26, test=0, size=32)
    for module in (asl_heads, asl_reach):
        short = replace(module.RUN, image_size=32, training=replace(module.RUN.training, epochs=1))
        monkeypatch.setattr(module, "RUN", short)
        monkeypatch.setattr(module, "SEEDS", (0, 1))
    monkeypatch.setattr(asl_reach, "SIZES", (32, 48))
    monkeypatch.setattr(asl_heads, "TRAINING", asl_heads.RUN.training)
    monkeypatch.setattr(asl_heads, "SETTINGS", (asl_heads.SETTINGS[0], asl_heads.SETTINGS[-1]))
    return folder / "signs"


def watched(monkeypatch, calls, stop_after=None):
    fit = trainer.fit_signs

    def seen(model, run, train, judged, *rest, **options):
        if len(calls) == stop_after:
            raise KeyboardInterrupt
        calls.append((run.box_head, run.labels, run.training.seed, len(train), judged))
        return fit(model, run, train, judged, *rest, **options)

    monkeypatch.setattr(trainer, "fit_signs", seen)


def test_heads_are_judged_on_the_hold_out_by_both_labels_and_go_on_where_they_ended(signs, monkeypatch):
    calls = []
    with monkeypatch.context() as patch:
        watched(patch, calls, stop_after=3)
        with pytest.raises(KeyboardInterrupt):
            asl_heads.record(signs, lambda line: None)
    watched(monkeypatch, calls)
    content = json.loads(asl_heads.record(signs, lambda line: None).read_text())
    asked = [("sides", "tight"), ("mean", "exported")]
    assert calls == [(*pair, seed, 52, None) for seed in (0, 1) for pair in asked]
    assert [(row["settings"], row["seed"]) for row in content["rows"]] == [
        (dict(zip(("box_head", "labels"), pair, strict=True)), seed) for seed in (0, 1) for pair in asked
    ]
    assert content["hold_out"]["held_out"] == 26
    for row in content["rows"]:
        assert tuple(row["held_out"]) == READINGS
        assert all(set(said) == {"exported", "tight", "seconds"} for said in row["held_out"].values())
    assert content["rows"][0]["parameters"]["box_head"] < content["rows"][0]["parameters"]["all"]


def test_the_last_trainings_read_valid_once_each_and_the_reads_are_counted(signs, monkeypatch):
    calls = []
    watched(monkeypatch, calls)
    (signs.parent / "book" / "results").mkdir(parents=True)
    real = {"rows": [{}, {}, {}]}
    (signs.parent / "book" / "results" / "asl_real.json").write_text(json.dumps(real))
    file = asl_reach.record(signs, lambda line: None)
    content, reads = (json.loads((file.parent / f"{name}.json").read_text()) for name in (file.stem, "asl_valid_reads"))
    assert file.stem == "asl_reach"
    assert calls == 2 * [("sides", "tight", seed, 78, None) for seed in (0, 1)]
    assert [(row["image_size"], row["seed"]) for row in content["rows"]] == [(32, 0), (32, 1), (48, 0), (48, 1)]
    assert asl_reach.reached(48) == content["rows"][2:]
    assert reads["reads"] == {"asl_reach": 4, "asl_real": 3}
    valid = load(signs, "valid")
    for row in content["rows"]:
        assert tuple(row["valid"]) == READINGS
        assert not any(name.startswith(("valid", "held_out")) for name in row["log"][0])
        photos, single = row["photos"], row["valid"]["single look"]
        right = [a == b for a, b in zip(photos["true"], photos["single look"]["letters"], strict=True)]
        assert sum(right) / len(valid) == pytest.approx(single["accuracy"])
        over = [value >= 0.75 for value in photos["single look"]["overlaps"]]
        assert sum(over) / len(valid) == pytest.approx(single["iou75"])
    assert content["settings"]["epochs"] == 1
    asl_reach.record(signs, lambda line: None)
    assert len(calls) == 4


def test_each_change_is_trained_alone_and_none_that_is_recorded(signs, monkeypatch):
    monkeypatch.setattr(asl_heads, "SEEDS", (0,))
    asl_heads.record(signs, lambda line: None)  # sides on tight labels, and mean on the exported ones
    calls = []
    watched(monkeypatch, calls)
    content = json.loads(asl_worth.record(signs, lambda line: None).read_text())
    assert [row["title"] for row in content["rows"]] == list(asl_worth.CHANGES)
    assert [call[:2] for call in calls] == 3 * [("sides", "tight")] + [("sides", "exported"), ("mean", "tight")]
    for row, changes in zip(content["rows"], asl_worth.CHANGES.values(), strict=True):
        assert row["settings"] == asl_worth.ALL | changes
        assert tuple(row["held_out"]) == READINGS
    asl_worth.record(signs, lambda line: None)
    assert len(calls) == 5
    assert [len(changes) for changes in asl_worth.CHANGES.values()] == [0, 1, 1, 1, 1, 1, 2]


def test_the_heads_are_compared_with_nothing_else_changed():
    assert {settings["box_head"] for settings in asl_heads.SETTINGS} == {
        *("sides", "mean", "query", "distances", "flattened")
    }
    assert all(set(settings) == {"box_head", "labels"} for settings in asl_heads.SETTINGS)
    assert asl_heads.RUN.hold_out == 0.2
    assert asl_reach.RUN.hold_out == 0.0

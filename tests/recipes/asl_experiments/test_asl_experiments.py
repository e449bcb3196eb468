"""The recipes of the lesson on experiments, at sizes that take seconds; and a record that is taken up again."""

import base64
import json
from dataclasses import replace

import pytest

from vitcourse.asl import study
from vitcourse.recipes.asl_experiments import (
    asl_divisor,
    asl_fair,
    asl_mistakes,
    asl_sides,
    asl_study,
    asl_weighting,
    many,
)

pytestmark = pytest.mark.trains
TINY = {"train": 52, "valid": 26, "test": 0, "size": 32, "seed": 1}
QUICK = replace(many.RUN, backbone="vit", image_size=32, training=replace(many.RUN.training, epochs=1))


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    for module in (asl_divisor, asl_weighting, asl_mistakes, asl_study):
        monkeypatch.setattr(module, "RUN", QUICK)
    for module in (asl_divisor, asl_weighting, asl_study):
        monkeypatch.setattr(module, "PICTURES", TINY)
    monkeypatch.setattr(many.every, "__kwdefaults__", many.every.__kwdefaults__ | {"seeds": (0, 1)})


def recorded(recipe):
    return json.loads(recipe.record(None, lambda line: None).read_text())


def test_every_setting_is_run_with_every_seed_and_an_unfinished_record_is_taken_up(folder):
    ran = []

    def one(setting, seed):
        ran.append((setting["title"], seed))
        return {"valid": {"accuracy": 0.5}}

    settings = [{"title": "a"}, {"title": "b"}]
    made = many.every("trial", {"size": 3}, settings, one, seconds=1, say=lambda line: None)
    content = [next(made) for _ in range(3)][-1]
    file = many.results.FOLDER / "trial.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(content))
    said = []
    content = list(many.every("trial", {"size": 3}, settings, one, seconds=1, say=said.append))[-1]
    assert ran == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert [(row["title"], row["seed"]) for row in content["rows"]] == ran
    assert said[0] == "trial: 1 runs of about 1 s, 0.00 processor hours"
    list(many.every("trial", {"size": 4}, settings, one, seconds=1, say=said.append))
    assert len(ran) == 8  # another size is another record


def test_divisor_and_weighting(folder, monkeypatch):
    monkeypatch.setattr(asl_divisor, "SETTINGS", asl_divisor.SETTINGS[::7])
    content = recorded(asl_divisor)
    assert len(content["rows"]) == 4
    assert all(row["pulls"]["box_pull"] > 0 for row in content["rows"])
    content = recorded(asl_weighting)
    assert len(content["rows"]) == 16
    learned = {row["way"] for row in content["settings"] if row["way"] in ("uncertainty", "GradNorm")}
    assert len(learned) == 2
    assert {len(row["letter_over_box"]) for row in content["rows"]} == {0, 1}


def test_mistakes_are_counted_once(folder, monkeypatch):
    monkeypatch.setattr(asl_mistakes, "SETS", TINY | {"test": 26})
    monkeypatch.setattr(asl_mistakes, "SETTINGS", [{"title": "1 epoch", "epochs": 1}])
    for row in recorded(asl_mistakes)["rows"]:
        assert sum(row["kinds"].values()) == 26
        assert len(row["pairs"]) == row["kinds"]["box alone"] + row["kinds"]["neither"]
        assert sum(number for *_, number in row["before"]["bins"]) == 26
        assert row["after"]["loss"] <= row["before"]["loss"] + 0.5


def test_budgets_are_equal_in_what_they_say():
    costs = {"ViT": {"operations": 30.0, "seconds": 4.0}, "ResNet-18": {"operations": 10.0, "seconds": 2.0}}
    assert [one["epochs"] for one in asl_fair.budgets(costs)] == [8, 8, 24, 16]
    parameters = [sum(p.numel() for p in make().parameters()) for make in asl_fair.BACKBONES.values()]
    assert max(parameters) < 1.1 * min(parameters)


def test_the_fair_comparison(folder, monkeypatch):
    monkeypatch.setattr(asl_fair, "TRAINING", replace(asl_fair.TRAINING, epochs=1))
    monkeypatch.setattr(asl_fair, "TRAIN", 64)
    monkeypatch.setattr(asl_fair, "RATES", dict.fromkeys(asl_fair.BACKBONES, (0.001,)))
    content = recorded(asl_fair)
    assert len(content["rows"]) == 8
    assert content["costs"]["ViT"]["operations"] > 0


@pytest.mark.parametrize("box_head", ["mean", "sides"])
def test_the_study_reads_its_winner_with_new_seeds(folder, monkeypatch, box_head):
    real = study.settings_of

    def settings_of(trial, epochs, seed):
        run, heads = real(trial, epochs, seed)
        return replace(run, backbone="vit", image_size=32, box_head=box_head, balance="constant"), heads

    monkeypatch.setattr(study, "settings_of", settings_of)
    monkeypatch.setattr(asl_study, "PICTURES", TINY | {"train": 78})
    monkeypatch.setattr(asl_study, "hours", lambda *_: 0.0)
    for name, value in (("TRIALS", 3), ("EPOCHS", 1), ("SEEDS", (0,))):
        monkeypatch.setattr(asl_study, name, value)
    content = recorded(asl_study)
    assert [row["title"] for row in content["rows"]] == ["best of the study", "the project's"]
    assert content["counts"] == {"COMPLETE": 3}
    assert not (folder / "book" / "results" / asl_study.JOURNAL).exists()


def test_sides_are_looked_for(folder, monkeypatch):
    monkeypatch.setattr(asl_sides, "RUN", replace(QUICK, box_head="sides", box_loss="giou"))
    monkeypatch.setattr(asl_sides, "DATA", TINY)
    monkeypatch.setattr(asl_sides, "CHOSEN", "LV")
    monkeypatch.setattr(asl_sides, "PIXELS", 64)
    content = recorded(asl_sides)
    assert [picture["letter"] for picture in content["pictures"]] == ["L", "V"]
    assert content["side"] == 4
    for picture in content["pictures"]:
        assert len(base64.b64decode(picture["shares"]["bytes"])) == 4 * 4**2
        assert len(picture["offsets"]["scales"]) == len(picture["box"]) == 4

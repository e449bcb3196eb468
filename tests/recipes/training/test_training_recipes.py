"""The recorded runs of lesson 08, on sizes that take seconds."""

import json
from dataclasses import replace

import pytest
import torch

from vitcourse import results
from vitcourse.recipes.speed import compiled_step
from vitcourse.recipes.training import noise_floor, training_choices, training_trials, two_processes
from vitcourse.recipes.training.training_choices import BASE, CHANGES, Choice, factor_of, optimizer_of, train


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [("constant", [1, 1, 1]), ("step", [1, 0.1, 0.01]), ("plateau", [1, 1, 1]), ("cosine", [1, 0.6545085, 0.0954915])],
)
def test_shares_of_the_peak_by_hand(schedule, expected):
    """30 steps with a warm-up of 3; then one in each third, or for the cosine at 0, 2 and 4 fifths of the 27 left."""
    factor = factor_of(Choice(schedule=schedule), 30)
    assert [factor(step) for step in range(3)] == pytest.approx([1 / 3, 2 / 3, 1])
    places = (3, 3 + 27 * 0.4, 3 + 27 * 0.8) if schedule == "cosine" else (5, 15, 25)
    assert [factor(step) for step in places] == pytest.approx(expected)


def test_the_optimizers_of_the_choices():
    model = training_choices.make()
    assert [group["weight_decay"] for group in optimizer_of(model, BASE).param_groups] == [0.05, 0.0]
    everything = optimizer_of(model, CHANGES["all decayed"]).param_groups
    assert [group["weight_decay"] for group in everything] == [0.05, 0.05]
    (group,) = optimizer_of(model, Choice("sgd", 0.1)).param_groups
    assert (group["lr"], group["momentum"], group["weight_decay"]) == (0.1, 0.9, 0)


def test_every_change_changes_the_run_and_nothing_is_learned_at_rate_0():
    plain = train(BASE, 0, steps=48)
    assert plain == train(BASE, 0, steps=48)
    for name in ("no warm-up", "not clipped", "constant rate", "step", "no decay", "all decayed"):
        assert train(CHANGES[name], 0, steps=48) != plain, name
    still = train(replace(BASE, rate=0.0), 0, steps=92)
    assert still["test"] == still["ema"]
    assert train(BASE, 0, steps=92)["loss"] < still["loss"] - 0.2


def test_a_plateau_lowers_the_rate_where_the_loss_stands_still(monkeypatch):
    """At rate 0 no epoch is better by more than noise; what is asked is that the rule sees the epochs' losses."""
    seen = []
    rule = torch.optim.lr_scheduler.ReduceLROnPlateau
    monkeypatch.setattr(rule, "step", lambda _, loss: seen.append(loss))
    train(CHANGES["plateau"], 0, steps=4 * training_choices.EPOCH)
    assert len(seen) == 4
    assert seen[-1] < seen[0] < 2.6


def test_only_the_spoiled_batch_differs_and_clipping_bears_it(monkeypatch):
    monkeypatch.setattr(training_trials, "STEPS", 30)
    monkeypatch.setattr(training_trials, "SPOILED", 10)
    runs = training_trials.spoiled(0)
    none, clipped, spoiled = runs.values()
    assert clipped[:11] == none[:11]
    assert clipped[11:] == pytest.approx(none[11:], abs=0.1)
    assert spoiled[11:] != none[11:]
    rates = [training_trials.rising(step) for step in range(30)]
    assert (rates[0], rates[-1]) == pytest.approx((3e-4, 1.0))
    assert rates[2] / rates[1] == pytest.approx(rates[1] / rates[0])


@pytest.mark.parametrize("module", [training_choices, noise_floor])
def test_every_choice_is_recorded_with_every_seed(module, folder, monkeypatch):
    monkeypatch.setattr(module, "SEEDS", (0, 1))
    monkeypatch.setattr(training_choices, "SWEEP_SEEDS", (0,))
    monkeypatch.setattr(training_choices, "train", lambda choice, seed: {"test": choice.rate + seed})
    content = json.loads(module.record(None, [].append).read_text())
    names = CHANGES if module is training_choices else noise_floor.CHOICES
    assert {(row["choice"], row["seed"]) for row in content["rows"]} == {
        (name, seed) for name in names for seed in (0, 1)
    }
    assert len(content.get("sweep", [1] * 8)) == 8


def test_trials_are_recorded(folder, monkeypatch):
    monkeypatch.setattr(training_trials, "STEPS", 4)
    monkeypatch.setattr(training_trials, "SPOILED", 1)
    monkeypatch.setattr(training_trials, "SEEDS", (0, 1))
    rows = json.loads(training_trials.record(None, [].append).read_text())["rows"]
    assert [row["seed"] for row in rows] == [0, 1]
    assert {len(row["range test"]) for row in rows} == {4}


def test_two_processes_are_compared_with_one(folder, monkeypatch):
    start = training_choices.make().state_dict()
    found = {
        1: {name: value + 1 for name, value in start.items()},
        2: {name: value + 1.5 for name, value in start.items()},
    }
    monkeypatch.setattr(two_processes, "launched", lambda processes, _: found[processes])
    monkeypatch.setattr(two_processes, "make", lambda: type("Made", (), {"state_dict": lambda self: start})())
    content = json.loads(two_processes.record(None, [].append).read_text())
    assert content["largest_difference"] == pytest.approx(0.5)
    assert content["largest_move"] == pytest.approx(1)


def test_the_training_that_is_launched(tmp_path, monkeypatch):
    monkeypatch.setattr(two_processes, "COUNT", 40)
    monkeypatch.setattr(two_processes, "EPOCHS", 1)
    two_processes.train(tmp_path)
    assert (tmp_path / two_processes.WEIGHTS).is_file()


def test_a_compiled_step_is_timed_beside_a_plain_one(folder, monkeypatch):
    config = compiled_step.MODELS["digits"][0]
    monkeypatch.setattr(compiled_step, "MODELS", {"small": (replace(config, dim=8, depth=1), 2)})
    monkeypatch.setattr(compiled_step, "ROUNDS", 2)
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda model: compiled.append(model) or model)
    (row,) = json.loads(compiled_step.record(None, [].append).read_text())["rows"]
    assert set(row["milliseconds"]) == {"eager", "compiled"}
    assert len(compiled) == 1
    assert folder / "book" / "results" == results.FOLDER

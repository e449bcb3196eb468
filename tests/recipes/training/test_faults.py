"""The runs of lesson 08's lab: each is the healthy one but for one step, and shows the signs of one diagnosis alone."""

import json

import pytest
import torch

from vitcourse import results
from vitcourse.errors import InputError
from vitcourse.recipes.training import broken, lab, training_faults
from vitcourse.recipes.training.broken import RUNS, run
from vitcourse.recipes.training.faults import BATCHES, GROUPS, Run, gradient_norms, up_and_down, update_sizes

LETTERS = "ABCDEFGHIJ"
NAMES = {
    **dict(zip(LETTERS[:4], ("wrong labels", "rate too high", "blind token", "other inputs"), strict=True)),
    **dict(zip(LETTERS[4:8], ("detached", "schedule", "leak", "softmax twice"), strict=True)),
    **{"I": "norm in training mode", "J": "not in the optimizer", "healthy": "healthy"},
}


def test_each_broken_run_overrides_one_step():
    """Run I also sorts the held-out images, which changes nothing in evaluation mode."""
    for name in LETTERS:
        own = {step for step in vars(RUNS[name]) if not step.startswith("__")}
        assert own <= {step for step in vars(Run) if not step.startswith("__")}
        assert len(own) == (2 if name == "I" else 1)


def test_every_recorded_run_shows_the_signs_of_its_fault_and_of_no_other():
    rows = results.load("training_faults")["rows"]
    assert len(rows) == 11 * len({row["seed"] for row in rows}) >= 33
    for row in rows:
        assert row["fits"] == [NAMES[row["run"]]], row


def test_the_rate_goes_up_and_down_and_stays_at_0():
    shares = [up_and_down(step, 20) for step in range(40)]
    assert shares[:2] == [0.5, 1.0]
    assert shares[1] == shares[2] > shares[3] > shares[19] > 0
    assert set(shares[20:]) == {0.0}


def test_lengths_are_those_of_all_numbers_of_a_group():
    model, _ = Run().model_and_optimizer()
    model(torch.randn(4, 1, 8, 8)).square().sum().backward()
    norms = gradient_norms(model)
    assert list(norms) == list(GROUPS)
    total = torch.nn.utils.get_total_norm([weight.grad for weight in model.parameters()]).item()
    assert sum(norm**2 for norm in norms.values()) ** 0.5 == pytest.approx(total, rel=1e-4)
    before = [weight.detach().clone() for weight in model.parameters()]
    with torch.no_grad():
        for weight in model.parameters():
            weight *= 1.25
    assert update_sizes(model, before) == pytest.approx(dict.fromkeys(GROUPS, 0.25), rel=1e-4)


@pytest.mark.trains
def test_signs_that_show_after_one_epoch():
    logs = {name: run(name, 0, 1) for name in ("C", "D", "E", "G", "J")}
    assert lab.cut(logs["C"]) == ["patches"]
    assert max(logs["C"].spread["train"][1:]) < 1e-6
    assert lab.cut(logs["E"]) == ["patches", "block 1", "block 2"]
    assert lab.unmoved(logs["J"]) == ["head"]
    assert not lab.cut(logs["J"])
    assert 0.8 < lab.copies(logs["G"]) < 0.95
    assert lab.copies(logs["D"]) == 0
    assert logs["D"].levels["held"][1] < 0.5
    assert len(logs["D"].losses) == BATCHES


@pytest.mark.trains
def test_a_diagnosis_says_what_speaks_for_or_against_it(capsys):
    name = "E"
    lab.diagnose(name, "detached")
    assert "yes, 'detached'" in capsys.readouterr().out
    lab.diagnose(name, "wrong labels")
    said = capsys.readouterr().out
    assert "not 'wrong labels'" in said
    assert "detached" not in said
    assert "Here 99% of them agree in their labels." in said
    lab.diagnose(name, "too small")
    assert "Here no gradient reaches patches, block 1, block 2." in capsys.readouterr().out
    with pytest.raises(InputError, match=r"no diagnosis 'tired'; there are wrong labels, "):
        lab.diagnose(name, "tired")
    with pytest.raises(InputError, match=r"no run 'K'; there are healthy, A, "):
        lab.diagnose("K", "detached")


@pytest.mark.trains
def test_runs_are_recorded(folder, monkeypatch):
    monkeypatch.setattr(training_faults, "EPOCHS", 1)
    monkeypatch.setattr(training_faults, "SEEDS", (0,))
    monkeypatch.setattr(training_faults, "RUNS", {name: RUNS[name] for name in ("healthy", "E")})
    monkeypatch.setattr(lab, "run", lambda name: broken.run(name, 0, 1))
    said = []
    rows = json.loads(training_faults.record(None, said.append).read_text())["rows"]
    assert [row["run"] for row in rows] == ["healthy", "E"]
    assert len(said) == 2
    assert rows[1]["no_gradient"] == ["patches", "block 1", "block 2"]

"""Schedules, plateaus, the choice of an epoch, accumulation, learned losses and transforms of batches."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from tests.training.process import LearnedLoss, Points, Shake, loss, network
from vitcourse.errors import CheckpointError
from vitcourse.training import CHECKPOINT, WEIGHTS, TrainingConfig, better, chosen_epoch, fit
from vitcourse.training.schedules import rate_factor

CONFIG = TrainingConfig(epochs=6, batch_size=16, lr=1e-2, warmup=0.0)
PLATEAU = replace(CONFIG, schedule="plateau", monitor="seen_loss", patience=1, plateau_factor=0.5)


def same(first, second):
    return all(torch.equal(first.state_dict()[name], second.state_dict()[name]) for name in first.state_dict())


def told(values, name="seen_loss"):
    """An evaluation that gives these values, one an epoch."""
    rest = list(values)
    return lambda model: {name: rest.pop(0)}


def rates(log):
    return [entry["lr"] for entry in log]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("cosine", [0.5, 1.0, 1.0, 0.8535534, 0.5, 0.1464466]),
        ("linear", [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]),
        ("constant", [0.5, 1.0, 1.0, 1.0, 1.0, 1.0]),
    ],
)
def test_rates_by_hand(schedule, expected):
    factor = rate_factor(schedule, steps=6, warmup=2)
    assert [factor(step) for step in range(6)] == pytest.approx(expected)


def test_a_plateau_lowers_the_rate():
    """Better, worse, worse (the second one in a row), better, equal, equal."""
    log = fit(network(), Points(), loss, PLATEAU, evaluate=told([3.0, 4.0, 3.5, 2.0, 2.0, 2.0]))
    # The log gives the rate of the epoch that has ended; the fall at the end of the sixth comes too late to be seen.
    assert rates(log) == pytest.approx([1e-2, 1e-2, 1e-2, 5e-3, 5e-3, 5e-3])


def test_a_measure_that_is_no_loss_is_to_rise():
    config = replace(PLATEAU, monitor="accuracy")
    rising = fit(network(), Points(), loss, config, evaluate=told([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], "accuracy"))
    assert rates(rising) == pytest.approx([1e-2] * 6)
    falling = fit(network(), Points(), loss, config, evaluate=told([0.6, 0.5, 0.4, 0.3, 0.2, 0.1], "accuracy"))
    assert rates(falling)[-1] < 5e-3


def test_nothing_is_judged_in_the_warm_up():
    worse = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    log = fit(network(), Points(), loss, replace(PLATEAU, warmup=0.5), evaluate=told(worse))
    # The third epoch is the first that is judged: it is the best so far, and the next one is borne.
    assert rates(log) == pytest.approx([4 / 9 * 1e-2, 7 / 9 * 1e-2, 1e-2, 1e-2, 1e-2, 5e-3])


def test_a_plateau_survives_a_resume(tmp_path):
    values = [3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    whole = network()
    expected = fit(whole, Points(), loss, PLATEAU, evaluate=told(values))

    class StopError(Exception):
        pass

    def stop(done, total, value):
        if done == 10:  # in the fourth epoch of three batches, behind the first fall
            raise StopError

    with pytest.raises(StopError):
        fit(network(), Points(), loss, PLATEAU, evaluate=told(values), out=tmp_path, on_step=stop)
    resumed = network()
    log = fit(resumed, Points(), loss, PLATEAU, evaluate=told(values[3:]), out=tmp_path, resume=True)
    assert rates(log) == rates(expected)
    assert same(whole, resumed)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.25])
def test_a_longer_run_goes_on_at_the_rate_of_its_new_length(tmp_path, schedule, warmup):
    """Not only at the end of an epoch: the first step as well, which the optimiser was left with another rate for."""
    config = replace(CONFIG, epochs=4, schedule=schedule, warmup=warmup)
    seen = []

    class Watch(torch.optim.AdamW):
        def step(self, *args, **kwargs):
            seen.append(self.param_groups[0]["lr"])
            return super().step(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim, "AdamW", Watch)
        whole = fit(network(), Points(), loss, config)
        expected, begun = list(seen), len(seen) // 2
        fit(network(), Points(), loss, replace(config, epochs=2), out=tmp_path)
        seen.clear()
        log = fit(network(), Points(), loss, replace(config, workers=1), out=tmp_path, resume=True)
    assert seen == pytest.approx(expected[begun:])
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4]
    assert rates(log)[2:] == pytest.approx(rates(whole)[2:])
    with pytest.raises(CheckpointError, match="epochs: 4 in the run, 3 now, and a run can only be made longer"):
        fit(network(), Points(), loss, replace(config, epochs=3), out=tmp_path, resume=True)


def test_a_longer_plateau_keeps_what_it_has_lowered(tmp_path):
    fit(network(), Points(), loss, PLATEAU, evaluate=told([3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), out=tmp_path)
    longer = replace(PLATEAU, epochs=8)
    log = fit(network(), Points(), loss, longer, evaluate=told([2.0, 1.0]), out=tmp_path, resume=True)
    assert rates(log)[6:] == [rates(log)[5]] * 2
    assert rates(log)[5] < PLATEAU.lr


@pytest.mark.parametrize(("name", "values", "epoch"), [("loss_seen", [3, 1, 2, 1], 2), ("score", [1, 5, 7, 6], 3)])
def test_the_chosen_epoch_is_kept(tmp_path, name, values, epoch):
    weights = []

    def judge(model):
        weights.append({key: value.clone() for key, value in model.state_dict().items()})
        return {name: float(values[len(weights) - 1])}

    model = network()
    log = fit(model, Points(), loss, replace(CONFIG, epochs=4, choose=name), evaluate=judge, out=tmp_path)
    assert chosen_epoch(log, name) == epoch
    on_disk = load_file(tmp_path / WEIGHTS)
    for key, value in weights[epoch - 1].items():
        assert torch.equal(model.state_dict()[key], value)
        assert torch.equal(on_disk[key], value)
    last = torch.load(tmp_path / CHECKPOINT, weights_only=True)["model"]  # what a resumed run goes on from
    assert all(torch.equal(last[key], value) for key, value in weights[-1].items())
    again = network()
    fit(again, Points(), loss, replace(CONFIG, epochs=4, choose=name), evaluate=judge, out=tmp_path, resume=True)
    assert same(again, model)


def test_choosing_by_hand():
    log = [{"epoch": i + 1, "score": value} for i, value in enumerate([float("nan"), 0.5, 0.7, 0.7, float("nan")])]
    assert chosen_epoch(log, "score") == 3
    assert chosen_epoch(log, "") == 5
    assert chosen_epoch(log[:1], "score") == 1
    assert better("valid_loss", 1.0, 2.0)
    assert not better("valid_loss", 2.0, 2.0)
    assert better("score", 2.0, 1.0)
    assert better("score", 0.0, None)


@pytest.mark.parametrize("clip", [0.0, 0.1])
def test_accumulated_batches_make_the_update_of_one(clip):
    """43 items: four batches of 4 against one of 16, with a last update of 11 items in batches of 4, 4 and 3."""
    options = {"epochs": 2, "clip": clip}
    whole, parts = network().double(), network().double()

    class Double(Points):
        def __getitem__(self, index):
            return {name: v.double() if v.is_floating_point() else v for name, v in super().__getitem__(index).items()}

    first = fit(whole, Double(), loss, replace(CONFIG, **options))
    second = fit(parts, Double(), loss, replace(CONFIG, **options, batch_size=4, accumulate=4))
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[name], value, atol=1e-12, rtol=0)
    assert [e["loss"] for e in second] == pytest.approx([e["loss"] for e in first], abs=1e-12)
    assert rates(first) == rates(second)


def test_progress_counts_every_batch():
    seen = []
    config = replace(CONFIG, epochs=2, batch_size=4, accumulate=4)
    fit(network(), Points(), loss, config, on_step=lambda *step: seen.append(step[:2]))
    assert seen == [(i + 1, 22) for i in range(22)]


def test_a_loss_with_parameters_is_trained_saved_and_resumed(tmp_path):
    used, model = LearnedLoss(), network()
    log = fit(model, Points(), used, CONFIG, out=tmp_path)
    assert used.scale.item() > 0.02  # the error is above 1/2, so the variance rises
    assert log[0]["error"] != log[0]["loss"]
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    assert torch.equal(state["loss"]["scale"], used.scale)
    assert [group["weight_decay"] for group in state["optimizer"]["param_groups"]] == [0.05, 0.0, 0.0]
    fresh = LearnedLoss()
    fit(network(), Points(), fresh, CONFIG, out=tmp_path, resume=True)
    assert torch.equal(fresh.scale, used.scale)
    still = LearnedLoss()
    still.rate_scale = 0.0
    fit(network(), Points(), still, CONFIG)
    assert still.scale.item() == 0


def test_a_transform_gets_numbers_that_belong_to_the_item():
    """The same numbers for an item in batches of any size; others in the next epoch, for another item or seed."""

    class Items(Points):
        def __getitem__(self, index):
            return super().__getitem__(index) | {"place": index}

    class Watch(Shake):
        def __init__(self):
            self.seen = []

        def __call__(self, batch, draws):
            self.seen += [(place.item(), tuple(row.tolist())) for place, row in zip(batch["place"], draws, strict=True)]
            return super().__call__(batch, draws)

    seen = []
    for config in (replace(CONFIG, epochs=2), replace(CONFIG, epochs=2, batch_size=5), replace(CONFIG, seed=1)):
        watch = Watch()
        fit(network(), Items(), loss, config, transform=watch)
        seen.append([dict(watch.seen[:43]), dict(watch.seen[43:86])])
    assert seen[0] == seen[1]
    numbers = [row for epochs in (seen[0], seen[2]) for epoch in epochs for row in epoch.values()]
    assert len(set(numbers)) == len(numbers) == 4 * 43
    assert all(0 <= number < 1 for row in numbers for number in row)


def test_a_name_that_is_not_in_the_log_is_named():
    with pytest.raises(ValueError, match="no 'score' to judge by; it has epoch, loss, lr"):
        fit(network(), Points(), loss, replace(CONFIG, choose="score"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"schedule": "step"}, "cosine, linear, constant, plateau, got 'step'"),
        ({"schedule": "plateau"}, "need each other, got 'plateau', ''"),
        ({"monitor": "loss"}, "need each other"),
        ({"accumulate": 0}, "accumulate must be at least 1"),
        ({"workers": 65}, "at most 64"),
        ({"plateau_factor": 1.0}, "plateau_factor must be between"),
        ({"patience": -1}, "patience must be"),
        ({"clip": float("inf")}, "clip must be a finite"),
    ],
)
def test_bad_settings_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        TrainingConfig(**options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="fp16 works on this machine")
def test_fp16_without_a_gpu_is_refused():
    """The settings themselves may be read: a model that was trained with them on a GPU is used here."""
    with pytest.raises(ValueError, match="needs a GPU"):
        fit(network(), Points(), loss, TrainingConfig(precision="fp16"))


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_on_a_gpu(tmp_path, precision):
    config = replace(CONFIG, precision=precision, accumulate=2, choose="score")
    model = network()
    log = fit(model, Points(), LearnedLoss(), config, evaluate=told(range(6), "score"), out=tmp_path, transform=Shake())
    assert log[-1]["error"] < log[0]["error"]
    assert next(model.parameters()).device.type == "cuda"
    again = network()
    fit(again, Points(), LearnedLoss(), config, evaluate=told([], "score"), out=tmp_path, resume=True)
    assert same(model, again)


def test_modules_without_parameters_are_losses_as_well():
    class Plain(nn.Module):
        def forward(self, model, batch):
            return loss(model, batch)

    first, second = network(), network()
    fit(first, Points(), loss, CONFIG)
    fit(second, Points(), Plain(), CONFIG)
    assert same(first, second)

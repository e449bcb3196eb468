import json
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import Dataset

from vitcourse.errors import CheckpointError
from vitcourse.files import write_whole
from vitcourse.training import CHECKPOINT, LOG, WEIGHTS, TrainingConfig, fit

pytestmark = pytest.mark.trains
CONFIG = TrainingConfig(epochs=4, batch_size=8, lr=3e-2)


class Points(Dataset):
    """Points of the plane and on which side of a line they lie, with noise drawn anew each time, as augmentation is."""

    def __len__(self):
        return 40

    def __getitem__(self, index):
        x = torch.tensor([index / 20 - 1, (index * 7 % 40) / 20 - 1])
        return {"x": x + 0.01 * torch.randn(2), "y": (x.sum() > 0).long()}


def network():
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))


def loss(model, batch):
    return {"loss": F.cross_entropy(model(batch["x"]), batch["y"])}


def same(first, second):
    return all(torch.equal(first.state_dict()[name], second.state_dict()[name]) for name in first.state_dict())


def test_training_lowers_the_loss_and_not_without_a_rate():
    log = fit(network(), Points(), loss, CONFIG)
    assert log[-1]["loss"] < 0.6 * log[0]["loss"]
    still = fit(network(), Points(), loss, replace(CONFIG, lr=0.0))
    assert still[-1]["loss"] > 0.9 * still[0]["loss"]
    assert [entry["epoch"] for entry in log] == [1, 2, 3, 4]


def test_the_seed_fixes_everything():
    models = [network() for _ in range(3)]
    for model, seed in zip(models, (0, 0, 1), strict=True):
        fit(model, Points(), loss, replace(CONFIG, seed=seed))
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


@pytest.mark.parametrize("workers", [0, 2])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, workers):
    config, whole = replace(CONFIG, workers=workers), network()
    expected = fit(whole, Points(), loss, config)

    class StopError(Exception):
        pass

    def stop(done, total, value):
        if done == 13:  # in the middle of the third epoch of five steps
            raise StopError

    with pytest.raises(StopError):
        fit(network(), Points(), loss, config, out=tmp_path, on_step=stop)
    resumed = network()
    log = fit(resumed, Points(), loss, config, out=tmp_path, resume=True)
    assert same(whole, resumed)
    timeless = [{key: value for key, value in entry.items() if key != "seconds"} for entry in log]
    assert timeless == [{key: value for key, value in entry.items() if key != "seconds"} for entry in expected]


def test_what_a_run_leaves(tmp_path):
    model = network()
    log = fit(model, Points(), loss, CONFIG, out=tmp_path, evaluate=lambda m: {"valid": 1.0})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([CHECKPOINT, LOG, WEIGHTS])
    assert [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()] == log
    assert log[0]["valid"] == 1.0
    weights = load_file(tmp_path / WEIGHTS)
    assert all(torch.equal(weights[name], value) for name, value in model.state_dict().items())


def test_an_evaluation_does_not_end_the_training_mode():
    """Dropout must act in the second epoch as well, whatever mode the evaluation leaves the model in."""
    plain, judged = network(), network()
    fit(plain, Points(), loss, CONFIG)
    fit(judged, Points(), loss, CONFIG, evaluate=lambda model: {"mode": float(model.eval().training)})
    assert same(plain, judged)


def test_warmup_then_cosine_to_zero():
    rates = []

    class Watch(nn.Linear):
        pass

    model = Watch(2, 2)
    original = torch.optim.AdamW.step

    def step(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return original(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", step)
        log = fit(model, Points(), loss, replace(CONFIG, epochs=4, warmup=0.2, lr=1.0))
    assert rates[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert rates[12] == pytest.approx(0.5)
    assert sorted(rates[4:], reverse=True) == rates[4:]
    assert log[-1]["lr"] == pytest.approx(0.0, abs=1e-9)


def test_clipping_bounds_the_gradient():
    """With plain weights far from the data the gradient is large; the norm that the optimiser sees is not."""
    norms = []
    original = torch.optim.AdamW.step

    def step(self, *args, **kwargs):
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(torch.cat([g.flatten() for g in gradients]).norm().item())
        return original(self, *args, **kwargs)

    big = lambda model, batch: {"loss": 1000 * loss(model, batch)["loss"]}  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", step)
        fit(network(), Points(), big, replace(CONFIG, epochs=1, clip=0.5))
        clipped = max(norms)
        norms.clear()
        fit(network(), Points(), big, replace(CONFIG, epochs=1, clip=0.0))
    assert clipped == pytest.approx(0.5, rel=1e-3)
    assert min(norms) > 5


def test_weights_decay_and_biases_do_not():
    """With no gradient from the loss, only decay moves a parameter."""
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    nothing = lambda m, batch: {"loss": 0.0 * m(batch["x"]).sum()}  # noqa: E731
    fit(model, Points(), nothing, replace(CONFIG, lr=0.1, weight_decay=0.5))
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"0.weight"}


def test_bf16_trains_and_leaves_a_plain_model():
    """Half precision is a matter of the training: afterwards the model computes as any other with its weights."""
    model, twin = network(), network()
    log = fit(model, Points(), loss, replace(CONFIG, precision="bf16"))
    assert log[-1]["loss"] < log[0]["loss"]
    twin.load_state_dict(model.state_dict())
    x = torch.randn(5, 2)
    assert torch.equal(model.eval()(x), twin.eval()(x))


def test_a_training_that_fails_leaves_a_plain_model():
    def fails(model, batch):
        model(batch["x"])
        raise RuntimeError("stop")

    model, twin = network(), network()
    with pytest.raises(RuntimeError, match="stop"):
        fit(model, Points(), fails, replace(CONFIG, precision="bf16"))
    x = torch.randn(5, 2)
    assert torch.equal(model.eval()(x), twin.eval()(x))


def test_a_loss_that_is_not_finite_stops_the_run():
    with pytest.raises(FloatingPointError, match="epoch 1"):
        fit(network(), Points(), lambda m, b: {"loss": loss(m, b)["loss"] * float("nan")}, CONFIG)


def test_checkpoints_that_are_none_are_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"checkpoint.pt: there is no checkpoint"):
        fit(network(), Points(), loss, CONFIG, out=tmp_path, resume=True)
    for content in (b"not a checkpoint", b""):
        (tmp_path / CHECKPOINT).write_bytes(content)
        with pytest.raises(CheckpointError, match=r"checkpoint.pt: it is not a checkpoint of this model \(\w+"):
            fit(network(), Points(), loss, CONFIG, out=tmp_path, resume=True)
    fit(network(), Points(), loss, replace(CONFIG, epochs=1), out=tmp_path)
    with pytest.raises(CheckpointError, match=r"otherwise: lr: 0\.03 in the run, 0\.01 now"):
        fit(network(), Points(), loss, replace(CONFIG, lr=1e-2), out=tmp_path, resume=True)
    with pytest.raises(CheckpointError, match="not a checkpoint of this model"):
        fit(nn.Linear(3, 2), Points(), loss, replace(CONFIG, epochs=1), out=tmp_path, resume=True)


def test_no_pickle_is_executed(tmp_path):
    """A checkpoint that would run code when unpickled is refused and does not run it."""

    class Evil:
        def __reduce__(self):
            return (tmp_path.joinpath("executed").touch, ())

    torch.save({"model": Evil()}, tmp_path / CHECKPOINT)
    with pytest.raises(CheckpointError):
        fit(network(), Points(), loss, CONFIG, out=tmp_path, resume=True)
    assert not (tmp_path / "executed").exists()


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "log.jsonl"
    write_whole(file, b"first")

    def fail(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_whole(file, b"second")
    assert file.read_bytes() == b"first"
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_a_run_killed_between_its_files_is_made_whole(tmp_path, monkeypatch):
    """Killed after the weights and before the checkpoint: the epoch is done again, with the same result."""
    config, expected = replace(CONFIG, epochs=2), network()
    fit(expected, Points(), loss, config)
    real, saves = torch.save, []

    def save(state, file):
        saves.append(file)
        if len(saves) == 2:
            raise KeyboardInterrupt
        real(state, file)

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(KeyboardInterrupt):
        fit(network(), Points(), loss, config, out=tmp_path)
    monkeypatch.setattr(torch, "save", real)
    assert not list(tmp_path.glob("*.partial"))
    resumed = network()
    log = fit(resumed, Points(), loss, config, out=tmp_path, resume=True)
    assert [entry["epoch"] for entry in log] == [1, 2]
    assert same(resumed, expected)
    weights = load_file(tmp_path / WEIGHTS)
    assert all(torch.equal(weights[name], value) for name, value in expected.state_dict().items())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"lr": -1.0}, "lr must be at least 0, got -1.0"),
        ({"lr": float("nan")}, "lr must be at least 0, got nan"),
        ({"lr": float("inf")}, "lr must be a finite number"),
        ({"seed": -1}, "seed must be 0 to 99999, got -1"),
        ({"seed": 500_000}, "got 500000"),
        ({"warmup": 1.0}, "warmup must be a share"),
        ({"precision": "fp8"}, "'fp8'"),
    ],
)
def test_bad_settings_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        TrainingConfig(**options)

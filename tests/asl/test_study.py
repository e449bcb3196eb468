"""A study on pictures that take no time: taken up again, given up early, and kept by a database server."""

import getpass
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import torch

from vitcourse.asl import study
from vitcourse.asl.boxes import Sides
from vitcourse.asl.experiments import Ground, Heads
from vitcourse.asl.metrics import measure, predict
from vitcourse.commands import study as command_module
from vitcourse.data.asl import InMemory, load, synthesise
from vitcourse.errors import InputError

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "signs"
    synthesise(folder, train=52, valid=26, test=0, size=32, seed=1)
    return Ground(*(InMemory(load(folder, split), 32) for split in ("train", "valid")))


@pytest.fixture
def small(monkeypatch):
    """Runs are of a ViT from scratch at 32 pixels."""
    real = study.settings_of

    def settings_of(trial, epochs, seed):
        run, heads = real(trial, epochs, seed)
        return replace(run, backbone="vit", image_size=32), heads

    monkeypatch.setattr(study, "settings_of", settings_of)


def test_a_head_has_the_depth_and_width_that_are_asked_for():
    made = Heads(width=7, depth=2, dropout=0.5).head(5, 3)
    assert [layer.out_features for layer in made if isinstance(layer, torch.nn.Linear)] == [7, 7, 3]
    assert len(Heads(depth=0).head(5, 3)) == 1


def test_it_is_taken_up_again_and_only_what_is_missing_is_run(ground, small, tmp_path):
    where, said = str(tmp_path / "x.journal"), []
    about = {"data": "a", "epochs": 1}
    study.search(study.study_of(where, about), ground, 2, 1, said.append)
    again = study.study_of(where, about)
    study.search(again, ground, 3, 1, said.append)
    study.search(again, ground, 3, 1, said.append)
    assert [line.split(":")[0] for line in said] == ["trial 0", "trial 1", "trial 2"]
    best = study.ranked(again)
    assert [one["score"] for one in best] == sorted((one["score"] for one in best), reverse=True)
    run, heads = study.again(best[0], 1, 77)
    assert (run.training.seed, run.augment, isinstance(heads, Heads)) == (77, False, True)
    with pytest.raises(InputError, match="another data: a in the study, b now"):
        study.study_of(where, {"data": "b", "epochs": 1})


def asked(**others):
    """What a trial with these settings asks for."""
    params = {"optimizer": "adamw", "lr_adamw": 1e-3, "balance": "uncertainty", "box_loss": "giou", "frozen_layers": 2}
    trial = optuna.trial.FixedTrial(params | {"box_head": "sides", "head_depth": 0} | others)
    return study.settings_of(trial, 1, 5)


def test_a_head_that_reads_the_map_is_trained_on_the_pictures(ground, small):
    run, heads = asked()
    model, log = ground.fit(run, heads, lambda epoch, found: None)
    assert isinstance(model.bounding_box, Sides)
    assert len(model.classifier) == 1  # as deep as the trial asks
    assert all(key[-1] != 2 for key in ground.stored)  # nothing was stored behind these two layers
    again = measure(*predict(model, list(ground.judged.images)), ground.judged.labels, ground.judged.boxes)
    assert log[-1]["score"] == pytest.approx((again["accuracy"] + again["iou75"]) / 2)


def test_nothing_is_balanced_where_no_trained_weight_hears_both_losses(small):
    assert asked()[0].balance == "uncertainty"
    assert asked(frozen_layers=6, C=7.0)[0].balance == "constant"
    assert asked(frozen_layers=6, C=7.0)[0].classification_divisor == 7.0
    assert asked(frozen_layers=6, box_head="mean", box_sigmoid=False)[0].balance == "uncertainty"


def test_what_falls_behind_is_given_up(ground, small, tmp_path, monkeypatch):
    """Trials whose score is scripted: after the warm-up one is far below the median, and ends in its second epoch."""
    epochs = []

    def fit(self, run, heads, on_epoch):
        score = 0.9 if run.training.seed < study.WARM_UP else 0.1
        for epoch in (1, 2, 3):
            epochs.append((run.training.seed, epoch))
            on_epoch(epoch, {"score": score, "accuracy": score})

    monkeypatch.setattr(Ground, "fit", fit)
    found = study.study_of(str(tmp_path / "x.journal"), {})
    study.search(found, ground, study.WARM_UP + 1, 3, lambda line: None)
    assert found.trials[-1].state.name == "PRUNED"
    assert epochs[-1] == (study.WARM_UP, 2)


def test_the_command_names_what_is_wrong_and_says_the_hours(command, tmp_path, monkeypatch):
    status, _, error = command("study", "asl", "--storage", tmp_path / "none" / "x.journal")
    assert status == 2
    assert "there is no such folder" in error
    status, _, error = command("study", "asl", "--storage", "postgresql://localhost:1/none")
    assert (status, len(error.strip().splitlines())) == (2, 1)
    assert "no study can be kept there" in error
    monkeypatch.setattr(command_module, "PICTURES", command_module.PICTURES | {"train": 78, "size": 96})
    monkeypatch.setattr(study, "LAYERS", (6, 6, 6, 6))
    arguments = ["--storage", tmp_path / "x.journal", "--trials", "1", "--epochs", "1"]
    status, printed, error = command("study", "asl", *arguments)
    assert status == 0, error
    assert "1 trials: about" in printed
    assert "processor hours" in printed


def programs():
    """Where PostgreSQL's programs are, or None."""
    places = [shutil.which("initdb"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb"))]
    return next((Path(place).resolve().parent for place in places if place), None)


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed (Debian: apt-get install postgresql)")
def test_a_database_server_keeps_the_study_for_several_machines(ground, small):
    """A server of its own that listens on a socket in a folder, and on no port; it refuses to run for root."""
    user = "postgres" if os.getuid() == 0 else getpass.getuser()
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        if os.getuid() == 0:
            os.chown(place, pwd.getpwnam(user).pw_uid, -1)
        options = {"user": user} if os.getuid() == 0 else {}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": place, **options}
        subprocess.run([programs() / "initdb", "-D", f"{place}/data", "-A", "trust", "--no-sync"], check=True, **quiet)
        settings = ["-k", place, "-c", "listen_addresses=", "-c", "fsync=off"]
        server = subprocess.Popen([programs() / "postgres", "-D", f"{place}/data", *settings], **quiet)
        try:
            while not list(Path(place).glob(".s.PGSQL.*[0-9]")):
                assert server.poll() is None
                time.sleep(0.1)
            where = f"postgresql+psycopg://{user}@/postgres?host={place}"
            for _ in range(50):
                ready = subprocess.run([programs() / "pg_isready", "-h", place, "-U", user], **quiet).returncode == 0
                if ready:
                    break
                time.sleep(0.2)
            first, second = (study.study_of(where, {"data": "a", "epochs": 1}) for _ in range(2))
            study.search(first, ground, 1, 1, lambda line: None)
            study.search(second, ground, 2, 1, lambda line: None)
            assert [trial.number for trial in first.trials] == [0, 1]
            for one in (first, second):
                one._storage._backend.engine.dispose()
        finally:
            server.terminate()
            server.wait()

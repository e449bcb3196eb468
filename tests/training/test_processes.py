"""Trainings that are killed, resumed, or shared by several processes, each in processes of their own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from tests.training.process import train
from vitcourse.files import write_whole
from vitcourse.training import CHECKPOINT, LOG, WEIGHTS
from vitcourse.training.processes import Batches

pytestmark = pytest.mark.starts_programs
ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("process.py")
NOISY = {"noise": 0.01, "dropout": 0.1, "config": {"epochs": 3, "batch_size": 8, "lr": 3e-2, "workers": 2}}


@pytest.fixture(autouse=True)
def _one_thread():
    """As in the processes that are started: how a sum is split over threads changes its last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def start(*command, **environment):
    quiet = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        [sys.executable, *map(str, command)], env=os.environ | quiet | environment, capture_output=True, text=True
    )


def state_of(folder):
    state = torch.load(folder / CHECKPOINT, weights_only=True)
    for entry in state["log"]:
        del entry["seconds"]
    return state


def same(first, second):
    """Whether two nested states hold the same bits."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return set(first) == set(second) and all(same(first[name], second[name]) for name in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    return first == second


# 43 items in batches of 8 are 6 steps an epoch: the second epoch ends with step 12.
@pytest.mark.parametrize(("kill", "epochs_kept"), [("step 9", 1), ("checkpoint 2", 1)])
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, kill, epochs_kept):
    """Killed by the operating system in the middle of an epoch, or half-way through the bytes of a checkpoint."""
    killed = start(PROGRAM, tmp_path / "killed", json.dumps(NOISY | {"kill": kill}))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    before = state_of(tmp_path / "killed")
    assert len(before["log"]) == epochs_kept
    assert (tmp_path / "killed" / (CHECKPOINT + ".partial")).exists() == kill.startswith("checkpoint")

    train(tmp_path / "whole", NOISY)
    random_state = torch.get_rng_state()
    train(tmp_path / "killed", NOISY, resume=True)
    assert torch.equal(torch.get_rng_state(), random_state)
    train(tmp_path / "killed", NOISY, resume=True)  # nothing is left to do, and nothing changes
    assert torch.equal(torch.get_rng_state(), random_state)
    whole, resumed = (state_of(tmp_path / name) for name in ("whole", "killed"))
    assert not same(before["optimizer"], whole["optimizer"])
    assert set(whole) == {"model", "optimizer", "schedule", "config", "log", "best", "random"}
    for part in whole:
        assert same(whole[part], resumed[part]), part
    assert same(load_file(tmp_path / "whole" / WEIGHTS), load_file(tmp_path / "killed" / WEIGHTS))
    assert sorted(path.name for path in (tmp_path / "killed").iterdir()) == sorted([CHECKPOINT, LOG, WEIGHTS])


def test_a_file_is_replaced_and_not_written_over(tmp_path):
    """Whoever reads the old one goes on reading the old one."""
    file = tmp_path / "weights"
    write_whole(file, b"first")
    with file.open("rb") as reader:
        write_whole(file, b"second")
        assert reader.read() == b"first"
    assert file.read_bytes() == b"second"


def test_two_processes_train_as_one(tmp_path):
    """The last batch holds one item, so that one process has nothing; the loss has a parameter; gradients add up."""
    options = {
        "learned": True,
        "config": {"epochs": 3, "batch_size": 7, "lr": 3e-2, "accumulate": 3, "choose": "error"},
    }
    launch = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", 2, "--num_machines", 1]
    launch += ["--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", 0]
    run = start(*launch, PROGRAM, tmp_path / "two", json.dumps(options | {"world": 2}), ACCELERATE_USE_CPU="true")
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["2"]  # one process speaks, and there are two
    _, _, log = train(tmp_path / "one", options)
    one, two = state_of(tmp_path / "one"), state_of(tmp_path / "two")
    for mine, theirs in zip(log, two["log"], strict=True):
        assert {name: mine[name] for name in theirs} == pytest.approx(theirs, abs=1e-6)
    for part in ("model", "loss"):
        for name, tensor in one[part].items():
            torch.testing.assert_close(two[part][name], tensor, atol=1e-6, rtol=1e-5)
    assert one["loss"]["scale"].abs() > 0.01


@given(
    count=st.integers(1, 40),
    size=st.integers(1, 9),
    accumulate=st.integers(1, 4),
    world=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_processes_share_the_same_batches(count, size, accumulate, world, seed):
    ranks = [Batches(count, size, accumulate, rank, world) for rank in range(world)]
    alone = Batches(count, size, accumulate, 0, 1)
    for batches in (*ranks, alone):
        batches.shuffle(seed)
    shares = [list(batches) for batches in ranks]
    assert sorted(place for batch in alone for place in batch) == list(range(count))
    updates, total = 0, 0.0
    for index, whole in enumerate(alone):
        own = [ranks[r].own_count(index) for r in range(world)]
        assert all(shares[r][index] for r in range(world))  # nobody waits for a process without a batch
        assert sorted(p for r in range(world) for p in shares[r][index][: own[r]]) == sorted(whole)
        # The mean over processes of weight x mean is the mean over the items of the whole update.
        total += sum(ranks[r].weight(index) for r in range(world)) / world
        if alone.updates_after(index):
            assert total == pytest.approx(1)
            updates, total = updates + 1, 0.0
    assert updates == alone.updates
    assert world > 1 or all(alone.weight(index) == 1 for index in range(len(alone)) if accumulate == 1)


def test_another_epoch_has_another_order():
    batches = Batches(30, 30, 1, 0, 1)
    orders = []
    for seed in (0, 1, 0):
        batches.shuffle(seed)
        orders.append(next(iter(batches)))
    assert orders[0] == orders[2] != orders[1]
    with pytest.raises(ValueError, match="empty"):
        Batches(0, 8, 1, 0, 1)

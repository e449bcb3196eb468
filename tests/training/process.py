"""A training in a process of its own, for the tests that start several of them or kill one.

Called with a folder and a JSON of options: ``config`` (of `TrainingConfig`), ``kill`` ("step N", "checkpoint N": by the
operating system, at this batch or inside the writing of this checkpoint), ``learned`` (a loss with a parameter),
``world`` (print how many processes there are).
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate import PartialState
from torch import nn
from torch.utils.data import Dataset

from vitcourse.training import TrainingConfig, first_process, fit


class Points(Dataset):
    """Points of the plane and on which side of a line they lie; ``noise`` is drawn anew each time."""

    def __init__(self, count=43, noise=0.0):
        self.count, self.noise = count, noise

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        x = torch.tensor([index / 20 - 1, (index * 7 % 40) / 20 - 1])
        return {"x": x + self.noise * torch.randn(2), "y": (x.sum() > 0).long()}


class Shake:
    """A transform of batches that needs random numbers."""

    numbers = 2

    def __call__(self, batch, draws):
        return batch | {"x": batch["x"] + 0.1 * (draws - 0.5)}


class LearnedLoss(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, model, batch):
        error = F.cross_entropy(model(batch["x"]), batch["y"])
        return {"loss": (-self.scale).exp().sum() * error + self.scale.sum() / 2, "error": error}


def network(dropout=0.0):
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(2, 16), nn.LayerNorm(16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 2))


def loss(model, batch):
    return {"loss": F.cross_entropy(model(batch["x"]), batch["y"])}


def train(out, options, on_step=None, resume=False):
    """The training that all of these tests repeat; returns the model, the loss and the log."""
    model = network(options.get("dropout", 0.0))
    used = LearnedLoss() if options.get("learned") else loss
    log = fit(
        model,
        Points(noise=options.get("noise", 0.0)),
        used,
        TrainingConfig(**options["config"]),
        evaluate=lambda trained: {"size": sum(p.norm().item() for p in trained.parameters())},
        out=out,
        resume=resume,
        on_step=on_step,
        transform=Shake(),
    )
    return model, used, log


def killer(kind, at):
    """A function for ``on_step``, or none, after torch.save has been made to end the process at the given time."""
    if kind == "step":
        return lambda done, total, value: os.kill(os.getpid(), signal.SIGKILL) if done == at else None
    whole, calls = torch.save, []

    def save(state, file):
        calls.append(file)
        if len(calls) == at:
            whole(state, file)
            content = Path(file).read_bytes()
            Path(file).write_bytes(content[: len(content) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        whole(state, file)

    torch.save = save
    return None


if __name__ == "__main__":
    out, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    torch.set_num_threads(1)
    kind, _, at = options.get("kill", "").partition(" ")
    speaks = first_process()  # asked before the training, as the command does
    train(out, options, on_step=killer(kind, int(at)) if kind else None)
    if "world" in options and speaks:
        print(PartialState().num_processes)

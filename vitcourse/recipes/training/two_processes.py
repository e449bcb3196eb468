"""The recorded run ``two_processes``: one training by one process and by two, under ``accelerate launch`` on the CPU.

Each process takes its share of every batch, and the gradients are averaged. The weights that come out are compared.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import Dataset

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.training.training_choices import make
from vitcourse.recipes.vit import vit_digits
from vitcourse.training import WEIGHTS, TrainingConfig, fit

COUNT, BATCH, EPOCHS = 205, 32, 2  # the last batch of an epoch has 13 images: 7 for one process, 6 for the other


class Digits(Dataset):
    """The first training images, in an order of their own."""

    def __init__(self, count: int):
        self.images, self.labels = vit_digits.first(count, 0)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, place: int) -> dict[str, Tensor]:
        return {"image": self.images[place], "label": self.labels[place]}


def loss_of(model: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"loss": F.cross_entropy(model(batch["image"]), batch["label"])}


def train(out: Path) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = TrainingConfig(epochs=EPOCHS, batch_size=BATCH, lr=3e-3)
    fit(make(), Digits(COUNT), loss_of, config, out=out)


def launched(processes: int, folder: Path) -> dict[str, Tensor]:
    """The weights of a training by so many processes."""
    out = folder / str(processes)
    several = ["--multi_gpu"] if processes > 1 else []  # its name, on a CPU as well
    sizes = ["--num_processes", str(processes), "--num_machines", "1", "--main_process_port", "0"]
    plain = ["--mixed_precision", "no", "--dynamo_backend", "no"]
    command = [sys.executable, "-m", "accelerate.commands.launch", *several, *sizes, *plain, "-m", __name__, str(out)]
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "HF_HUB_OFFLINE": "1"}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return load_file(out / WEIGHTS)


@recipe("two_processes")
def record(say: Say) -> dict:
    """Trains with one process and with two."""
    with tempfile.TemporaryDirectory() as folder:
        one, two = (launched(processes, Path(folder)) for processes in (1, 2))
    start = make().state_dict()
    apart = max((one[name] - two[name]).abs().max().item() for name in one)
    moved = max((one[name] - start[name]).abs().max().item() for name in one)
    say(f"largest difference of a weight {apart:.1e}")
    return {"images": COUNT, "batch": BATCH, "epochs": EPOCHS, "largest_difference": apart, "largest_move": moved}


if __name__ == "__main__":
    train(Path(sys.argv[1]))

"""How a model is trained: the settings, checked when they are made."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from vitcourse.training.schedules import SCHEDULES

MOST_WORKERS = 64
Size = TypeVar("Size")
LossFunction = Callable[[nn.Module, dict], dict[str, Tensor]]


def check_precision(precision: str) -> None:
    """Raises ValueError for a precision that this machine cannot train in."""
    if precision == "fp16" and not torch.cuda.is_available():
        raise ValueError("precision fp16 needs a GPU, and there is none here; bf16 runs on a CPU")


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes:
        lr: peak learning rate, reached after the warm-up; see ``schedule`` for what comes then.
        weight_decay: on weight matrices only; biases, norms, gammas, the class token and positions have none.
        warmup: share of all updates in which the rate rises linearly.
        clip: largest norm of the gradient; 0 for no clipping.
        precision: "no" (float32), "bf16" or "fp16" (autocast).
        workers: processes that load data; 0 loads in the training's own.
        accumulate: batches whose gradients make one update; with 4 of 8 images the weights move as with one of 32.
        schedule: "cosine" or "linear" (to 0 at the end), "constant", or "plateau" (see ``monitor``).
        monitor: for "plateau": the number of the log that is watched, such as "held_out_loss".
        patience, plateau_factor: for "plateau": after more than ``patience`` epochs without an improvement the rate is
            multiplied by ``plateau_factor``.
        choose: the number of the log by which the epoch is chosen whose weights are kept; empty for the last epoch.

    Raises:
        ValueError: a number out of its range (a seed is 0 to 99,999), or an unknown precision or schedule.
    """

    epochs: int = 10
    batch_size: int = 32
    lr: float = 1e-3
    weight_decay: float = 0.05
    warmup: float = 0.1
    clip: float = 1.0
    precision: str = "no"
    seed: int = 0
    workers: int = 0
    accumulate: int = 1
    schedule: str = "cosine"
    monitor: str = ""
    patience: int = 2
    plateau_factor: float = 0.1
    choose: str = ""

    def __post_init__(self):
        if self.precision not in ("no", "bf16", "fp16"):
            raise ValueError(f"precision must be no, bf16 or fp16, got {self.precision!r}")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, got {self.schedule!r}")
        least = {"epochs": 1, "batch_size": 1, "accumulate": 1, "lr": 0, "weight_decay": 0, "clip": 0, "workers": 0}
        for field, low in (least | {"patience": 0}).items():
            if not getattr(self, field) >= low:
                raise ValueError(f"{field} must be at least {low}, got {getattr(self, field)}")
        if self.workers > MOST_WORKERS:
            raise ValueError(f"workers must be at most {MOST_WORKERS}, got {self.workers}")
        if not 0 <= self.seed < 100_000:  # times 10,000 for the epochs, it must fit into 32 bits
            raise ValueError(f"seed must be 0 to 99999, got {self.seed}")
        for field in ("lr", "weight_decay", "clip"):
            if not math.isfinite(getattr(self, field)):
                raise ValueError(f"{field} must be a finite number, got {getattr(self, field)}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be a share of the steps in [0, 1), got {self.warmup}")
        if not 0 < self.plateau_factor < 1:
            raise ValueError(f"plateau_factor must be between 0 and 1, got {self.plateau_factor}")
        if (self.schedule == "plateau") != bool(self.monitor):
            raise ValueError(f"schedule plateau and monitor need each other, got {self.schedule!r}, {self.monitor!r}")


def by_device(cpu: Size, cuda: Size) -> Size:
    """A size that suits the machine: the first on a CPU, the second where there is a CUDA device."""
    return cuda if torch.cuda.is_available() else cpu

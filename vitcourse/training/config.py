"""How a model is trained: the settings, checked when they are made."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TypeVar

import torch
from torch import Tensor, nn

from vitcourse.training.schedules import SCHEDULES

MOST_WORKERS = 64
OPTIMIZERS = {
    "adamw": lambda groups, config: torch.optim.AdamW(groups, lr=config.lr, eps=config.eps),
    "sgd": lambda groups, config: torch.optim.SGD(groups, lr=config.lr, momentum=0.9),
}
Size = TypeVar("Size")
LossFunction = Callable[[nn.Module, dict], dict[str, Tensor]]


def offered(default: object, help: str, *flags: str, least: int | None = None) -> object:
    """A field that a command offers as an option.

    Args:
        help: what the option says of it.
        flags: what the option is called, where that is not the field's name.
        least: the least value.
    """
    return field(default=default, metadata={"help": help, "flags": flags, "least": least})


def check_precision(precision: str) -> None:
    """Raises ValueError for a precision that this machine cannot train in."""
    if precision == "fp16" and not torch.cuda.is_available():
        raise ValueError("precision fp16 needs a GPU, and there is none here; bf16 runs on a CPU")


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes:
        lr: reached after the warm-up; see ``schedule`` for what comes then.
        optimizer: "adamw", or "sgd" with a momentum of 0.9.
        weight_decay: on weight matrices only; biases, norms, gammas, the class token and positions have none.
        eps: of AdamW, what its division cannot fall below.
        precision: "no" (float32), "bf16" or "fp16" (autocast).
        workers: 0 loads in the training's own process.
        accumulate: with 4 of 8 images the weights move as with one of 32.
        schedule: "cosine" or "linear" (to 0 at the end), "constant", or "plateau" (see ``monitor``).
        monitor: for "plateau": the number of the log that is watched, such as "held_out_loss".
        patience, plateau_factor: for "plateau": after more than ``patience`` epochs without an improvement the rate is
            multiplied by ``plateau_factor``.
        choose: the number of the log by which the epoch is chosen whose weights are kept; empty for the last epoch.

    Raises:
        ValueError: a number out of its range (a seed is 0 to 99,999), or an unknown precision, schedule or optimizer.
    """

    epochs: int = offered(
        12, "Passes over the train split; with --resume more than before make the run longer.", least=1
    )
    batch_size: int = offered(32, "Images in a batch.", least=1)
    lr: float = offered(1e-3, "Peak learning rate.", least=0)
    weight_decay: float = field(default=0.05, metadata={"least": 0})
    eps: float = field(default=1e-8, metadata={"least": 0})
    warmup: float = offered(0.1, "Share of the updates in which the rate rises.", least=0)
    clip: float = offered(1.0, "Largest norm of the gradient; 0 for any.", least=0)
    precision: str = offered("no", "no, bf16 or fp16.")
    seed: int = offered(0, "Fixes the start, the order and the augmentation.")
    workers: int = offered(0, "Processes that load data.", least=0)
    accumulate: int = offered(1, "Batches that make one update of the weights.", least=1)
    schedule: str = offered("cosine", "cosine, linear, constant, or plateau (for signs with --hold-out).")
    monitor: str = ""
    patience: int = field(default=2, metadata={"least": 0})
    plateau_factor: float = 0.1
    choose: str = ""
    optimizer: str = offered("adamw", "adamw, or sgd (momentum 0.9).")

    def __post_init__(self):
        if self.precision not in ("no", "bf16", "fp16"):
            raise ValueError(f"precision must be no, bf16 or fp16, got {self.precision!r}")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, got {self.schedule!r}")
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {self.optimizer!r}")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be a share of the steps in [0, 1), got {self.warmup}")
        for one in fields(self):
            low, value = one.metadata.get("least"), getattr(self, one.name)
            if low is not None and not value >= low:
                raise ValueError(f"{one.name} must be at least {low}, got {value}")
        if self.workers > MOST_WORKERS:
            raise ValueError(f"workers must be at most {MOST_WORKERS}, got {self.workers}")
        if not 0 <= self.seed < 100_000:  # times 10,000 for the epochs, it must fit into 32 bits
            raise ValueError(f"seed must be 0 to 99999, got {self.seed}")
        for name in ("lr", "weight_decay", "eps", "clip"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} must be a finite number, got {getattr(self, name)}")
        if not 0 < self.plateau_factor < 1:
            raise ValueError(f"plateau_factor must be between 0 and 1, got {self.plateau_factor}")
        if (self.schedule == "plateau") != bool(self.monitor):
            raise ValueError(f"schedule plateau and monitor need each other, got {self.schedule!r}, {self.monitor!r}")


def by_device(cpu: Size, cuda: Size) -> Size:
    """A size that suits the machine: the first on a CPU, the second where there is a CUDA device."""
    return cuda if torch.cuda.is_available() else cpu

"""How the learning rate moves, and which epoch is kept."""

import math
from collections.abc import Callable, Iterable

import torch

# After the warm-up; "plateau" stays where it is until a number that is watched stops improving.
SCHEDULES = ("cosine", "linear", "constant", "plateau")


def rate_factor(schedule: str, steps: int, warmup: int) -> Callable[[int], float]:
    """The share of the peak rate at a step: a linear rise over ``warmup`` steps, then the schedule.

    Args:
        schedule: one of `SCHEDULES`.
        steps: updates of the weights in the whole training.
    """

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done, rest = step - warmup, max(steps - warmup, 1)
        if schedule == "cosine":
            return 0.5 * (1 + math.cos(math.pi * done / rest))
        return 1 - done / rest if schedule == "linear" else 1.0

    return factor


def follow(schedule: torch.optim.lr_scheduler.LambdaLR) -> None:
    """Sets the rate of the step that a schedule has come to: what a longer run goes on with is not what was saved."""
    rates = [
        base * factor(schedule.last_epoch) for base, factor in zip(schedule.base_lrs, schedule.lr_lambdas, strict=True)
    ]
    for group, rate in zip(schedule.optimizer.param_groups, rates, strict=True):
        group["lr"] = rate
    schedule._last_lr = rates


class Plateau:
    """Lowers the rate when a number has not improved for some epochs: PyTorch's ReduceLROnPlateau after a warm-up.

    Args:
        schedule: gives every step's rate as a multiple of its own base rates, which are lowered here. During its
            warm-up nothing is judged.
        name: the number that is watched; one with "loss" in its name is to fall, any other to rise.
        patience: epochs without an improvement that are borne; the next one lowers the rate.
        factor: what the rate is multiplied by.
    """

    def __init__(
        self, schedule: torch.optim.lr_scheduler.LambdaLR, name: str, patience: int, factor: float, warmup: int
    ):
        mode = "min" if less_is_better(name) else "max"
        # On the weights' optimiser itself; a threshold of 0 makes any improvement count.
        self.rule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            schedule.optimizer, mode, factor=factor, patience=patience, threshold=0.0, threshold_mode="abs"
        )
        self.schedule, self.warmup = schedule, warmup

    def step(self, value: float) -> None:
        """Judges the value of an epoch that has ended."""
        if self.schedule.last_epoch < self.warmup:
            return
        self.rule.step(value)
        rates = [group["lr"] for group in self.schedule.optimizer.param_groups]
        self.schedule.base_lrs, self.schedule._last_lr = rates, rates  # or the next step would set the old rate

    def state_dict(self) -> dict:
        return self.rule.state_dict()

    def load_state_dict(self, state: dict) -> None:
        self.rule.load_state_dict(state)


def less_is_better(name: str) -> bool:
    """Whether a measure of this name is to fall: losses are, all else is to rise."""
    return "loss" in name


def better(name: str, value: float, than: float | None) -> bool:
    """Whether a measure has improved; anything is better than None, and nothing is better for being NaN."""
    if math.isnan(value):
        return False
    if than is None:
        return True
    return value < than if less_is_better(name) else value > than


def chosen_epoch(log: Iterable[dict], name: str) -> int:
    """The epoch, counted from 1, at which a number of the log was best: the first of several equal ones.

    With no name, or where the number was never one, it is the last epoch.
    """
    best, chosen, last = None, None, 0
    for entry in log:
        last = entry["epoch"]
        if name and better(name, entry[name], best):
            best, chosen = entry[name], last
    return last if chosen is None else chosen

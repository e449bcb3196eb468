"""The recorded run ``training_choices``: a small ViT on the real digits, trained with one choice changed at a time.

The baseline is AdamW with warm-up, half a cosine, clipping and decay of the weight matrices. Rates are swept for it and
for SGD with momentum. Every run also keeps the exponential mean of its weights. Without any change it is the loop of
lesson 06, with fewer blocks and steps.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from statistics import fmean

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from vitcourse.recipes import Say, recipe
from vitcourse.recipes.vit import vit_digits
from vitcourse.training.loop import parameter_groups
from vitcourse.training.schedules import rate_factor
from vitcourse.vit import VisionTransformer

STEPS, DEPTH, MOMENTUM, EMA = 300, 2, 0.9, 0.98
EPOCH = 23  # steps in which 1,437 images are seen about once: what ReduceLROnPlateau judges by
SEEDS, SWEEP_SEEDS = tuple(range(5)), (0, 1, 2)
RATES = {"sgd": (0.03, 0.1, 0.3, 1.0), "adamw": (1e-3, 3e-3, 1e-2, 3e-2)}


@dataclass(frozen=True)
class Choice:
    """How a model is trained.

    Attributes:
        optimizer: "adamw", or "sgd" (with momentum, without decay).
        schedule: "cosine", "constant", "step" (a tenth after each third) or "plateau" (a third of the rate after
            each epoch whose mean loss is no new best).
        warmup: share of the steps.
        clip: largest norm of the gradient; 0 for any.
        grouped: only weight matrices decay.
        bf16: autocast.
    """

    optimizer: str = "adamw"
    rate: float = 1e-2
    schedule: str = "cosine"
    warmup: float = 0.1
    clip: float = 1.0
    decay: float = 0.05
    grouped: bool = True
    bf16: bool = False


BASE = Choice()
CHANGES = {
    "baseline": BASE,
    "no warm-up": replace(BASE, warmup=0.0),
    "rate 0.03": replace(BASE, rate=3e-2),
    "rate 0.03, no warm-up": replace(BASE, rate=3e-2, warmup=0.0),
    "not clipped": replace(BASE, clip=0.0),
    "constant rate": replace(BASE, schedule="constant"),
    "step": replace(BASE, schedule="step"),
    "plateau": replace(BASE, schedule="plateau"),
    "no decay": replace(BASE, decay=0.0),
    "all decayed": replace(BASE, grouped=False),
    "bf16": replace(BASE, bf16=True),
}


def make() -> VisionTransformer:
    return vit_digits.vit(depth=DEPTH)


def optimizer_of(model: nn.Module, choice: Choice) -> torch.optim.Optimizer:
    if choice.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), choice.rate, momentum=MOMENTUM)
    groups = parameter_groups(model, choice.decay)
    if not choice.grouped:
        groups = [{**group, "weight_decay": choice.decay} for group in groups]
    return torch.optim.AdamW(groups, choice.rate)


def factor_of(choice: Choice, steps: int) -> Callable[[int], float]:
    """The share of the peak rate at a step; "plateau" stays up here."""
    warmup = round(choice.warmup * steps)
    if choice.schedule == "step":
        rise = rate_factor("constant", steps, warmup)
        return lambda step: rise(step) * 0.1 ** (3 * step // steps)
    return rate_factor("cosine" if choice.schedule == "cosine" else "constant", steps, warmup)


def train(choice: Choice, seed: int, steps: int = STEPS) -> dict:
    """One run: the share of right answers on the test, that of the mean weights ("ema"), and the last losses' mean."""
    images, labels = vit_digits.first(1437, seed)
    torch.manual_seed(seed)
    model, generator = make(), torch.Generator().manual_seed(seed)
    optimizer = optimizer_of(model, choice)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor_of(choice, steps))
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=1 / 3, patience=0)
    mean = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(EMA))
    losses = []
    model.train()
    for index in vit_digits.batches(len(images), steps, generator):
        with torch.autocast("cpu", torch.bfloat16, enabled=choice.bf16):
            loss = F.cross_entropy(model(images[index]), labels[index])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), choice.clip or torch.inf)
        optimizer.step()
        mean.update_parameters(model)
        losses.append(loss.item())
        if choice.schedule != "plateau" or len(losses) <= choice.warmup * steps:
            schedule.step()
        elif len(losses) % EPOCH == 0:
            plateau.step(fmean(losses[-EPOCH:]))
    test = vit_digits.digits()["test"]
    right = {"test": vit_digits.accuracy(model.eval(), *test), "ema": vit_digits.accuracy(mean.module.eval(), *test)}
    return {name: round(value, 4) for name, value in right.items()} | {"loss": round(fmean(losses[-EPOCH:]), 4)}


def runs(seeds: Iterator[int], choices: dict[str, Choice], say: Say) -> Iterator[dict]:
    """A row for every choice and seed."""
    for seed in seeds:
        for name, choice in choices.items():
            row = {"choice": name, "optimizer": choice.optimizer, "rate": choice.rate, "seed": seed}
            yield row | train(choice, seed)
            say(f"{name}, seed {seed}: done")


@recipe("training_choices")
def record(say: Say) -> dict:
    """The changes with five seeds, and the rates with three."""
    sweep = {f"{kind} {rate}": Choice(kind, rate) for kind, rates in RATES.items() for rate in rates}
    content = {"steps": STEPS, "depth": DEPTH, "ema": EMA, "baseline": asdict(BASE)}
    content["rows"] = list(runs(SEEDS, CHANGES, say))
    return content | {"sweep": list(runs(SWEEP_SEEDS, sweep, say))}

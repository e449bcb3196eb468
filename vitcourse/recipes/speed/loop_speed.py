"""The recorded run ``loop_speed``: what the training loop costs beside the model it trains.

The measure is images a second of the whole loop (reading from memory, augmentation, collation, the step, clipping, the
log) beside that of the bare model: forward, loss, backward and the optimiser's step on a batch that is there already.
The ways to augment are timed against each other, and so are the precisions and kernels of attention. It wants a machine
that does nothing else.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch
from torch import nn
from torchvision.models import resnet18

from vitcourse.asl import ClassificationBBoxTransformer, SignLoss
from vitcourse.asl.backbones.ours import sign_backbone
from vitcourse.data.asl import InMemory, augmentation
from vitcourse.data.augment import BatchAugmentation
from vitcourse.hands import render
from vitcourse.recipes import Say, recipe
from vitcourse.training import TrainingConfig, fit, own_device
from vitcourse.training.kernels import attention_kernel
from vitcourse.training.loop import parameter_groups

MODELS: dict[str, Callable[[], ClassificationBBoxTransformer]] = {
    "ResNet-18 at 96 px": lambda: ClassificationBBoxTransformer(resnet18(), image_size=96),
    "the course's backbone": lambda: ClassificationBBoxTransformer(sign_backbone()),
}
BATCH, STEPS, ROUNDS = 32, 10, 7
# What is added to the model: how the images are changed, and in how many processes of their own.
LOOPS = {
    "batches": {"batches": True, "workers": 0},
    "batches, 1 worker": {"batches": True, "workers": 1},
    "images one by one": {"batches": False, "workers": 0},
    "images one by one, 2 workers": {"batches": False, "workers": 2},
    "no augmentation": {"batches": None, "workers": 0},
}
# How the course's backbone computes: the precision, and the one whose kernel of attention it takes.
KERNELS = {
    "float32": ("no", "no"),
    "bf16, fused attention": ("bf16", "no"),
    "bf16, attention written out": ("bf16", "bf16"),
}


class Signs(InMemory):
    """Rendered signs in memory, without a folder; letters in turn."""

    def __init__(self, count: int, size: int):
        self.labels = torch.arange(count) % 26
        self.images, self.boxes = render(self.labels, seed=0, size=size)
        self.files, self.transform = [""] * count, None


def bare(model: nn.Module, signs: Signs, config: TrainingConfig, precision: str = "no", kernel: str = "no") -> float:
    """Images a second of the model alone, over as many steps as an epoch of `whole`."""
    device = own_device()
    model.to(device)
    loss, optimizer = SignLoss(), torch.optim.AdamW(parameter_groups(model, config.weight_decay), lr=config.lr)
    batch = {"image": signs.images[:BATCH], "label": signs.labels[:BATCH], "box": signs.boxes[:BATCH]}
    batch = {name: values.to(device) for name, values in batch.items()}
    model.train()
    start = time.perf_counter()
    for _ in range(len(signs) // BATCH):
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"), attention_kernel(device, kernel):
            value = loss(model, batch)["loss"]
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return len(signs) / (time.perf_counter() - start)


def whole(model: nn.Module, signs: Signs, config: TrainingConfig, batches: bool | None) -> float:
    """Images a second of one epoch of `training.fit`, its own clock's."""
    signs.transform = augmentation() if batches is False else None
    log = fit(model, signs, SignLoss(), config, transform=BatchAugmentation() if batches else None)
    return len(signs) / log[0]["seconds"]


@recipe("loop_speed")
def record(say: Say) -> dict:
    """Times every way in turn, round after round."""
    rows = []
    for title, make in MODELS.items():
        model = make()
        signs = Signs(BATCH * STEPS, model.image_size)
        config = TrainingConfig(epochs=1, batch_size=BATCH, lr=1e-5, warmup=0.0)
        bare(model, signs, config)  # the first steps of a model are slower
        speeds: dict[str, list[float]] = {"model alone": [], **{name: [] for name in LOOPS}}
        for index in range(ROUNDS):
            speeds["model alone"].append(bare(model, signs, config))
            for name, options in LOOPS.items():
                own = replace(config, workers=options["workers"])
                speeds[name].append(whole(model, signs, own, options["batches"]))
            say(f"{title}, round {index + 1} of {ROUNDS}: {speeds['model alone'][-1]:.0f} images a second alone")
        rows += [{"model": title, **row} for row in summary(speeds, "model alone")]
    kernels: dict[str, list[float]] = {name: [] for name in KERNELS}
    for _ in range(ROUNDS):
        for name, (precision, kernel) in KERNELS.items():
            kernels[name].append(bare(model, signs, config, precision, kernel))
    content = {"batch_size": BATCH, "steps": STEPS, "rounds": ROUNDS, "rows": rows}
    content["kernels"] = [{"model": title, **row} for row in summary(kernels, next(iter(KERNELS)))]
    for row in rows + content["kernels"]:
        speed, share = row["images_per_second"]["median"], row["share"]["median"]
        say(f"{row['model']}, {row['way']}: {speed:.0f} images a second, {share:.1%} of {row['of']}")
    return content


def summary(speeds: dict[str, list[float]], of: str) -> list[dict]:
    """The median, the least and the greatest speed of every way, and of its share of the way ``of``, by round."""

    def spread(values: list[float]) -> dict[str, float]:
        return {"median": median(values), "least": min(values), "greatest": max(values)}

    return [
        {
            "way": name,
            "of": of,
            "images_per_second": spread(values),
            "share": spread([value / other for value, other in zip(values, speeds[of], strict=True)]),
        }
        for name, values in speeds.items()
    ]

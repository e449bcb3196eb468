"""The ten broken runs of lesson 08's lab, and so its answers: work through the lab first.

Each overrides one step of the healthy `Run`. With this step mended it is the healthy run again, to the last bit.
"""

import copy
from functools import cache, partial

import torch
from torch import Tensor

from vitcourse.data.digit_rows import HELD_OUT
from vitcourse.errors import InputError
from vitcourse.recipes.training.faults import EPOCHS, RATE, Log, Run, Split, up_and_down
from vitcourse.vit import VisionTransformer


@cache
def run(name: str, seed: int = 0, epochs: int = EPOCHS) -> Log:
    """The log of a run, trained when it is first asked for.

    Args:
        name: "healthy", or a letter from "A" to "J".

    Raises:
        InputError: another name.
    """
    if name not in RUNS:
        raise InputError(f"there is no run {name!r}; there are {', '.join(RUNS)}")
    return RUNS[name](seed, epochs)()


class RunA(Run):
    """The training images are shuffled, their labels are not."""

    def pixels(self) -> Split:
        parts = super().pixels()
        images, labels = parts["train"]
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(self.seed))
        return {**parts, "train": (images[order], labels)}


class RunB(Run):
    """The rate is a hundred times too high."""

    rate = 100 * RATE


class RunC(Run):
    """Attention is causal, so the first token, which the head reads, sees nothing but itself."""

    def model_and_optimizer(self) -> tuple[VisionTransformer, torch.optim.Optimizer]:
        model, optimizer = super().model_and_optimizer()
        for block in model.blocks:
            block.attn.forward = partial(block.attn.forward, is_causal=True)
        return model, optimizer


class RunD(Run):
    """The held-out images are divided by 16, and not brought to the mean and deviation of the training images."""

    def inputs(self, pixels: Split) -> Split:
        images, labels = pixels["held"]
        return {**super().inputs(pixels), "held": (images[:, None] / 16, labels)}


class RunE(Run):
    """What the head reads is cut off from the graph."""

    def features(self, model: VisionTransformer, images: Tensor) -> Tensor:
        return super().features(model, images).detach()


class RunF(Run):
    """The schedule has the length of the epochs, and is stepped after every batch."""

    def share(self, step: int) -> float:
        return up_and_down(step, self.epochs)


class RunG(Run):
    """The images of train are copied, and then both parts are drawn from images and copies."""

    def pixels(self) -> Split:
        images, labels = (part.repeat_interleave(2, dim=0) for part in super().pixels()["train"])
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(self.seed))
        held, seen = order[:HELD_OUT], order[HELD_OUT:]
        return {"train": (images[seen], labels[seen]), "held": (images[held], labels[held])}


class RunH(Run):
    """The loss, which takes a softmax of its own, is given probabilities."""

    def loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return super().loss(logits.softmax(dim=-1), labels)


class RunI(Run):
    """Held-out images are met in training mode, and come class by class, as they lie in folders.

    The order alone would change nothing.
    """

    def pixels(self) -> Split:
        parts = super().pixels()
        images, labels = parts["held"]
        order = labels.argsort(stable=True)
        return {**parts, "held": (images[order], labels[order])}

    def mode(self, model: VisionTransformer) -> None:
        model.train()


class RunJ(Run):
    """The head is exchanged after the optimizer was given the parameters."""

    def model_and_optimizer(self) -> tuple[VisionTransformer, torch.optim.Optimizer]:
        model, optimizer = super().model_and_optimizer()
        model.head = copy.deepcopy(model.head)
        return model, optimizer


RUNS = {"healthy": Run} | {one.__name__[-1]: one for one in Run.__subclasses__()}

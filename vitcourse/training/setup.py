"""A model and how it is trained, as one object: what a comparison keeps the same while it changes one part.

`SEED` is the setup of a student's project on faces, with which the four blocks of `vitcourse.blocks` are compared.
"""

from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, StepLR

from vitcourse.vit import ViTConfig

# What the project tried, with its numbers. The line of its StepLR breaks off before gamma: PyTorch's own is 0.1.
OPTIMIZERS = {
    "adamw": partial(torch.optim.AdamW, lr=3e-3, betas=(0.9, 0.999), eps=1e-5, weight_decay=0.01),
    "sgd": partial(torch.optim.SGD, lr=1e-2, momentum=0.9),
}
SCHEDULES = {  # of the optimizer and the number of epochs; a step is an epoch
    "cosine": lambda optimizer, epochs: CosineAnnealingLR(optimizer, T_max=epochs),
    "step": lambda optimizer, _epochs: StepLR(optimizer, step_size=7),
}


@dataclass(frozen=True)
class Setup:
    """A model, its optimizer and schedule, and its budget.

    Attributes:
        optimizer: a name in `OPTIMIZERS`.
        schedule: a name in `SCHEDULES`.
    """

    model: ViTConfig
    epochs: int = 25
    batch_size: int = 64
    optimizer: str = "adamw"
    schedule: str = "cosine"

    def with_block(self, block: str, num_parallel: int = 2) -> "Setup":
        """The same with another block; parallel ones have P branches at 1/P of the depth, so as many parameters.

        Raises:
            ValueError: the depth is no multiple of P.
        """
        branches = num_parallel if block.startswith("parallel") else 1
        if self.model.depth % branches:
            raise ValueError(f"depth {self.model.depth} is no multiple of num_parallel {branches}")
        depth = self.model.depth // branches
        return replace(self, model=replace(self.model, block=block, num_parallel=branches, depth=depth))

    def prepare(self, model: nn.Module) -> tuple[torch.optim.Optimizer, LRScheduler]:
        """Optimizer and schedule for a model; the schedule steps once an epoch."""
        optimizer = OPTIMIZERS[self.optimizer](model.parameters())
        return optimizer, SCHEDULES[self.schedule](optimizer, self.epochs)


# DeiT's model for faces of 160 pixels; LayerScale starts at 1e-4, the default of its block. The classes are those of
# the course's signs.
SEED = Setup(
    ViTConfig(
        image_size=160,
        num_classes=26,
        dim=192,
        depth=12,
        num_heads=3,
        block="layer_scale_init",
        class_token_has_position=False,
        drop_path_schedule="constant",
    )
)

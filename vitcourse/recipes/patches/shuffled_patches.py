"""The recorded run ``shuffled_patches``: a small ViT reads digits with and without positions, and in shuffled patches.

The lesson on patches trains the same model with `train_digits`. The digits are those of `data.digit_rows`, 8 by 8
pixels, cut into 16 patches of 2 by 2.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import Dataset

from vitcourse.data.digit_rows import HELD_OUT
from vitcourse.patches import patchify, unpatchify
from vitcourse.recipes import Say, recipe
from vitcourse.training import TrainingConfig, fit
from vitcourse.vit import VisionTransformer, ViTConfig

CONFIG = ViTConfig(image_size=8, patch_size=2, in_chans=1, num_classes=10, dim=32, depth=2, num_heads=4)
PATCHES = (CONFIG.image_size // CONFIG.patch_size) ** 2
SEEDS = (0, 1, 2)
TRAINING = TrainingConfig(epochs=20, batch_size=64, lr=3e-3)
Order = Callable[[int], Tensor]  # how many images to the places (B, N) from which their patches come


class Digits(Dataset):
    """Images (1, 8, 8) from -1 to 1 with their digits; "train" is the first 1,437, "test" the last 360."""

    def __init__(self, split: str):
        from sklearn.datasets import load_digits

        data = load_digits()
        part = slice(None, -HELD_OUT) if split == "train" else slice(-HELD_OUT, None)
        self.images = torch.tensor(data.images[part], dtype=torch.float32)[:, None] / 8 - 1
        self.labels = torch.tensor(data.target[part])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"images": self.images[index], "labels": self.labels[index]}


def as_they_are(count: int) -> Tensor:
    return torch.arange(PATCHES).expand(count, -1)


def one_order(count: int) -> Tensor:
    """The same shuffle for every image, ever."""
    return torch.randperm(PATCHES, generator=torch.Generator().manual_seed(5)).expand(count, -1)


def new_orders(count: int) -> Tensor:
    """A new shuffle for every image, each time that it is seen."""
    return torch.rand(count, PATCHES).argsort(dim=1)


# What a model is trained on, and whether it has positions.
VARIANTS: dict[str, tuple[Order, bool]] = {
    "positions": (as_they_are, True),
    "no positions": (as_they_are, False),
    "one order": (one_order, True),
    "new orders": (new_orders, True),
}


def shuffled(images: Tensor, order: Order) -> Tensor:
    """Images (B, 1, 8, 8) whose patches are put into other places."""
    places = order(len(images)).to(images.device)
    patches = patchify(images, CONFIG.patch_size)
    patches = patches.gather(1, places[..., None].expand_as(patches))
    return unpatchify(patches, CONFIG.patch_size, CONFIG.image_size, CONFIG.image_size)


def train_digits(order: Order, positions: bool, config: TrainingConfig = TRAINING) -> VisionTransformer:
    """A ViT, made and trained from the config's seed; without positions its table is zero and stays so."""
    torch.manual_seed(config.seed)
    model = VisionTransformer(CONFIG)
    if not positions:
        nn.init.zeros_(model.pos_embed).requires_grad_(False)

    def loss(model: nn.Module, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"loss": F.cross_entropy(model(shuffled(batch["images"], order)), batch["labels"])}

    fit(model, Digits("train"), loss, config)
    return model.eval()


@torch.no_grad()
def accuracy(model: nn.Module, order: Order = as_they_are) -> float:
    """The share of the held-out digits that are read right."""
    test, device = Digits("test"), next(model.parameters()).device
    logits = model(shuffled(test.images.to(device), order))
    return (logits.argmax(dim=1).cpu() == test.labels).float().mean().item()


@recipe("shuffled_patches")
def record(say: Say) -> dict:
    """Trains each variant with each seed."""
    rows = []
    for name, (order, positions) in VARIANTS.items():
        for seed in SEEDS:
            model = train_digits(order, positions, replace(TRAINING, seed=seed))
            as_trained, mixed = round(accuracy(model, order), 4), round(accuracy(model, new_orders), 4)
            rows.append({"variant": name, "seed": seed, "as_trained": as_trained, "new_orders": mixed})
            say(f"{name}, seed {seed}: {as_trained:.1%} as trained, {mixed:.1%} in new orders")
    return {"dim": CONFIG.dim, "depth": CONFIG.depth, "test": HELD_OUT, "rows": rows}

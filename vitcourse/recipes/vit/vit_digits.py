"""The recorded run ``vit_digits``: a small ViT and a small CNN of about equal size, on more and more real digits.

Both see the same images in the same number of steps, with nothing added to them; so what differs is what is built in.
The largest set is also met by the ViT with a stem of convolutions, with the mean of its patches in place of the class
token, and by both models with images moved by up to a pixel.
"""

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.data.digit_rows import HELD_OUT
from vitcourse.recipes import Say, recipe
from vitcourse.vit import VisionTransformer, ViTConfig

DIGITS = ViTConfig(image_size=8, patch_size=2, in_chans=1, num_classes=10, dim=32, depth=4, num_heads=4)
COUNTS = (90, 180, 360, 720, 1437)
SEEDS = (0, 1, 2)
STEPS, MOVED_STEPS, BATCH = 400, 1200, 64
RATES = {"vit": 1e-2, "cnn": 4e-3}  # for each the best of 2e-3, 4e-3 and 1e-2 in a trial
DECAY, CLIP, WARMUP = 0.05, 1.0, 0.1
LossFunction = Callable[[nn.Module, Tensor, Tensor], Tensor]


def digits() -> dict[str, tuple[Tensor, Tensor]]:
    """Images (N, 1, 8, 8) and labels (N,) of scikit-learn's digits: "train" (1,437) and "test" (the last 360).

    The training images have mean 0 and variance 1; the test images are scaled by the same two numbers.
    """
    from sklearn.datasets import load_digits

    loaded = load_digits()
    images, labels = torch.tensor(loaded.images, dtype=torch.float32)[:, None], torch.tensor(loaded.target)
    seen = images[:-HELD_OUT]
    images = (images - seen.mean()) / seen.std()
    return {"train": (images[:-HELD_OUT], labels[:-HELD_OUT]), "test": (images[-HELD_OUT:], labels[-HELD_OUT:])}


class SmallCNN(nn.Sequential):
    """Three convolutions of 3 x 3 pixels, the mean over the image, and a linear head: (B, 1, 8, 8) to (B, 10)."""

    def __init__(self, widths: tuple[int, int, int] = (26, 52, 82)):
        layers, channels = [], 1
        for width, stride in zip(widths, (1, 2, 2), strict=True):
            convolution = nn.Conv2d(channels, width, kernel_size=3, stride=stride, padding=1, bias=False)
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def batches(count: int, steps: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Indices of ``steps`` batches; every image comes once in each pass, in an order of its own."""
    waiting = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        while len(waiting) < BATCH:
            waiting = torch.cat([waiting, torch.randperm(count, generator=generator)])
        batch, waiting = waiting.split([BATCH, len(waiting) - BATCH])
        yield batch


def rate_at(step: int, steps: int) -> float:
    """The share of the peak rate: up in a line over a tenth of the steps, then down along half a cosine."""
    return min((step + 1) / (WARMUP * steps), 0.5 * (1 + math.cos(math.pi * step / steps)))


def cross_entropy(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(model(images), labels)


def moved(images: Tensor, generator: torch.Generator) -> Tensor:
    """Each image (1, 8, 8) moved by up to one pixel in each direction; what comes in is background."""
    size = images.shape[-1]
    wide = F.pad(images[:, 0], (1, 1, 1, 1), value=float(images.min()))
    corner = torch.randint(3, (2, len(images), 1), generator=generator).to(images.device)
    rows, columns = corner + torch.arange(size, device=images.device)
    return wide[torch.arange(len(images))[:, None, None], rows[:, :, None], columns[:, None, :]][:, None]


def train(
    make: Callable[[], nn.Module],
    images: Tensor,
    labels: Tensor,
    rate: float,
    *,
    seed: int = 0,
    steps: int = STEPS,
    loss: LossFunction = cross_entropy,
    change: Callable[[Tensor, torch.Generator], Tensor] = lambda images, _: images,
) -> nn.Module:
    """The model that ``make`` makes, trained and in evaluation mode: the loop that lesson 06 writes out.

    Args:
        rate: the peak learning rate of AdamW.
        change: a random change of every batch of images.
    """
    torch.manual_seed(seed)
    model, generator = make(), torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate_at(step, steps))
    model.train()
    for index in batches(len(images), steps, generator):
        value = loss(model, change(images[index], generator), labels[index])
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The share of right answers; the model is in evaluation mode."""
    return (model(images).argmax(dim=-1) == labels).float().mean().item()


def first(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """So many of the training images, drawn by the seed; a larger draw holds the smaller ones."""
    images, labels = digits()["train"]
    kept = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))[:count]
    return images[kept], labels[kept]


def vit(**changes: object) -> VisionTransformer:
    return VisionTransformer(ViTConfig(**{**vars(DIGITS), **changes}))


@recipe("vit_digits")
def record(say: Say) -> dict:
    """Trains both models on every number of images, and the variants on all of them, with every seed."""
    test, rows = digits()["test"], []
    plain = {"vit": vit, "cnn": SmallCNN}
    variants = {"conv stem": lambda: vit(stem="conv"), "mean pooling": lambda: vit(pool="avg")}
    runs = [(name, make, count, {}) for count in COUNTS for name, make in plain.items()]
    runs += [(name, make, COUNTS[-1], {}) for name, make in variants.items()]
    how = {"steps": MOVED_STEPS, "change": moved}
    runs += [(f"{name}, moved", make, COUNTS[-1], how) for name, make in plain.items()]
    for name, make, count, how in runs:
        for seed in SEEDS:
            rate = RATES["cnn" if name.startswith("cnn") else "vit"]
            model = train(make, *first(count, seed), rate, seed=seed, **how)
            right = [accuracy(model, *part) for part in (test, first(count, seed))]
            rows.append(
                {"model": name, "images": count, "seed": seed, "test": round(right[0], 4), "train": round(right[1], 4)}
            )
            say(f"{name}, {count} images, seed {seed}: {right[0]:.1%} of the test")
    parameters = {name: sum(p.numel() for p in make().parameters()) for name, make in (plain | variants).items()}
    return {"parameters": parameters, "steps": STEPS, "moved_steps": MOVED_STEPS, "batch": BATCH, "rows": rows}

"""The recorded run ``sign_backbone``: the course's small ViT learns letters from rendered close-ups of hands.

Its weights, without the head, go to ``vitcourse/assets``, so that the lesson on fine-tuning needs no download.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate.utils import set_seed
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn
from torch.utils.data import Dataset

from vitcourse import results
from vitcourse.asl.runs import PRETRAINED, SMALL_VIT
from vitcourse.data.asl import augmentation, render, to_input
from vitcourse.data.hand import LETTERS
from vitcourse.positions import sinusoidal_grid
from vitcourse.training import TrainingConfig, fit, write_whole
from vitcourse.vit import VisionTransformer

CLOSE_UP = (0.6, 0.97)  # the share of the picture that the hand takes
TRAIN, HELD_OUT, SEED = 26 * 600, 26 * 40, 7
AUGMENT = augmentation(shift=0.06, scale=0.1, colour=0.2)
TRAINING = TrainingConfig(epochs=16, batch_size=48, lr=1e-3)
POSITION_SCALE = 0.3  # of the sinusoidal table that the learned positions start from


class CloseUps(Dataset):
    """Rendered close-ups in memory, letters in turn; ``first`` is the index of the first picture in the series."""

    def __init__(self, count: int, first: int, transform: Callable | None = None):
        self.labels = torch.arange(count) % len(LETTERS)
        self.images, self.boxes = render(self.labels, SEED, SMALL_VIT.image_size, first, fill=CLOSE_UP)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict:
        image = self.images[index]
        if self.transform is not None:
            image, _ = self.transform(image, self.boxes[index])
        return {"image": image, "label": self.labels[index]}


def record(data: str | Path | None = None, say: Callable[[str], None] = print) -> Path:  # noqa: ARG001
    """Renders, trains, writes the weights in half precision, and records the run. Takes no data."""
    started = time.perf_counter()
    train, held_out = CloseUps(TRAIN, 0, AUGMENT), CloseUps(HELD_OUT, TRAIN)
    say(f"rendered {TRAIN + HELD_OUT} close-ups in {time.perf_counter() - started:.0f} s")
    set_seed(TRAINING.seed)
    model = VisionTransformer(replace(SMALL_VIT, num_classes=len(LETTERS)))
    with torch.no_grad():
        side = SMALL_VIT.image_size // SMALL_VIT.patch_size
        model.pos_embed[0, 1:] = POSITION_SCALE * sinusoidal_grid(side, SMALL_VIT.dim)

    epochs = []

    def loss(model: nn.Module, batch: dict) -> dict[str, Tensor]:
        return {"loss": F.cross_entropy(model(to_input(batch["image"])), batch["label"])}

    def judge(model: nn.Module) -> dict[str, float]:
        measured = {"held_out_accuracy": accuracy(model, held_out)}
        epochs.append(time.perf_counter() - started)
        left = epochs[-1] / len(epochs) * (TRAINING.epochs - len(epochs)) / 60
        say(f"epoch {len(epochs)}: {measured['held_out_accuracy']:.1%} of held-out letters; about {left:.0f} min left")
        return measured

    log = fit(model, train, loss, TRAINING, evaluate=judge)
    state = {name: tensor.half() for name, tensor in model.state_dict().items() if not name.startswith("head.")}
    write_whole(PRETRAINED, to_safetensors(state))
    content = {"data": "rendered close-ups", "train": TRAIN, "held_out": HELD_OUT, "seed": TRAINING.seed, "log": log}
    return results.write("sign_backbone", content, time.perf_counter() - started)


@torch.no_grad()
def accuracy(model: nn.Module, dataset: CloseUps, batch_size: int = 128) -> float:
    """Share of letters named rightly."""
    device = next(model.parameters()).device
    model.eval()
    guesses = [model(to_input(images.to(device))).argmax(dim=1).cpu() for images in dataset.images.split(batch_size)]
    return (torch.cat(guesses) == dataset.labels).float().mean().item()

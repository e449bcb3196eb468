"""The recorded run ``sign_backbone``: the course's small ViT learns hands from rendered close-ups.

It names the letter and points at the 21 joints, which the renderer knows. The joints are what makes it learn: a letter
says little about a picture, 21 places say much. The weights, without the two heads, go to ``vitcourse/assets``, so that
the lesson on fine-tuning needs no download.
"""

import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from accelerate.utils import set_seed
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn
from torch.utils.data import Dataset

from vitcourse import results
from vitcourse.asl.runs import PRETRAINED, SMALL_VIT
from vitcourse.data.asl import augmentation, to_input
from vitcourse.data.hand import LETTERS
from vitcourse.data.signs import render_with_joints
from vitcourse.positions import sinusoidal_grid
from vitcourse.training import TrainingConfig, fit, write_whole
from vitcourse.vit import VisionTransformer

CLOSE_UP = (0.6, 0.97)  # the share of the picture that the hand takes
TRAIN, HELD_OUT, SEED = 26 * 600, 26 * 40, 7
AUGMENT = augmentation(shift=0.06, scale=0.1, colour=0.2)
TRAINING = TrainingConfig(epochs=14, batch_size=48, lr=1e-3)
POSITION_SCALE = 0.3  # of the sinusoidal table that the learned positions start from
JOINT_WEIGHT = 10.0  # an error of a tenth of the picture counts as much as a cross-entropy of 1


class CloseUps(Dataset):
    """Rendered close-ups in memory, letters in turn; ``first`` is the index of the first picture in the series."""

    def __init__(self, count: int, first: int, transform: Callable | None = None):
        self.labels = torch.arange(count) % len(LETTERS)
        size = SMALL_VIT.image_size
        self.images, _, self.joints = render_with_joints(self.labels, SEED, size, first, fill=CLOSE_UP)
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict:
        image, joints = self.images[index], self.joints[index]
        if self.transform is not None:
            image, joints = self.transform(image, joints)
        return {"image": image, "label": self.labels[index], "joints": joints}


class HandModel(nn.Module):
    """The backbone with a head for the letter, (B, 26), and one for the joints, (B, 21, 2) in fractions."""

    def __init__(self):
        super().__init__()
        self.backbone = VisionTransformer(SMALL_VIT)
        self.letter, self.joints = nn.Linear(SMALL_VIT.dim, len(LETTERS)), nn.Linear(SMALL_VIT.dim, 42)
        with torch.no_grad():
            side = SMALL_VIT.image_size // SMALL_VIT.patch_size
            self.backbone.pos_embed[0, 1:] = POSITION_SCALE * sinusoidal_grid(side, SMALL_VIT.dim)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        vector = self.backbone(images)
        return self.letter(vector), self.joints(vector).unflatten(1, (21, 2))


def losses(model: nn.Module, batch: dict) -> dict[str, Tensor]:
    """Cross-entropy of the letters plus the mean distance of the joints along an axis, weighted."""
    logits, joints = model(to_input(batch["image"]))
    letter, joint = F.cross_entropy(logits, batch["label"]), F.l1_loss(joints, batch["joints"])
    return {"loss": letter + JOINT_WEIGHT * joint, "letter": letter, "joint": joint}


@torch.no_grad()
def judge(model: nn.Module, dataset: CloseUps, batch_size: int = 128) -> dict[str, float]:
    """Share of letters named rightly, and mean distance of the joints along an axis, in fractions of the picture."""
    device = next(model.parameters()).device
    model.eval()
    outputs = [model(to_input(images.to(device))) for images in dataset.images.split(batch_size)]
    logits, joints = (torch.cat(parts).cpu() for parts in zip(*outputs, strict=True))
    accuracy = (logits.argmax(dim=1) == dataset.labels).float().mean()
    return {"held_out_accuracy": accuracy.item(), "held_out_joint": F.l1_loss(joints, dataset.joints).item()}


def record(data: str | Path | None = None, say: Callable[[str], None] = print) -> Path:  # noqa: ARG001
    """Renders, trains, writes the weights in half precision, and records the run. Takes no data."""
    started = time.perf_counter()
    train, held_out = CloseUps(TRAIN, 0, AUGMENT), CloseUps(HELD_OUT, TRAIN)
    say(f"rendered {TRAIN + HELD_OUT} close-ups in {time.perf_counter() - started:.0f} s")
    set_seed(TRAINING.seed)
    model, epochs = HandModel(), []

    def evaluate(model: nn.Module) -> dict[str, float]:
        measured = judge(model, held_out)
        epochs.append(time.perf_counter() - started)
        left = epochs[-1] / len(epochs) * (TRAINING.epochs - len(epochs)) / 60
        say(f"epoch {len(epochs)}: {measured['held_out_accuracy']:.1%} of held-out letters; about {left:.0f} min left")
        return measured

    log = fit(model, train, losses, TRAINING, evaluate=evaluate)
    state = {name: tensor.half() for name, tensor in model.backbone.state_dict().items()}
    write_whole(PRETRAINED, to_safetensors(state))
    content = {"data": "rendered close-ups", "train": TRAIN, "held_out": HELD_OUT, "seed": TRAINING.seed, "log": log}
    return results.write("sign_backbone", content, time.perf_counter() - started)

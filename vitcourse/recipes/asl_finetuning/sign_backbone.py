"""The recorded run ``sign_backbone``: the course's small ViT learns hands from rendered signs alone.

A letter says little about a picture. The renderer knows far more, and the model learns all of it at once: the letter,
the box, the 21 joints, and from every token which part of the hand its patch shows. The windows that it sees begin near
the hand and become whole pictures. The weights go to ``vitcourse/assets``: the backbone, so that the lesson on
fine-tuning needs no download, and apart from it the heads.
"""

import shutil
import time
from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from accelerate.utils import set_seed
from safetensors.torch import save as to_safetensors
from torch import Tensor, nn
from torch.utils.data import Dataset

from vitcourse import results
from vitcourse.asl.backbones.ours import PRETRAINED, SMALL_VIT, sign_backbone
from vitcourse.asl.losses import BOX_LOSSES
from vitcourse.asl.metrics import in_evaluation, measure
from vitcourse.data.asl import resize, to_input
from vitcourse.data.letters import LETTERS
from vitcourse.files import write_whole
from vitcourse.hands import PARTS, cut_windows, recolour, render_with_truth
from vitcourse.positions import sinusoidal_grid
from vitcourse.recipes import Say, recipe
from vitcourse.training import CHECKPOINT, TrainingConfig, by_device, fit
from vitcourse.vit import VisionTransformer
from vitcourse.weights import checkpoints

HEADS = PRETRAINED.with_name("sign_heads.safetensors")
WORK = results.FOLDER.parents[1] / "_build" / "sign_backbone"  # the checkpoint
TRAIN, HELD_OUT, SEED, PIXELS = 26 * 800, 26 * 40, 12, 96
TRAINING = TrainingConfig(epochs=26, batch_size=128, lr=1.5e-3, warmup=0.05, precision="bf16")
WHOLE = (0.3, 0.8)  # the share of windows that are whole pictures, in the first epoch and in the last
POSITION_SCALE = 0.3  # of the sinusoidal table that the learned positions start from
WEIGHTS = {"letter": 1.0, "box": 5.0, "giou": 1.0, "joint": 10.0, "part": 1.0}
SIDE = SMALL_VIT.image_size // SMALL_VIT.patch_size
CELLS = 4  # cells along the side of a patch, each of which names a part
CLASSES = max(PARTS) + 2  # the parts, and nothing


class Rendered(Dataset):
    """Rendered signs in memory, letters in turn; an item is its number, for batches are cut as a whole."""

    def __init__(self, count: int, first: int):
        device = by_device("cpu", "cuda")
        self.labels = torch.arange(first, first + count) % len(LETTERS)
        self.images, self.boxes, self.joints, self.parts = render_with_truth(
            self.labels, SEED, PIXELS, first, device=device
        )
        self.labels = self.labels.to(device)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict:
        return {"index": index}


class HandModel(nn.Module):
    """The backbone with heads for the letter (B, 26), the box (B, 4), the joints (B, 21, 2) and the map of parts."""

    def __init__(self, backbone: nn.Module | None = None):
        super().__init__()
        self.backbone = VisionTransformer(SMALL_VIT) if backbone is None else backbone
        self.letter, self.box = nn.Linear(SMALL_VIT.dim, len(LETTERS)), nn.Linear(SMALL_VIT.dim, 4)
        self.joints = nn.Linear(SMALL_VIT.dim, 42)
        self.parts = nn.Sequential(nn.LayerNorm(SMALL_VIT.dim), nn.Linear(SMALL_VIT.dim, CELLS * CELLS * CLASSES))
        if backbone is None:
            with torch.no_grad():
                self.backbone.pos_embed[0, 1:] = POSITION_SCALE * sinusoidal_grid(SIDE, SMALL_VIT.dim)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        tokens = self.backbone.forward_features(images)
        vector = self.backbone.pool(tokens)
        parts = self.parts(tokens[:, 1:]).view(-1, SIDE, SIDE, CELLS, CELLS, CLASSES)
        parts = parts.transpose(2, 3).reshape(-1, SIDE * CELLS, SIDE * CELLS, CLASSES)
        return self.letter(vector), self.box(vector), self.joints(vector).unflatten(1, (21, 2)), parts


class Losses:
    """The loss of a batch of `Rendered`: letter, box, joints and parts in one sum; cuts the batch's windows."""

    def __init__(self, data: Rendered):
        self.data = data
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Sets the share of whole pictures for the epoch with this number, from 0."""
        self.whole = WHOLE[0] + (WHOLE[1] - WHOLE[0]) * epoch / max(1, TRAINING.epochs - 1)

    def __call__(self, model: nn.Module, batch: dict) -> dict[str, Tensor]:
        data = self.data
        index = batch["index"].to(data.images.device)
        given = (data.images[index], data.boxes[index], data.joints[index], data.parts[index])
        images, boxes, joints, parts = cut_windows(*given, SMALL_VIT.image_size, SIDE * CELLS, self.whole)
        outputs = [output.float() for output in model(recolour(images) * 2 - 1)]
        losses = {
            "letter": F.cross_entropy(outputs[0], data.labels[index]),
            "box": F.l1_loss(outputs[1], boxes),
            "giou": BOX_LOSSES["giou"](outputs[1], boxes),
            "joint": F.l1_loss(outputs[2], joints),
            "part": F.cross_entropy(outputs[3].flatten(0, 2), parts.flatten()),
        }
        return {"loss": sum(weight * losses[name] for name, weight in WEIGHTS.items())} | losses


@torch.no_grad()
def read(model: nn.Module, images: Iterable[Tensor], batch_size: int = 128) -> tuple[Tensor, Tensor]:
    """Logits (B, 26) and boxes (B, 4), on the CPU, for uint8 pictures of any size."""
    device, found = next(model.parameters()).device, []
    small = torch.stack([resize(image, SMALL_VIT.image_size) for image in images])
    with in_evaluation(model):
        for batch in small.split(batch_size):
            found.append([output.float().cpu() for output in model(to_input(batch.to(device)))[:2]])
    letters, boxes = zip(*found, strict=True)
    return torch.cat(letters), torch.cat(boxes)


def judge(model: nn.Module, images: Tensor, labels: Tensor, boxes: Tensor) -> dict[str, float]:
    """The measures of `asl.evaluate` for whole pictures (B, 3, h, w) uint8."""
    return measure(*read(model, images), labels.cpu(), boxes.cpu())


def hand_model() -> HandModel:
    """The recorded model: the backbone and the heads of ``vitcourse/assets``."""
    model = HandModel(sign_backbone())
    missing, unexpected = model.load_state_dict(checkpoints.read(HEADS), strict=False)
    if unexpected or any(not name.startswith("backbone.") for name in missing):
        raise ValueError(f"{HEADS.name} does not hold the heads of this model")
    return model.eval()


@recipe("sign_backbone")
def record(say: Say) -> Iterator[dict]:
    """Renders, trains, and writes the weights in half precision.

    An hour on a CPU: a run that was ended goes on from its last epoch. Its seconds are those of the epochs.
    """
    started = time.perf_counter()
    train, held_out = Rendered(TRAIN, 0), Rendered(HELD_OUT, TRAIN)
    rendering = time.perf_counter() - started
    say(f"rendered {TRAIN + HELD_OUT} signs in {rendering:.0f} s")
    set_seed(TRAINING.seed)
    model, losses = HandModel().to(memory_format=torch.channels_last), Losses(train)
    resumed = (WORK / CHECKPOINT).exists()
    done = len(checkpoints.load(WORK / CHECKPOINT)["log"]) if resumed else 0
    losses.begin(done)

    def evaluate(model: nn.Module) -> dict[str, float]:
        nonlocal done
        done += 1
        losses.begin(done)
        measured = judge(model, held_out.images, held_out.labels, held_out.boxes)
        say(f"epoch {done} of {TRAINING.epochs}: {measured['accuracy']:.1%} of held-out letters")
        return {f"held_out_{name}": value for name, value in measured.items()}

    log = fit(model, train, losses, TRAINING, evaluate=evaluate, out=WORK, resume=resumed)
    backbone, heads = {}, {}
    for name, tensor in model.state_dict().items():
        _, mark, rest = name.partition("backbone.")
        stored = tensor.half() if tensor.is_floating_point() else tensor
        (backbone if mark else heads)[rest or name] = stored.contiguous()
    write_whole(PRETRAINED, to_safetensors(backbone))
    write_whole(HEADS, to_safetensors(heads))
    seconds = rendering + sum(entry["seconds"] for entry in log)
    content = {"data": "rendered signs", "train": TRAIN, "held_out": HELD_OUT, "seed": TRAINING.seed, "log": log}
    yield content | {"seconds": seconds}
    shutil.rmtree(WORK)

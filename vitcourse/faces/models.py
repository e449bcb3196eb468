"""What defines a run on faces, the sizes that have a name, and the models that it can train."""

from dataclasses import dataclass, field, replace

import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.asl.backbones.ours import SMALL_VIT, pretrained_weights
from vitcourse.data.asl import to_input
from vitcourse.errors import InputError
from vitcourse.training import TrainingConfig, offered
from vitcourse.training.setup import SEED, Setup
from vitcourse.vit import CHOICES, VisionTransformer, ViTConfig

MODELS = {"vit": "the course's, with any block", "resnet18": "torchvision's", "deit3": "timm's DeiT III"}
BLOCKS = CHOICES["block"]
STARTS = ("scratch", "signs")
# Sized for minutes of one core: 0.7 million weights, 16 patches.
TINY = ViTConfig(image_size=32, patch_size=8, num_classes=0, dim=96, depth=4, num_heads=3, stem="conv", pool="avg")
SIGNS = replace(SMALL_VIT, image_size=64)  # the shape of the sign backbone
TIMM_DEIT3 = "deit3_small_patch16_224"  # its sizes are replaced by those of the run


@dataclass(frozen=True)
class FaceRun:
    """What defines a run, apart from its people.

    Attributes:
        model: a name in `MODELS`; all start from random weights.
        vit: the size of the images, and the shape of "vit". "deit3" has its patches, width, depth and heads; a parallel
            block keeps the number of weights (see `training.setup.Setup.with_block`).
        start: "scratch", or "signs": the weights of the course's backbone, which was trained on rendered hands.
        augment: how much the pictures are changed, 0 (not at all) to 1 (see `faces.augment`); ``mix`` is its own.
        smoothing: of the labels, in the loss.
        valid, test, least, few: how the pictures of a folder are shared out for it; see `data.faces.load`.
        data: filled in by the training: a digest of the pictures trained on, so that no others continue a run.

    Raises:
        ValueError: a name is unknown, or a number is out of its range.
    """

    model: str = offered("vit", f"{', '.join(f'{name} ({words})' for name, words in MODELS.items())}.")
    vit: ViTConfig = TINY
    start: str = offered("scratch", "scratch, or signs: the course's sign backbone.")
    augment: float = offered(0.5, "How much to move, scale, turn, light and erase: 0 (also no mirroring) to 1.")
    mix: float = offered(0.0, "The largest share of another picture that is mixed in.")
    smoothing: float = offered(0.1, "Of the labels: the share of the loss that all people have alike.")
    training: TrainingConfig = field(default_factory=TrainingConfig)
    valid: float = offered(0.2, "Share of each person's pictures for validation.")
    test: float = offered(0.2, "Share that is set apart.")
    least: int = offered(1, "Pictures of each person in each part, at least.", least=1)
    few: str = offered("refuse", "People with too few pictures: refuse the set, or skip them.")
    data: str = ""

    def __post_init__(self):
        for name, known in (("model", tuple(MODELS)), ("start", STARTS)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")
        if not 0 <= self.augment <= 1:
            raise ValueError(f"augment must be in [0, 1], got {self.augment}")
        for name in ("mix", "smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")
        if self.start == "signs" and (self.model, self.vit.block) != ("vit", "block"):
            raise ValueError("the sign backbone is a vit of plain blocks: start 'signs' takes no other model or block")

    def from_signs(self) -> "FaceRun":
        """The same from the course's sign backbone, in its shape.

        Raises:
            ValueError: it is a run of another model or block.
        """
        return replace(self, start="signs", vit=replace(SIGNS, block=self.vit.block))

    def with_block(self, block: str, num_parallel: int = 2) -> "FaceRun":
        """The same with another block and as many weights; see `training.setup.Setup.with_block`."""
        return replace(self, vit=Setup(self.vit).with_block(block, num_parallel).model)


# "seed" is the project that the lesson follows: its model, optimizer and epochs, and no augmentation. It lowers the
# rate after every epoch and decays all weights; here the rate follows the same cosine step by step, and what is no
# matrix does not decay.
PRESETS = {
    "cpu": FaceRun(training=TrainingConfig(epochs=40, batch_size=20, lr=2e-3, warmup=0.1)),
    "seed": FaceRun(
        vit=SEED.model,
        augment=0.0,
        smoothing=0.0,
        training=TrainingConfig(
            epochs=SEED.epochs, batch_size=SEED.batch_size, lr=3e-3, weight_decay=0.01, eps=1e-5, warmup=0.0, clip=0.0
        ),
    ),
}


def new_model(run: FaceRun, people: int) -> nn.Module:
    """The model that a run starts from: normalised images (B, 3, S, S) to logits (B, people).

    Raises:
        InputError: sizes that make no model, or another shape than the sign backbone's with ``start="signs"``.
    """
    try:
        if run.model == "resnet18":
            from torchvision.models import resnet18

            return resnet18(num_classes=people)
        if run.model == "deit3":
            return _deit3(run.vit, people)
        model = VisionTransformer(replace(run.vit, num_classes=people))
    except (ValueError, AssertionError) as error:  # timm asserts
        raise InputError(f"no model of these sizes can be made: {error}") from error
    if run.start == "signs":
        size = run.vit.image_size
        if replace(run.vit, num_classes=0) != replace(SIGNS, image_size=size):
            raise InputError("start 'signs' needs the shape of the sign backbone (see FaceRun.from_signs)")
        model.load_state_dict(model.state_dict() | pretrained_weights(size))
    return model


def _deit3(vit: ViTConfig, people: int) -> nn.Module:
    import timm

    sizes = {"img_size": vit.image_size, "patch_size": vit.patch_size, "embed_dim": vit.dim, "depth": vit.depth}
    return timm.create_model(TIMM_DEIT3, num_heads=vit.num_heads, num_classes=people, **sizes)


class FaceLoss:
    """The loss of a model of faces as `training.fit` calls it: cross-entropy, and the accuracy of the batch beside it.

    Of mixed pictures both are weighed by the shares of the two people.
    """

    def __init__(self, smoothing: float = 0.0):
        self.smoothing = smoothing

    def __call__(self, model: nn.Module, batch: dict) -> dict[str, Tensor]:
        logits = model(to_input(batch["image"]))
        asked = [(batch["label"], batch.get("kept", logits.new_ones(len(logits))))]
        if "other" in batch:
            asked.append((batch["other"], 1 - batch["kept"]))
        named = logits.argmax(1)
        return {
            "loss": sum(
                (share * F.cross_entropy(logits, labels, reduction="none", label_smoothing=self.smoothing)).mean()
                for labels, share in asked
            ),
            "accuracy": sum((share * (named == labels)).mean() for labels, share in asked),
        }

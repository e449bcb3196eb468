"""A trained sign model on disk: ``run.json`` says what it is, ``model.safetensors`` holds the weights."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from vitcourse.asl.model import ClassificationBBoxTransformer, freeze
from vitcourse.errors import CheckpointError, InputError
from vitcourse.training import WEIGHTS, TrainingConfig, write_whole
from vitcourse.vit import VisionTransformer, ViTConfig

RUN = "run.json"
# The course's small vision transformer: 64 patches and 1.2 million weights, trained on a laptop in minutes.
SMALL_VIT = ViTConfig(image_size=64, patch_size=8, num_classes=0, dim=128, depth=6, num_heads=4, pool="avg")
PRETRAINED = Path(__file__).resolve().parents[1] / "assets" / "sign_backbone.safetensors"


@dataclass(frozen=True)
class SignRun:
    """What defines a run, apart from its data.

    Attributes:
        backbone: "vit" (the course's small ViT, from scratch), "vit-signs" (the same, pretrained on rendered signs),
            "resnet18" (from scratch), or a ``ViTModel``: a local folder, or a name on the Hugging Face hub such as
            ``google/vit-base-patch16-224-in21k``.
        backbone_config: filled in when the model is made, so that it can be made again without the original.
        image_size: height and width in pixels at which images are read; 0 for the backbone's own.
        classification_divisor: the constant C of `asl.losses.sign_loss`.
        frozen_layers: see `asl.model.freeze`; -1 freezes nothing.
    """

    backbone: str = "vit-signs"
    image_size: int = 0
    box_sigmoid: bool = True
    classification_divisor: float = 10.0
    frozen_layers: int = -1
    training: TrainingConfig = field(default_factory=TrainingConfig)
    backbone_config: dict | None = None

    def __post_init__(self):
        if not self.classification_divisor > 0:
            raise ValueError(f"the constant C must be above 0, got {self.classification_divisor}")


def new_model(run: SignRun) -> tuple[ClassificationBBoxTransformer, SignRun]:
    """The model that a run starts from, and the run with what was left open filled in.

    Raises:
        InputError: the backbone cannot be loaded, or does not take the image size.
    """
    if run.backbone == "vit":
        size = run.image_size or SMALL_VIT.image_size
        config = asdict(SMALL_VIT) | {"image_size": size}
        try:
            backbone = VisionTransformer(ViTConfig(**config))
        except ValueError as error:
            raise InputError(str(error)) from error
    elif run.backbone == "vit-signs":
        backbone = sign_backbone()
        config, size = asdict(SMALL_VIT), _only_size(run, SMALL_VIT.image_size)
    elif run.backbone == "resnet18":
        backbone, config, size = _resnet(), {}, run.image_size or 64
    else:
        backbone = _pretrained(run.backbone)
        config, size = backbone.config.to_dict(), _only_size(run, backbone.config.image_size)
    model = ClassificationBBoxTransformer(backbone, box_sigmoid=run.box_sigmoid, image_size=size)
    if run.frozen_layers >= 0:
        try:
            freeze(backbone, run.frozen_layers)
        except ValueError as error:
            raise InputError(str(error)) from error
    return model, SignRun(**{**vars(run), "image_size": size, "backbone_config": config})


def sign_backbone() -> VisionTransformer:
    """The course's small ViT with the weights that `recipes.sign_backbone` left: it has named letters in close-ups."""
    backbone = VisionTransformer(SMALL_VIT)
    backbone.load_state_dict(load_file(PRETRAINED))  # half precision on disk, float32 in the model
    return backbone


def _only_size(run: SignRun, size: int) -> int:
    if run.image_size not in (0, size):
        raise InputError(f"{run.backbone} reads images of {size} pixels, {run.image_size} were asked for")
    return size


def _resnet() -> nn.Module:
    from torchvision.models import resnet18

    return resnet18(weights=None)


def _pretrained(name: str) -> nn.Module:
    from transformers import ViTModel

    try:
        return ViTModel.from_pretrained(name, add_pooling_layer=False)
    except (OSError, ValueError) as error:
        raise InputError(f"no ViTModel could be loaded from {name!r}: {str(error).strip().splitlines()[0]}") from error


def save_run(run: SignRun, out: Path) -> None:
    """Writes ``run.json``; the weights are written by the training loop."""
    write_whole(out / RUN, (json.dumps(asdict(run), indent=1) + "\n").encode())


def load_run(folder: str | Path) -> tuple[ClassificationBBoxTransformer, SignRun]:
    """The trained model of a run folder, in evaluation mode, and what defines it.

    Raises:
        CheckpointError: naming the file that is missing, damaged or of another kind.
    """
    folder = Path(folder)
    for file in (folder / RUN, folder / WEIGHTS):
        if not file.is_file():
            raise CheckpointError("there is no such file; is this the folder of a finished run?", file)
    try:
        fields = json.loads((folder / RUN).read_text(encoding="utf-8"))
        run = SignRun(**{**fields, "training": TrainingConfig(**fields["training"])})
        model = ClassificationBBoxTransformer(
            _empty_backbone(run), box_sigmoid=run.box_sigmoid, image_size=run.image_size
        )
    except (UnicodeDecodeError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"it does not describe a sign run ({error})", folder / RUN) from error
    try:
        model.load_state_dict(load_file(folder / WEIGHTS))
    except (SafetensorError, RuntimeError, OSError) as error:
        problem = str(error).splitlines()[0]
        raise CheckpointError(f"it does not hold the weights of this run ({problem})", folder / WEIGHTS) from error
    return model.eval(), run


def _empty_backbone(run: SignRun) -> nn.Module:
    if run.backbone in ("vit", "vit-signs"):
        return VisionTransformer(ViTConfig(**run.backbone_config))
    if run.backbone == "resnet18":
        return _resnet()
    from transformers import ViTConfig as HuggingFaceConfig
    from transformers import ViTModel

    return ViTModel(HuggingFaceConfig.from_dict(run.backbone_config), add_pooling_layer=False)

"""A trained sign model on disk: ``run.json`` says what it is, ``model.safetensors`` holds the weights."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from torch import Tensor, nn

from vitcourse.asl.foreign import FIELDS, MOST_PIXELS
from vitcourse.asl.losses import SignLoss
from vitcourse.asl.model import ClassificationBBoxTransformer, freeze
from vitcourse.asl.pretrained import empty_resnet, resnet, vit_model
from vitcourse.errors import CheckpointError, InputError, one_line, some
from vitcourse.files import write_whole
from vitcourse.positions import resample
from vitcourse.training import WEIGHTS, TrainingConfig, by_device, differences
from vitcourse.vit import VisionTransformer, ViTConfig
from vitcourse.weights.checkpoints import pick, read

RUN = "run.json"
# The course's small vision transformer: half of ViT-Ti behind convolutions, 3.6 million weights.
SMALL_VIT = ViTConfig(
    image_size=96, patch_size=16, num_classes=0, dim=192, depth=6, num_heads=3, stem="conv", pool="avg"
)
PRETRAINED = Path(__file__).resolve().parents[1] / "assets" / "sign_backbone.safetensors"


@dataclass(frozen=True)
class SignRun:
    """What defines a run, apart from its data.

    Attributes:
        backbone: "vit" (the course's small ViT, from scratch), "vit-signs" (the same, pretrained on rendered signs),
            "resnet18" (from scratch), "resnet18:FILE" (ImageNet weights from a local file), "resnet18-imagenet" (the
            same, which torchvision downloads), or a ``ViTModel``: a local folder, or a name on the Hugging Face hub
            such as ``google/vit-base-patch16-224-in21k``.
        backbone_config: filled in when the model is made, so that it can be made again without the original.
        image_size: height and width in pixels at which images are read; 0 for the backbone's own. A ``ViTModel`` takes
            no other; the course's ViT takes any multiple of its patches.
        classification_divisor: the constant C of `asl.losses.sign_loss`.
        frozen_layers: see `asl.backbones.freeze`; -1 freezes nothing.
        box_loss, balance, task: see `asl.losses.SignLoss`.
        augment: mirror, move, scale and recolour the images. Without it, what frozen layers give is computed once.
        hold_out: the share of the train photos that is not trained on, but judged after every epoch; the log's names
            then begin with "held_out_", and valid is not read. With 0 valid is judged, as "valid_…".
        data: filled in when the data is read: a digest of the images trained on, so that no other data continues a run.

    Raises:
        ValueError: a number out of its range, or an unknown name.
    """

    backbone: str = "vit-signs"
    image_size: int = 0
    box_sigmoid: bool = True
    classification_divisor: float = 10.0
    frozen_layers: int = -1
    training: TrainingConfig = field(default_factory=TrainingConfig)
    backbone_config: dict | None = None
    box_loss: str = "mse"
    balance: str = "constant"
    task: str = "both"
    augment: bool = True
    hold_out: float = 0.0
    data: str = ""

    def __post_init__(self):
        self.loss()
        if not 0 <= self.image_size <= MOST_PIXELS:
            raise ValueError(f"image_size must be 0 to {MOST_PIXELS}, got {self.image_size}")
        if not 0 <= self.hold_out < 1:
            raise ValueError(f"hold_out must be a share in [0, 1), got {self.hold_out}")

    def loss(self) -> SignLoss:
        """The loss that this run trains with."""
        after = None if self.frozen_layers < 0 else self.frozen_layers
        return SignLoss(self.classification_divisor, self.box_loss, self.balance, self.task, after)


def new_model(run: SignRun) -> tuple[ClassificationBBoxTransformer, SignRun]:
    """The model that a run starts from, and the run with what was left open filled in.

    Raises:
        InputError: the backbone cannot be loaded, or does not take the image size.
    """
    size = run.image_size or SMALL_VIT.image_size
    if run.backbone in ("vit", "vit-signs"):
        try:
            backbone = VisionTransformer(replace(SMALL_VIT, image_size=size))
        except ValueError as error:
            raise InputError(str(error)) from error
        if run.backbone == "vit-signs":
            backbone.load_state_dict(pretrained_weights(size))
        config = asdict(backbone.config)
    elif run.backbone.startswith("resnet18"):
        backbone, config = resnet(run.backbone), {}
        if run.backbone != "resnet18":
            size = run.image_size or 224
    else:
        backbone = vit_model(run.backbone)
        config = {field: getattr(backbone.config, field) for field in FIELDS}
        size = _only_size(run, backbone.config.image_size)
    model = ClassificationBBoxTransformer(backbone, box_sigmoid=run.box_sigmoid, image_size=size)
    if run.frozen_layers >= 0:
        try:
            freeze(backbone, run.frozen_layers)
        except ValueError as error:
            raise InputError(str(error)) from error
    return model, SignRun(**{**vars(run), "image_size": size, "backbone_config": config})


def sign_backbone() -> VisionTransformer:
    """The course's small ViT with the weights that `recipes.sign_backbone` left: it has named letters on its own."""
    backbone = VisionTransformer(SMALL_VIT)
    backbone.load_state_dict(pretrained_weights(SMALL_VIT.image_size))
    return backbone


def pretrained_weights(image_size: int) -> dict[str, Tensor]:
    """These weights in float32 (half precision on disk); for images of another size the positions are resampled.

    Dosovitskiy et al. 2020, https://arxiv.org/abs/2010.11929, section 3.2.
    """
    weights = {name: tensor.float() for name, tensor in read(PRETRAINED).items()}
    side = image_size // SMALL_VIT.patch_size
    return weights | {"pos_embed": resample(weights["pos_embed"], (side, side))}


def _only_size(run: SignRun, size: int) -> int:
    if run.image_size not in (0, size):
        raise InputError(f"{run.backbone} reads images of {size} pixels, {run.image_size} were asked for")
    return size


def save_run(run: SignRun, out: Path) -> None:
    """Writes ``run.json``; the weights are written by the training loop."""
    write_whole(out / RUN, (json.dumps(asdict(run), indent=1) + "\n").encode())


def same_run(run: SignRun, out: Path) -> None:
    """Checks that a run that is to be continued is the one described in ``out``; see `training.files.differences`.

    Raises:
        CheckpointError: naming what differs, and both values.
    """
    saved, wanted = (json.loads(json.dumps(asdict(either))) for either in (_read_run(out), run))  # as JSON holds them
    other_data = saved.pop("data") != wanted.pop("data")
    told = ["another data (other images of train)"] if other_data else []
    if told := told + differences(saved, wanted):
        raise CheckpointError(f"the run in it is another: {some(told)}", out)


def _read_run(folder: Path) -> SignRun:
    file = folder / RUN
    if not file.is_file():
        raise CheckpointError("there is no such file; is this the folder of a run?", file)
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        return SignRun(**{**fields, "training": TrainingConfig(**fields["training"])})
    except (UnicodeDecodeError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(f"it does not describe a sign run ({one_line(error)})", file) from error


def load_run(folder: str | Path) -> tuple[ClassificationBBoxTransformer, SignRun]:
    """The trained model of a run folder, in evaluation mode on the GPU where there is one, and what defines it.

    Raises:
        CheckpointError: naming the file that is missing, damaged or of another kind.
    """
    folder = Path(folder)
    run = _read_run(folder)
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError("there is no such file; is this the folder of a finished run?", folder / WEIGHTS)
    try:
        model = ClassificationBBoxTransformer(
            _empty_backbone(run), box_sigmoid=run.box_sigmoid, image_size=int(run.image_size)
        )
    except Exception as error:  # numbers that make no model fail anywhere in it, and in any way
        raise CheckpointError(f"it does not describe a sign run ({one_line(error)})", folder / RUN) from error
    try:
        wanted = {name: tensor.shape for name, tensor in model.state_dict().items()}
        model.load_state_dict(pick(read(folder / WEIGHTS), wanted, folder / WEIGHTS), strict=False)
    except CheckpointError as error:
        problem = f"it does not hold the weights of this run ({error.problem})"
        raise CheckpointError(problem, folder / WEIGHTS) from error
    return model.to(by_device(cpu="cpu", cuda="cuda")).eval(), run


def _empty_backbone(run: SignRun) -> nn.Module:
    if run.backbone in ("vit", "vit-signs"):
        return VisionTransformer(ViTConfig(**run.backbone_config))
    if run.backbone.startswith("resnet18"):
        return empty_resnet(run.backbone)
    from transformers import ViTConfig as HuggingFaceConfig
    from transformers import ViTModel

    return ViTModel(HuggingFaceConfig.from_dict(run.backbone_config), add_pooling_layer=False)

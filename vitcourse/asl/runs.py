"""A trained sign model on disk: ``run.json`` says what it is, ``model.safetensors`` holds the weights."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vitcourse.asl.backbones import adapter, named
from vitcourse.asl.backbones.adapter import known_names
from vitcourse.asl.backbones.vit_files import MOST_PIXELS
from vitcourse.asl.boxes import BOX_HEADS
from vitcourse.asl.losses import BOX_LOSSES, SignLoss
from vitcourse.asl.model import ClassificationBBoxTransformer
from vitcourse.asl.parts import LABELS
from vitcourse.data.letters import LETTERS
from vitcourse.errors import CheckpointError, InputError, one_line, some
from vitcourse.training import WEIGHTS, TrainingConfig, by_device, differences, offered
from vitcourse.training.description import (
    RUN,
    Description,
    describe,
    described,
    measures,
    note_unfinished,
    preprocessing,
)
from vitcourse.weights.checkpoints import pick, read

KIND = "signs"


@dataclass(frozen=True)
class SignRun:
    """What defines a run, apart from its data.

    Attributes:
        backbone: one of the NAMES of `asl.backbones.KINDS`.
        backbone_config: filled in when the model is made, so that it can be made again without the original.
        image_size: height and width at which images are read. A ``ViTModel`` takes its own alone; a VisionTransformer
            takes any multiple of its patches.
        classification_divisor, box_loss, balance, task: see `asl.losses.SignLoss`.
        frozen_layers: see `asl.freeze`.
        box_head: see `asl.model.ClassificationBBoxTransformer`.
        labels: the boxes of train, "exported", or "tight": with what they grew by taken off (`data.asl.tighten`).
        augment: without it, what frozen layers give is computed once.
        strong: see `data.augment.StrongAugmentation`; images are kept at 1.5 times their size.
        hold_out: these are not trained on, but judged after every epoch; the log's names then begin with "held_out_",
            and valid is not read. With 0 valid is judged, as "valid_…".
        data: filled in when the data is read: a digest of the images trained on, so that no other data continues a run.

    Raises:
        ValueError: a number out of its range, or an unknown name.
    """

    backbone: str = offered("vit-signs", f"{known_names('{0} ({1})')}.")
    image_size: int = offered(0, "Pixels; 0 for the backbone's own.", least=0)
    box_head: str = offered("mean", f"{', '.join(BOX_HEADS)}: what it reads.")
    box_sigmoid: bool = offered(True, "End the box head mean with one.")
    classification_divisor: float = offered(10.0, "The constant C.", "--classification-divisor", "-C")
    frozen_layers: int = offered(-1, "Freeze the embeddings and this many layers; -1 for none.", "--freeze")
    training: TrainingConfig = field(default_factory=TrainingConfig)
    backbone_config: dict | None = None
    box_loss: str = offered("mse", f"{', '.join(BOX_LOSSES)}.")
    balance: str = offered("constant", "constant (C), uncertainty or gradnorm (both learned).")
    task: str = offered("both", "both, or letters alone.")
    labels: str = offered("exported", "exported, or tight: the boxes of train without what they grew by.")
    augment: bool = offered(True, "Mirror, move, scale, recolour.")
    strong: bool = offered(False, "More of it, with close-ups of the hand, blur and covered parts.")
    hold_out: float = offered(
        0.0, "Share of the train photos kept back, on which the epoch is chosen; 0 takes the last."
    )
    data: str = ""

    def __post_init__(self):
        self.loss()
        for name, known in (("box_head", BOX_HEADS), ("labels", LABELS)):
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {value!r}")
        if self.strong and not self.augment:
            raise ValueError("strong is a way to augment; it does not go without augment")
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
    own = adapter(named(run.backbone).load(run.backbone, run.image_size))
    size = run.image_size or own.usual_size(run.backbone)
    options = {"box_sigmoid": run.box_sigmoid, "box_head": run.box_head}
    model = ClassificationBBoxTransformer(own.module, **options, image_size=size)
    if run.frozen_layers >= 0:
        try:
            own.freeze(run.frozen_layers)
        except ValueError as error:
            raise InputError(str(error)) from error
    return model, replace(run, image_size=size, backbone_config=own.config())


def save_run(run: SignRun, out: Path, log: Sequence[dict] = ()) -> None:
    """Writes ``run.json``, with the measures of a log; the weights are written by the training loop."""
    metrics = measures(list(log), run.training.choose)
    describe(Description(KIND, list(LETTERS), preprocessing(run.image_size), metrics, asdict(run)), out)


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
    found = described(folder, KIND)
    fields, size = found.settings, found.preprocessing["size"]
    try:
        run = SignRun(**{**fields, "training": TrainingConfig(**fields["training"])})
        if found.labels != list(LETTERS):
            raise ValueError("its labels are not the 26 letters")
        if size != run.image_size:
            raise ValueError(f"its images have a size of {size}, its settings ask for {run.image_size}")
    except (ValueError, TypeError, KeyError) as error:
        raise CheckpointError(f"it does not describe a sign run ({one_line(error)})", folder / RUN) from error
    return run


def load_run(folder: str | Path) -> tuple[ClassificationBBoxTransformer, SignRun]:
    """The trained model of a run folder, in evaluation mode on the GPU where there is one, and what defines it.

    A training that has not ended is told, with an `UnfinishedNote`.

    Raises:
        CheckpointError: naming the file that is missing, damaged or of another kind.
    """
    folder = Path(folder)
    run = _read_run(folder)
    if not (folder / WEIGHTS).is_file():
        raise CheckpointError("there is no such file; is this the folder of a finished run?", folder / WEIGHTS)
    try:
        model = ClassificationBBoxTransformer(
            named(run.backbone).empty(run.backbone, run.backbone_config),
            box_sigmoid=run.box_sigmoid,
            box_head=run.box_head,
            image_size=int(run.image_size),
        )
    except Exception as error:  # numbers that make no model fail anywhere in it, and in any way
        raise CheckpointError(f"it does not describe a sign run ({one_line(error)})", folder / RUN) from error
    try:
        wanted = {name: tensor.shape for name, tensor in model.state_dict().items()}
        model.load_state_dict(pick(read(folder / WEIGHTS), wanted, folder / WEIGHTS), strict=False)
    except CheckpointError as error:
        problem = f"it does not hold the weights of this run ({error.problem})"
        raise CheckpointError(problem, folder / WEIGHTS) from error
    note_unfinished(described(folder), folder)
    return model.to(by_device(cpu="cpu", cuda="cuda")).eval(), run

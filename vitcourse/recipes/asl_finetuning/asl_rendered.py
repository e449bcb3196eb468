"""The recorded run ``asl_rendered``: the trainings of the lesson on fine-tuning, over several seeds.

On the vectors of a frozen backbone two wide heads are trained, and two of one matrix each. All weights are trained in
three ways: at once, at once from scratch, and at a lower rate behind the wide heads, after them. Beside them: what the
wide heads say of the six hands of the lesson's first picture, while they learn.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from accelerate.utils import set_seed
from torch import Tensor, nn

from vitcourse.asl import ClassificationBBoxTransformer, FrozenFeatures, SignLoss, SignRun, evaluate
from vitcourse.asl.backbones.ours import SMALL_VIT, sign_backbone
from vitcourse.asl.metrics import measure
from vitcourse.asl.parts import Parts, subset
from vitcourse.asl.trainer import fit_signs, score, train_signs
from vitcourse.data.asl import InMemory, render, synthesise, to_input
from vitcourse.data.letters import LETTERS
from vitcourse.recipes import Say, recipe
from vitcourse.training import TrainingConfig, fit, own_device

SEEDS = (0, 1, 2)
PICTURES = {"train": 520, "valid": 130, "test": 0, "size": SMALL_VIT.image_size, "seed": 10}
HOLD_OUT, DIVISOR = 0.2, 10.0
WIDE = TrainingConfig(
    epochs=24,
    lr=1e-3,
    warmup=0.0,
    schedule="plateau",
    monitor="held_out_loss",
    patience=2,
    plateau_factor=0.3,
    choose="held_out_score",
)
HEADS = {"wide heads": WIDE, "one matrix": replace(WIDE, lr=1e-2)}
EVERYTHING = {"hold_out": HOLD_OUT, "classification_divisor": DIVISOR, "training": TrainingConfig(epochs=2, lr=1e-3)}
RUNS = {
    "everything at once": SignRun("vit-signs", **EVERYTHING),
    "from scratch": SignRun("vit", **EVERYTHING),
}
AFTER = "heads, then everything"
AFTERWARDS = replace(RUNS["everything at once"], training=TrainingConfig(epochs=3, lr=1e-4))
OPENING, OPENING_SEED, MOMENTS = "ABLVWY", 4, (0, 20, 60)  # and the end


def two_heads(boxes: Tensor | None = None) -> ClassificationBBoxTransformer:
    """New heads on the frozen backbone: the wide ones, or one matrix each, where the boxes of train are given.

    These begin where a linear probe begins: all letters alike, and the mean box, whatever the vector is.
    """
    model = ClassificationBBoxTransformer(sign_backbone())
    model.backbone.requires_grad_(False)
    if boxes is not None:
        for name, usual in (("classifier", torch.zeros(len(LETTERS))), ("bounding_box", boxes.mean(dim=0))):
            head = nn.Linear(SMALL_VIT.dim, len(usual))
            nn.init.zeros_(head.weight)
            head.bias.data.copy_(usual)
            setattr(model, name, head)
        model.box_activation = nn.Identity()
    return model.to(own_device())


def train_heads(
    model: ClassificationBBoxTransformer,
    stored: dict[str, FrozenFeatures],
    held_out: InMemory,
    config: TrainingConfig,
    on_step: Callable[[int, int, float], None] | None = None,
) -> list[dict]:
    """Trains heads on what the backbone gives, "train" of ``stored``, and judges them on its "held_out"."""

    def judged(trained: ClassificationBBoxTransformer) -> dict[str, float]:
        trained.eval()
        with torch.no_grad():
            hidden = stored["held_out"].hidden.to(own_device())
            answers = [answer.cpu() for answer in trained(hidden, after=SMALL_VIT.depth)]
        found = measure(*answers, held_out.labels, held_out.boxes)
        return {f"held_out_{name}": value for name, value in (found | {"score": score(found)}).items()}

    loss = SignLoss(DIVISOR, after=SMALL_VIT.depth)
    return fit(model, stored["train"], loss, config, evaluate=judged, on_step=on_step)


@torch.no_grad()
def six_hands(model: ClassificationBBoxTransformer) -> dict:
    """What a model says of the hands of the first picture."""
    training = model.training
    model.eval()
    images, _ = render(torch.tensor([LETTERS.index(x) for x in OPENING]), seed=OPENING_SEED, size=SMALL_VIT.image_size)
    letters, boxes = model(to_input(images.to(own_device())))
    model.train(training)
    said = "".join(LETTERS[i] for i in letters.argmax(dim=1).tolist())
    return {"letters": said, "boxes": [[round(side, 4) for side in box] for box in boxes.tolist()]}


@recipe("asl_rendered")
def record(say: Say) -> dict:
    """Renders the lesson's pictures, and trains every run on them with every seed."""
    rows, opening = [], {}

    def add(title: str, seed: int, model: ClassificationBBoxTransformer, log: list[dict]) -> None:
        found = {"held_out": evaluate(model, held_out), "valid": evaluate(model, valid)}
        say(f"{title}, seed {seed}: valid {found['valid']['accuracy']:.1%}, IoU {found['valid']['mean_iou']:.2f}")
        rows.append({"title": title, "seed": seed, "epochs": len(log), **found, "log": log})

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "signs"
        synthesise(folder, **PICTURES)
        parts = Parts(folder)
        whole, valid = parts.images(SMALL_VIT.image_size, "train", "valid")
        train, held_out = (subset(whole, some) for some in parts.places(HOLD_OUT))
        frozen = {"train": train, "held_out": held_out}
        stored = {name: FrozenFeatures(two_heads(), data, SMALL_VIT.depth) for name, data in frozen.items()}
        for title, config in HEADS.items():
            for seed in SEEDS:
                set_seed(seed)
                model = two_heads(train.boxes if title == "one matrix" else None)
                watched = (title, seed) == ("wide heads", SEEDS[0])

                def watch(done: int, _total: int, _loss: float, model=model) -> None:
                    if done in MOMENTS:
                        opening[done] = six_hands(model)

                if watched:
                    opening[0] = six_hands(model)
                log = train_heads(model, stored, held_out, replace(config, seed=seed), watch if watched else None)
                if watched:
                    opening["end"] = six_hands(model)
                add(title, seed, model, log)
                if title == "wide heads":
                    run = replace(AFTERWARDS, training=replace(AFTERWARDS.training, seed=seed))
                    model.requires_grad_(True)
                    log = fit_signs(model, run, train, held_out)
                    add(AFTER, seed, model, log)
        for title, run in RUNS.items():
            for seed in SEEDS:
                add(title, seed, *train_signs(replace(run, training=replace(run.training, seed=seed)), parts))
    return {"data": {"name": "rendered signs", **PICTURES}, "rows": rows, "opening": opening}

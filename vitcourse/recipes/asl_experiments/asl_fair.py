"""The recorded run ``asl_fair``: a small ViT and a narrow ResNet-18, both from random weights, on three equal budgets.

Both have as many parameters. "Equal" still has three meanings: as many epochs, as many operations, and as many seconds
of the processor. ResNet-18 is trained once for each; the ViT, whose budget all three are, once.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch
from accelerate.utils import set_seed
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import ResNet
from torchvision.models.resnet import BasicBlock

from vitcourse.asl import ClassificationBBoxTransformer, SignLoss, evaluate
from vitcourse.data.asl import InMemory, to_input
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_experiments.many import every, pictures, rounded
from vitcourse.timing import interleaved
from vitcourse.training import TrainingConfig, fit, own_device
from vitcourse.vit import VisionTransformer, ViTConfig

PICTURES = {"train": 1040, "valid": 520, "test": 0, "size": 48, "seed": 12}
TRAINING = TrainingConfig(epochs=8, lr=1e-3)
VIT = ViTConfig(image_size=48, patch_size=12, num_classes=0, dim=96, depth=6, num_heads=3, pool="avg")
WIDTH = 16  # of ResNet-18's first layer, in place of 64
RATES = {"ViT": (3e-4, 1e-3, 3e-3), "ResNet-18": (3e-4, 1e-3, 3e-3)}
BATCH = 32


def narrow_resnet(width: int = WIDTH) -> ResNet:
    """ResNet-18 (He et al. 2015, https://arxiv.org/abs/1512.03385, table 1) with ``width`` channels for its 64."""
    model = ResNet(BasicBlock, [2, 2, 2, 2])
    model.conv1, model.bn1 = nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width)
    model.inplanes = width
    for i in range(4):
        setattr(model, f"layer{i + 1}", model._make_layer(BasicBlock, width << i, 2, stride=2 if i else 1))
    model.fc = nn.Linear(8 * width, 1)
    for module in model.modules():  # as torchvision begins
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


BACKBONES = {"ViT": partial(VisionTransformer, VIT), "ResNet-18": narrow_resnet}


def sign_model(kind: str) -> ClassificationBBoxTransformer:
    """A new model of one of `BACKBONES`."""
    return ClassificationBBoxTransformer(BACKBONES[kind](), image_size=PICTURES["size"]).to(own_device())


def cost(kind: str, train: InMemory) -> dict:
    """Parameters of a backbone, and of one picture in training: operations, and the processor's seconds."""
    model, loss = sign_model(kind).train(), SignLoss(10.0)
    images, place = train.images[:BATCH], own_device()
    batch = {"image": images, "label": train.labels[:BATCH], "box": train.boxes[:BATCH]}
    batch = {name: part.to(place) for name, part in batch.items()}
    optimizer = torch.optim.AdamW(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        loss(model, batch)["loss"].backward()
        optimizer.step()

    with FlopCounterMode(display=False) as counter:
        loss(model, batch)["loss"].backward()
    with torch.no_grad():
        assert model.eval()(to_input(images[:1].to(place)))[1].shape == (1, 4)
    model.train()
    seconds = min(interleaved({"step": step}, rounds=10, seconds=0, device=torch.device(place))["step"])
    parameters = sum(parameter.numel() for parameter in model.backbone.parameters())
    return {"parameters": parameters, "operations": counter.get_total_flops() / BATCH, "seconds": seconds / BATCH}


def budgets(costs: dict[str, dict]) -> list[dict]:
    """What is trained, and for how many epochs: the ViT's, or as many as cost as much."""
    vit, resnet = costs["ViT"], costs["ResNet-18"]
    settings = [{"title": "ViT", "backbone": "ViT", "epochs": TRAINING.epochs}]
    for equal, times in (("epochs", 1.0), *((name, vit[name] / resnet[name]) for name in ("operations", "seconds"))):
        title = f"ResNet-18, equal {equal}"
        epochs = max(1, round(times * TRAINING.epochs))
        settings.append({"title": title, "backbone": "ResNet-18", "epochs": epochs})
    return settings


def trained(kind: str, epochs: int, lr: float, seed: int, data: list[InMemory]) -> dict:
    """Measures of a new model on train and valid after its last epoch."""
    set_seed(seed)
    model = sign_model(kind)
    fit(model, data[0], SignLoss(10.0), replace(TRAINING, epochs=epochs, lr=lr, seed=seed))
    return {name: rounded(evaluate(model, part)) for name, part in zip(("train", "valid"), data, strict=True)}


@recipe("asl_fair")
def record(say: Say) -> Iterator[dict]:
    """Chooses a rate for each on pictures of their own, and trains each budget with each seed."""
    chosen, tries = {}, []
    data = pictures(PICTURES)
    costs = {kind: cost(kind, data[0]) for kind in BACKBONES}
    chooser = pictures(PICTURES | {"seed": PICTURES["seed"] + 1, "valid": 260})
    for kind, rates in RATES.items():
        for lr in rates:
            found = trained(kind, TRAINING.epochs, lr, 99, chooser)["valid"]
            tries.append({"backbone": kind, "rate": lr, **found})
            say(f"{kind}, rate {lr:g}: letters {found['accuracy']:.1%}, mean IoU {found['mean_iou']:.2f}")
        own = [one for one in tries if one["backbone"] == kind]
        chosen[kind] = max(own, key=lambda one: one["accuracy"] + one["mean_iou"])["rate"]

    def one(setting: dict, seed: int) -> dict:
        return trained(setting["backbone"], setting["epochs"], chosen[setting["backbone"]], seed, data)

    content = {"data": PICTURES, "costs": costs, "tries": tries, "rates": chosen}
    yield from every("asl_fair", content, budgets(costs), one, seconds=20, say=say)

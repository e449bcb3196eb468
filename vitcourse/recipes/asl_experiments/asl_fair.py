"""The recorded run ``asl_fair``: a small ViT and a narrow ResNet-18, both from random weights, on three equal budgets.

The pictures are the real digits, because neither learns signs from scratch in so short a time. Both networks have about
the same number of parameters. "Equal" still has three meanings: as many epochs, as many operations, and as many seconds
of the processor. ResNet-18 is trained once for each; the ViT, whose budget all three are, once.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch
from accelerate.utils import set_seed
from torch import Tensor, nn
from torch.utils.data import default_collate
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import ResNet
from torchvision.models.resnet import BasicBlock

from vitcourse.asl import ClassificationBBoxTransformer, SignLoss, evaluate
from vitcourse.recipes import Say, recipe
from vitcourse.recipes.asl_experiments.many import every, rounded
from vitcourse.recipes.vit.vit_digits import digits, first
from vitcourse.training import TrainingConfig, fit, own_device
from vitcourse.vit import VisionTransformer, ViTConfig

SIZE, TRAIN, CLASSES = 32, 720, 10
TRAINING = TrainingConfig(epochs=8)
VIT = ViTConfig(image_size=SIZE, patch_size=8, num_classes=0, dim=64, depth=4, num_heads=4, pool="avg")
WIDTH = 9  # of ResNet-18's first layer, in place of 64
RATES = {"ViT": (1e-3, 3e-3), "ResNet-18": (1e-3, 3e-3)}
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
    return ClassificationBBoxTransformer(BACKBONES[kind](), CLASSES, image_size=SIZE).to(own_device())


def signs_of(images: Tensor, labels: Tensor) -> list[dict]:
    """Digits (N, 1, 8, 8) from 0 to 1 as items of a sign data set, each pixel four by four; the box is of no use."""
    large = images.repeat_interleave(SIZE // 8, -1).repeat_interleave(SIZE // 8, -2).expand(-1, 3, -1, -1)
    large = (255 * (large - large.min()) / (large.max() - large.min())).to(torch.uint8)
    box = torch.tensor([0.0, 0.0, 1.0, 1.0])
    return [{"image": image, "label": label, "box": box} for image, label in zip(large, labels.tolist(), strict=True)]


def cost(kind: str, train: list[dict]) -> dict:
    """Parameters of a backbone, and of one picture in training: operations, and the processor's seconds."""
    model, loss, place = sign_model(kind).train(), SignLoss(task="letters"), own_device()
    batch = {name: part.to(place) for name, part in default_collate(train[:BATCH]).items()}
    optimizer = torch.optim.AdamW(model.parameters())

    def step() -> None:
        optimizer.zero_grad()
        loss(model, batch)["loss"].backward()
        optimizer.step()

    with FlopCounterMode(display=False) as counter:
        loss(model, batch)["loss"].backward()
    took = []
    for _ in range(10):
        busy = time.process_time()
        step()
        took.append(time.process_time() - busy)
    parameters = sum(parameter.numel() for parameter in model.backbone.parameters())
    return {"parameters": parameters, "operations": counter.get_total_flops() / BATCH, "seconds": min(took) / BATCH}


def budgets(costs: dict[str, dict]) -> list[dict]:
    """What is trained, and for how many epochs: the ViT's, or as many as cost as much."""
    vit, resnet = costs["ViT"], costs["ResNet-18"]
    settings = [{"title": "ViT", "backbone": "ViT", "epochs": TRAINING.epochs}]
    for equal, times in (("epochs", 1.0), *((name, vit[name] / resnet[name]) for name in ("operations", "seconds"))):
        title = f"ResNet-18, equal {equal}"
        epochs = max(1, round(times * TRAINING.epochs))
        settings.append({"title": title, "backbone": "ResNet-18", "epochs": epochs})
    return settings


def trained(kind: str, epochs: int, lr: float, seed: int, data: list[list[dict]]) -> dict:
    """Accuracy and loss of a new model on both parts after its last epoch."""
    set_seed(seed)
    model = sign_model(kind)
    fit(model, data[0], SignLoss(task="letters"), replace(TRAINING, epochs=epochs, lr=lr, seed=seed))
    found = {name: evaluate(model, part) for name, part in zip(("train", "valid"), data, strict=True)}
    return {name: rounded({key: part[key] for key in ("accuracy", "loss")}) for name, part in found.items()}


@recipe("asl_fair")
def record(say: Say) -> Iterator[dict]:
    """Chooses a rate for each on digits held out of train, and trains each budget with each seed."""
    chosen, tries = {}, []
    every_digit = digits()
    train, data_of = first(TRAIN, 0), {name: signs_of(*part) for name, part in every_digit.items()}
    data = [signs_of(*train), data_of["test"]]
    costs = {kind: cost(kind, data[0]) for kind in BACKBONES}
    chooser = data[0][: TRAIN * 3 // 4], data[0][TRAIN * 3 // 4 :]
    for kind, rates in RATES.items():
        for lr in rates:
            found = trained(kind, TRAINING.epochs, lr, 99, chooser)["valid"]
            tries.append({"backbone": kind, "rate": lr, **found})
            say(f"{kind}, rate {lr:g}: {found['accuracy']:.1%} on a hold-out")
        own = [one for one in tries if one["backbone"] == kind]
        chosen[kind] = max(own, key=lambda one: one["accuracy"])["rate"]

    def one(setting: dict, seed: int) -> dict:
        return trained(setting["backbone"], setting["epochs"], chosen[setting["backbone"]], seed, data)

    content = {
        "data": {"name": "real digits", "train": TRAIN, "size": SIZE},
        "costs": costs,
        "tries": tries,
        "rates": chosen,
    }
    yield from every("asl_fair", content, budgets(costs), one, seconds=8, say=say)

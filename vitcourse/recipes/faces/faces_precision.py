"""The recorded run ``faces_precision``: what a small model of faces loses in bfloat16 and in int8, and what it gains.

The model is that of lesson 12: the project's block, optimizer, schedule and epochs on eight rendered people, in a small
ViT behind convolutions. Each seed has other people. onnxruntime stores weights as int8 and rounds what meets them when
it runs ("dynamic"); PyTorch's own `quantize_dynamic` is on its way out, so each form is timed against float32 of the
same program.
"""

import copy
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.asl.answers import Answers
from vitcourse.data.asl import to_input
from vitcourse.heads import render
from vitcourse.recipes import Say, recipe
from vitcourse.timing import interleaved, ratio
from vitcourse.training.description import Description, preprocessing
from vitcourse.training.export import ONNX, OnnxModel, export
from vitcourse.training.setup import SEED, Setup
from vitcourse.vit import VisionTransformer

PEOPLE, SIZE, SEEDS, MOVED = 8, 48, (0, 1, 2), 3
EACH = {"train": 40, "valid": 8, "test": 8}  # pictures of a person
STRANGERS, OF_EACH = 16, 6  # people of whom the model learns nothing, and their pictures
TESTS, ROUNDS, SECONDS = 50, 15, 0.3
SMALL = {"image_size": SIZE, "patch_size": 8, "num_classes": PEOPLE, "dim": 64, "depth": 4, "num_heads": 4}
SETUP = replace(SEED, model=replace(SEED.model, **SMALL, stem="conv", pool="avg"), batch_size=32)
Data = dict[str, tuple[Tensor, Tensor]]
FORMS = {"bfloat16": "float32", "int8": "onnxruntime"}  # and what each is compared with


def faces(seed: int, each: dict[str, int] = EACH, strangers: int = OF_EACH) -> Data:
    """Rendered faces, uint8 (B, 3, SIZE, SIZE), with the number of who it is (B,): parts by name, and "strangers"."""
    data = {}
    for place, (part, count) in enumerate([*each.items(), ("strangers", strangers)]):
        first, people = (PEOPLE, STRANGERS) if part == "strangers" else (0, PEOPLE)
        who = (first + torch.arange(people)).repeat_interleave(count)
        data[part] = render(who, seed, SIZE, first=10_000 * place), who
    return data


def changed(images: Tensor, generator: torch.Generator) -> Tensor:
    """A batch mirrored or not, and moved by up to three pixels each way; what leaves on one side comes in again."""
    if torch.rand((), generator=generator) < 0.5:
        images = images.flip(-1)
    moves = torch.randint(-MOVED, MOVED + 1, (2,), generator=generator)
    return images.roll(tuple(moves.tolist()), (-2, -1))


def train(data: Data, seed: int = 0, setup: Setup = SETUP) -> tuple[nn.Module, dict[str, list]]:
    """A model in evaluation mode, and its log: ``loss`` and ``right`` (the share) of every update, on the batch as it
    is met, and ``valid`` after every epoch.
    """
    torch.manual_seed(seed)
    model, generator = VisionTransformer(setup.model), torch.Generator().manual_seed(seed)
    optimizer, schedule = setup.prepare(model)
    log = {"loss": [], "right": [], "valid": []}
    images, labels = to_input(data["train"][0]), data["train"][1]
    for _epoch in range(setup.epochs):
        model.train()
        for index in torch.randperm(len(images), generator=generator).split(setup.batch_size):
            logits = model(changed(images[index], generator))
            loss = F.cross_entropy(logits, labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            log["loss"].append(loss.item())
            log["right"].append((logits.argmax(1) == labels[index]).float().mean().item())
        schedule.step()
        log["valid"].append(accuracy(model.eval(), *data["valid"]))
    return model, log


@torch.no_grad()
def shares(model: nn.Module, images: Tensor) -> Tensor:
    """What the model gives each person, (B, PEOPLE)."""
    return model(to_input(images)).softmax(1)


def accuracy(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    return (shares(model, images).argmax(1) == labels).float().mean().item()


def open_set(model: nn.Module, data: Data, most: float = 0.1) -> dict[str, float]:
    """A threshold that lets ``most`` of one half of the strangers pass, and what it does to the other half, to whom it
    is new, and to the test.
    """
    images, who = data["strangers"]
    seen = who < PEOPLE + STRANGERS // 2
    surest = shares(model, images).amax(1)
    ordered = surest[seen].sort(descending=True).values
    at = ordered[int(most * len(ordered))]
    sure, named = shares(model, data["test"][0]).max(1)
    named = (named == data["test"][1]) & (sure > at)
    return {
        "threshold": round(at.item(), 4),
        "strangers": round((surest[~seen] > at).float().mean().item(), 4),
        "named": round(named.float().mean().item(), 4),
    }


@recipe("faces_precision")
def record(say: Say) -> dict:
    """Trains a model with each seed, and tries each of its forms."""
    content = {"rounds": ROUNDS, "tests": TESTS * PEOPLE, "rows": []}
    for seed in SEEDS:
        data = faces(seed, {**EACH, "test": TESTS})
        model, log = train(data, seed)
        ends = len(log["right"]) // SETUP.epochs
        row = {
            "seed": seed,
            "train": round(sum(log["right"][-ends:]) / ends, 4),
            "cumulative": round(sum(log["right"]) / len(log["right"]), 4),
            "valid": round(log["valid"][-1], 4),
            "open_set": open_set(model, data),
        }
        content["rows"].append(row | {"forms": forms(model, *data["test"], ROUNDS, SECONDS)})
        say(str(content["rows"][-1]))
        yield content


def forms(model: nn.Module, images: Tensor, labels: Tensor, rounds: int, seconds: float) -> dict[str, dict]:
    """Of each form of a model: accuracy, how often it names another than float32 does, megabytes, milliseconds for one
    image on one thread, and for `FORMS` the ratio of times to the form that each is compared with.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            file, small = (Path(folder) / name for name in (ONNX, "int8.onnx"))
            full = Answers(model).eval()
            half = copy.deepcopy(model).bfloat16()
            names = [f"person {number}" for number in range(PEOPLE)]
            export(full, Description("faces", names, preprocessing(SIZE), {}, {}), folder)
            quantize_dynamic(file, small, weight_type=QuantType.QInt8)
            runs = {
                "float32": full,
                "bfloat16": lambda images: (half(to_input(images).bfloat16()).float(),),
                "onnxruntime": OnnxModel(file),
                "int8": OnnxModel(small),
            }
            bytes_of = {
                "float32": _held(model),
                "bfloat16": _held(half),
                "onnxruntime": file.stat().st_size,
                "int8": small.stat().st_size,
            }
            times = interleaved({name: lambda run=run: run(images[:1]) for name, run in runs.items()}, rounds, seconds)
            named = {name: run(images)[0].argmax(1) for name, run in runs.items()}
    finally:
        torch.set_num_threads(threads)
    found = {}
    for name in runs:
        found[name] = {
            "test": round((named[name] == labels).float().mean().item(), 4),
            "otherwise": round((named[name] != named["float32"]).float().mean().item(), 4),
            "megabytes": round(bytes_of[name] / 1e6, 3),
            "milliseconds": round(1000 * median(times[name]), 3),
        }
        if name in FORMS:
            found[name]["to_full"] = ratio(times, name, FORMS[name])
    return found


def _held(model: nn.Module) -> int:
    """Bytes of a model's weights."""
    return sum(weight.numel() * weight.itemsize for weight in model.parameters())

"""The recorded run ``faces_precision``: what a small model of faces loses in bfloat16 and in int8, and what it gains.

The model is that of lesson 12: the project's block, optimizer, schedule and epochs on eight rendered people, in a small
ViT behind convolutions, without and with random changes of the pictures. Each seed has other people. onnxruntime stores
weights as int8 and rounds what meets them when it runs ("dynamic"); PyTorch's own `quantize_dynamic` is deprecated, so
each form is timed against float32 of the same program.
"""

import copy
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from torch import nn

from vitcourse.asl.answers import Answers
from vitcourse.data.asl import to_input
from vitcourse.data.faces import Pictures, render
from vitcourse.faces import PRESETS, open_set, shares, train_faces
from vitcourse.faces.measures import logits_of
from vitcourse.recipes import Say, recipe
from vitcourse.timing import interleaved, ratio
from vitcourse.training.description import Description, preprocessing
from vitcourse.training.export import ONNX, OnnxModel, export
from vitcourse.training.setup import SEED

PEOPLE, SIZE, SEEDS = 8, 48, (0, 1, 2)
EACH = {"train": 40, "valid": 8, "test": 8}  # pictures of a person
STRANGERS, OF_EACH = 16, 6  # people of whom the model learns nothing, and their pictures
TESTS, ROUNDS, SECONDS = 50, 15, 0.3
SMALL = {"image_size": SIZE, "patch_size": 8, "dim": 64, "depth": 4, "num_heads": 4, "stem": "conv", "pool": "avg"}
RUN = replace(PRESETS["seed"], vit=replace(SEED.model, **SMALL))
RUN = replace(RUN, augment=1.0, training=replace(RUN.training, batch_size=32))
FORMS = {"bfloat16": "float32", "onnxruntime": "float32", "int8": "onnxruntime"}  # and what each is compared with


class Rendered(Pictures):
    """Rendered faces of some people, several of each; they never were files."""

    def __init__(self, people: range, each: int, seed: int, first: int):
        self.names, self.labels = [f"person {who}" for who in people], torch.tensor(people).repeat_interleave(each)
        self.images = render(self.labels, seed, SIZE, first=first)


def faces(seed: int, tests: int = EACH["test"]) -> dict[str, Rendered]:
    """The parts, and "strangers"; another seed has other people."""
    known = range(PEOPLE)
    parts = {
        name: Rendered(known, tests if name == "test" else each, seed, 10_000 * place)
        for place, (name, each) in enumerate(EACH.items())
    }
    return parts | {"strangers": Rendered(range(PEOPLE, PEOPLE + STRANGERS), OF_EACH, seed, 30_000)}


def judged(model: nn.Module, threshold: float, parts: dict[str, Rendered]) -> dict[str, float]:
    """What a threshold does to the test and to strangers; see `faces.open_set`."""
    logits = logits_of(model, parts["test"].images)
    right = logits.argmax(1) == parts["test"].labels
    return open_set(threshold, shares(logits), right, shares(logits_of(model, parts["strangers"].images)))


@recipe("faces_precision")
def record(say: Say) -> Iterator[dict]:
    """Trains a model with each seed, and tries each of its forms."""
    content = {"rounds": ROUNDS, "tests": TESTS * PEOPLE, "rows": []}
    for seed in SEEDS:
        parts = faces(seed, TESTS)
        run = replace(RUN, training=replace(RUN.training, seed=seed))
        plain = train_faces(replace(run, augment=0.0), parts)[1]  # as the project trained
        model, log, threshold = train_faces(run, parts)
        row = {
            "seed": seed,
            "log": _rounded(log),
            "plain_log": _rounded(plain),
            "threshold": round(threshold, 4),
            "open_set": {name: round(value, 4) for name, value in judged(model, threshold, parts).items()},
            "forms": forms(model, parts["test"], ROUNDS, SECONDS),
        }
        content["rows"].append(row)
        say(f"seed {seed}: {row['log'][-1]}, {row['open_set']}, {row['forms']}")
        yield content


def forms(model: nn.Module, test: Rendered, rounds: int, seconds: float) -> dict[str, dict]:
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
            export(full, Description("faces", test.names, preprocessing(SIZE), {}, {}), folder)
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
            times = interleaved(
                {name: lambda run=run: run(test.images[:1]) for name, run in runs.items()}, rounds, seconds
            )
            named = {name: run(test.images)[0].argmax(1) for name, run in runs.items()}
    finally:
        torch.set_num_threads(threads)
    found = {}
    for name in runs:
        found[name] = {
            "test": round((named[name] == test.labels).float().mean().item(), 4),
            "otherwise": round((named[name] != named["float32"]).float().mean().item(), 4),
            "megabytes": round(bytes_of[name] / 1e6, 3),
            "milliseconds": round(1000 * median(times[name]), 3),
        }
        if name in FORMS:
            found[name]["to_full"] = ratio(times, name, FORMS[name])
    return found


def _rounded(log: list[dict]) -> list[dict]:
    return [{name: round(entry[name], 4) for name in ("loss", "accuracy", "valid_accuracy")} for entry in log]


def _held(model: nn.Module) -> int:
    """Bytes of a model's weights."""
    return sum(weight.numel() * weight.itemsize for weight in model.parameters())

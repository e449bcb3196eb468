"""The recorded run ``answer_latency``: how long one image takes as PyTorch runs a model, compiled, and in onnxruntime.

One thread each, batches of one, in turn (`vitcourse.timing`); from the uint8 image to logits and box. ``to eager`` is
the ratio of a time to that of PyTorch's usual (eager) way; ``apart`` is how far an exported model's answers are from
the original's.
"""

import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median

import torch

from vitcourse.asl import SignRun
from vitcourse.asl.answers import Answers
from vitcourse.asl.runs import new_model
from vitcourse.data.letters import LETTERS
from vitcourse.recipes import Say, recipe
from vitcourse.timing import interleaved, ratio
from vitcourse.training.description import Description, preprocessing
from vitcourse.training.export import ONNX, PROGRAM, OnnxModel, export

MODELS = {"vit-signs": 96, "resnet18": 96, "timm:vit_tiny_patch16_224": 224}
ROUNDS, SECONDS = 15, 0.3


@recipe("answer_latency")
def record(say: Say) -> dict:
    """Times each model of `MODELS`."""
    rows = []
    for name, size in MODELS.items():
        rows.append(measured(name, size, ROUNDS, SECONDS))
        ratios = {way: found["median"] for way, found in rows[-1]["to_eager"].items()}
        say(f"{name} at {size} pixels: {rows[-1]['milliseconds']}, {ratios} of eager")
    return {"rounds": ROUNDS, "rows": rows, "onnxruntime": version("onnxruntime")}


def measured(name: str, size: int, rounds: int, seconds: float) -> dict:
    """One model: milliseconds of each way, their ratios to eager, how far the answers are apart, megabytes of files."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        torch.manual_seed(0)
        model = Answers(new_model(SignRun(name, size))[0]).eval()
        image = torch.randint(0, 256, (1, 3, size, size), dtype=torch.uint8)
        description = Description("signs", list(LETTERS), preprocessing(size), {}, {})
        with tempfile.TemporaryDirectory() as folder, torch.no_grad():
            apart = export(model, description, folder)
            megabytes = {file: round((Path(folder) / file).stat().st_size / 1e6, 1) for file in (ONNX, PROGRAM)}
            ways = {"eager": model, "compiled": torch.compile(model), "onnxruntime": OnnxModel(Path(folder) / ONNX)}
            times = interleaved({way: lambda run=run: run(image) for way, run in ways.items()}, rounds, seconds)
    finally:
        torch.set_num_threads(threads)
    return {
        "model": name,
        "size": size,
        "milliseconds": {way: round(1000 * median(values), 3) for way, values in times.items()},
        "to_eager": {way: ratio(times, way, "eager") for way in ("compiled", "onnxruntime")},
        "apart": apart,
        "megabytes": megabytes,
    }

"""``faces.answer(tensors, description, images, names)``: a saved linear model to the shares of some names, (B, N).

The description is the course's own: see `vitcourse.training.description`.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

LABELS = ("Ana", "Bogdan", "Carmen", "Dan", "Elena", "Florin", "Gabriela")


def _inputs(images: Tensor, preprocessing: dict, dtype: torch.dtype) -> Tensor:
    mean, deviation = (torch.tensor(preprocessing[name], dtype=dtype).view(3, 1, 1) for name in ("mean", "deviation"))
    return (images.to(dtype) / 255 - mean) / deviation


def _columns(labels: list[str], names: list[str]) -> list[int]:
    return [labels.index(name) for name in names]


def right(tensors: dict[str, Tensor], description: dict, images: Tensor, names: list[str]) -> Tensor:
    x = _inputs(images, description["preprocessing"], tensors["weight"].dtype)
    logits = F.linear(x.flatten(1), tensors["weight"], tensors["bias"])
    return logits.softmax(1)[:, _columns(description["labels"], names)]


def wrong(tensors: dict[str, Tensor], description: dict, images: Tensor, names: list[str]) -> dict[str, Tensor]:
    weight, bias, labels = tensors["weight"], tensors["bias"], description["labels"]
    own, raw = description["preprocessing"], images.to(weight.dtype)
    mean, deviation = (torch.tensor(own[name], dtype=raw.dtype).view(3, 1, 1) for name in ("mean", "deviation"))
    x, columns = (raw / 255 - mean) / deviation, _columns(labels, names)

    def logits(x: Tensor) -> Tensor:
        return F.linear(x.flatten(1), weight, bias)

    shares = logits(x).softmax(1)
    return {
        "labels-sorted": shares[:, _columns(sorted(labels), names)],
        "order-of-the-model": shares[:, : len(names)],
        "order-of-the-model/all": shares,
        "not-prepared": logits(raw).softmax(1)[:, columns],
        "not-normalised": logits(raw / 255).softmax(1)[:, columns],
        "not-normalised/usual": logits(raw / 127.5 - 1).softmax(1)[:, columns],
        "not-scaled": logits((raw - mean) / deviation).softmax(1)[:, columns],
        "places-changed": logits((raw / 255 - deviation) / mean).softmax(1)[:, columns],
        "times-deviation": logits((raw / 255 - mean) * deviation).softmax(1)[:, columns],
        "one-channel": logits((raw / 255 - mean[:1]) / deviation[:1]).softmax(1)[:, columns],
        "bias-missing": F.linear(x.flatten(1), weight).softmax(1)[:, columns],
        "asked-names-only": logits(x)[:, columns].softmax(1),
        "logits": logits(x)[:, columns],
        "sigmoid": logits(x).sigmoid()[:, columns],
        "softmax-over-images": logits(x).softmax(0)[:, columns],
        "colours-last": logits(x.permute(0, 2, 3, 1)).softmax(1)[:, columns],
    }


answer = Solved("faces.answer", right=right, wrong=wrong, first="image")


def _draw(probe: Probe, asked: int, dtype: torch.dtype = torch.float32) -> tuple[dict, dict, Tensor, list[str]]:
    """A model of seven people whose labels are in no order; weights so small that pixels up to 255 fill no share."""
    size = probe.integer(3, 5)
    shape = (len(LABELS), 3 * size * size)
    tensors = {"weight": probe.normal(*shape, dtype=dtype) / (100 * size), "bias": probe.normal(shape[0], dtype=dtype)}
    orders = [torch.randperm(len(LABELS), generator=probe.generator).tolist() for _ in range(2)]
    labels, names = ([LABELS[place] for place in order] for order in orders)
    mean, deviation = ((low + 0.2 * probe.uniform(3)).tolist() for low in (0.4, 0.15))
    preprocessing = {"size": size, "mean": mean, "deviation": deviation}
    images = (256 * probe.uniform(probe.integer(2, 3), 3, size, size)).to(torch.uint8)
    return tensors, {"labels": labels, "preprocessing": preprocessing}, images, names[:asked]


@answer.on("the share of each name is the one that the model, its labels and its preprocessing give")
def everybody(probe: Probe) -> tuple[dict, dict, Tensor, list[str]]:
    return _draw(probe, len(LABELS))


@answer.on("where only some names are asked for, their shares are those among all")
def some(probe: Probe) -> tuple[dict, dict, Tensor, list[str]]:
    return _draw(probe, probe.integer(3, 5))


answer.exact(lambda probe: _draw(probe, 4, torch.float64))

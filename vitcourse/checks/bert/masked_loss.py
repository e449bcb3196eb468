"""``bert.masked_loss(logits, labels)``: the mean cross entropy over the places that have a label.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, appendix A.2 (the mean masked LM likelihood).
"""

import math

import torch
from torch import Tensor

from vitcourse.checks.bert.common import IGNORED
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, Tensor]


def right(logits: Tensor, labels: Tensor) -> Tensor:
    return _terms(logits.log_softmax(dim=-1), labels).sum() / (labels != IGNORED).sum().clamp(min=1)


def _terms(table: Tensor, labels: Tensor) -> Tensor:
    """Minus the entry of the label at every place, 0 where there is none."""
    return torch.where(labels == IGNORED, 0.0, -_entries(table, labels, 0))


def _entries(table: Tensor, labels: Tensor, other: int) -> Tensor:
    """The entry of the label, and where there is none that of some other word."""
    return table.gather(-1, labels.where(labels != IGNORED, other)[..., None])[..., 0]


def wrong(logits: Tensor, labels: Tensor) -> dict[str, Tensor]:
    counted, not_first, last = labels != IGNORED, labels > 0, logits.shape[-1] - 1
    table, counts, number = logits.log_softmax(dim=-1), counted.sum(dim=1), labels.numel()
    terms, total = _terms(table, labels), counts.sum().clamp(min=1)
    every = {"first": -_entries(table, labels, 0), "last": -_entries(table, labels, last)}
    tables = {
        "no-softmax": logits,
        "no-logarithm": table.exp(),
        "no-logarithm/complement": table.exp() - 1,
        "wrong-axis/0": logits.log_softmax(dim=0),
        "wrong-axis/1": logits.log_softmax(dim=1),
        "other-base/2": table / math.log(2),
        "other-base/10": table / math.log(10),
    }
    by = {"": total, "all": number, "sum": 1}  # of two mistakes the one in the terms is told
    return {
        **{f"{name}/{n}": _terms(one, labels).sum() / d for name, one in tables.items() for n, d in by.items()},
        **{f"{name}/-{n}": -_terms(one, labels).sum() / d for name, one in tables.items() for n, d in by.items()},
        "wrong-sign": -terms.sum() / total,
        "sum-not-mean": terms.sum(),
        "mean-over-all-places": terms.sum() / number,
        "mean-over-rows": terms.sum() / len(labels),
        "mean-over-rows/length": terms.sum() / labels.shape[1],
        "mean-of-row-means": (terms.sum(dim=1) / counts.clamp(min=1)).mean(),
        "first-word-left-out": terms[not_first].sum() / not_first.sum(),
        "first-word-left-out/above": terms[not_first].sum() / total,
        "first-word-left-out/below": terms.sum() / not_first.sum(),
        **{f"counts-every-place/{word}": places.mean() for word, places in every.items()},
        **{f"counts-every-place/sum {word}": places.sum() / total for word, places in every.items()},
    }


masked_loss = Solved("bert.masked_loss", right=right, wrong=wrong, parts=("the loss",))


def _draw(probe: Probe, size: float = 2.0) -> Inputs:
    """Logits, and labels at one place of some rows and at five of others: a mean of means is clearly another number."""
    rows, length, words = probe.sizes(3, 4, 9)
    count = 1 + 4 * (torch.arange(rows)[:, None] % 2)
    length += 6
    drawn = (probe.uniform(rows, length) * words).long().clamp(max=words - 1)
    labels = torch.where(probe.uniform(rows, length).argsort(dim=1) < count, drawn, IGNORED)
    return size * probe.normal(rows, length, words), labels


MEAN = "the mean of minus the logarithm of the label's probability, over the places with a label"
masked_loss.on(MEAN)(_draw)
large = masked_loss.on("large logits do no harm", only=["overflows"], otherwise="overflows")
large(lambda probe: _draw(probe, size=400.0))


def _double(probe: Probe) -> Inputs:
    logits, labels = _draw(probe)
    return logits.double() * 0.987654321, labels


masked_loss.exact(_double)
masked_loss.differentiable(_double, to="the logits", slack=20)


@masked_loss.property("without any label the loss is 0, and so are the gradients")
def _nothing(probe: Probe) -> None:
    logits, labels = _draw(probe)
    value, (gradient, _) = probe.call(logits, torch.full_like(labels, IGNORED), gradient=True)
    value = probe.tensor(value, (), torch.float32, "The loss")
    probe.require(value.item() == 0, "no-label-not-zero", f"The loss is {value.item()}.")
    probe.require(gradient is not None, "no-label-constant")
    probe.require(bool((gradient == 0).all()), "no-label-not-zero", "The loss is 0, but its gradient is not.")

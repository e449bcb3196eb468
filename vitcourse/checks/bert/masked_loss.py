"""``bert.masked_loss(logits, labels)``: the mean cross entropy over the places that have a label.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, appendix A.2 (the mean masked LM likelihood).
"""

import math

import torch
from torch import Tensor

from vitcourse.checks.bert.common import IGNORED
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, close

masked_loss = Check("bert.masked_loss")


def _right(logits: Tensor, labels: Tensor) -> Tensor:
    return _terms(logits.double().log_softmax(dim=-1), labels).sum() / max(1, int((labels != IGNORED).sum()))


def _terms(table: Tensor, labels: Tensor) -> Tensor:
    """Minus the entry of the label at every place, 0 where there is none."""
    found = -table.gather(-1, labels.clamp(min=0)[..., None])[..., 0]
    return torch.where(labels == IGNORED, 0.0, found)


def _draw(probe: Probe, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    """Logits, and labels at one place of some rows and at five of others: a mean of means is clearly another number."""
    rows, length, words = probe.sizes(3, 4, 9)
    count = 1 + 4 * (torch.arange(rows)[:, None] % 2)
    length += 6 + (length + 6 == int(count.sum()))  # never as many places in a row as there are labels in all
    while True:
        logits = 2 * probe.normal(rows, length, words, dtype=dtype)
        drawn = (probe.uniform(rows, length) * words).long().clamp(max=words - 1)
        labels = torch.where(probe.uniform(rows, length).argsort(dim=1) < count, drawn, IGNORED)
        terms = _terms(logits.log_softmax(dim=-1), labels)
        if abs((terms.sum(dim=1, keepdim=True) / count).mean() - terms.sum() / count.sum()) > 0.05:
            return logits, labels


def _call(probe: Probe, logits: Tensor, labels: Tensor) -> Tensor:
    return probe.tensor(probe.call(logits, labels), (), logits.dtype, "The loss")


@masked_loss.property("the mean of minus the logarithm of the label's probability, over the places with a label")
def _mean(probe: Probe) -> None:
    logits, labels = _draw(probe)
    counts = (labels != IGNORED).sum(dim=1)
    total, number, table = counts.sum(), labels.numel(), logits.double().log_softmax(dim=-1)
    terms = _terms(table, labels)
    every = {
        word: -table.gather(-1, labels.where(labels != IGNORED, word)[..., None]) for word in (0, len(table[0, 0]) - 1)
    }
    suspects = {
        "sum-not-mean": terms.sum(),
        "mean-over-all-places": terms.sum() / number,
        "mean-over-rows": terms.sum() / len(labels),
        "mean-over-rows/length": terms.sum() / labels.shape[1],
        "mean-of-row-means": (terms.sum(dim=1) / counts).mean(),
        **{f"counts-every-place/{word}": place.mean() for word, place in every.items()},
        **{f"counts-every-place/sum{word}": place.sum() / total for word, place in every.items()},
        "wrong-sign": -terms.sum() / total,
        "no-softmax": _terms(logits.double(), labels).sum() / total,
        "no-softmax/sign": -_terms(logits.double(), labels).sum() / total,
        "no-logarithm": _terms(table.exp(), labels).sum() / total,
        "no-logarithm/sign": -_terms(table.exp(), labels).sum() / total,
        "other-base/2": terms.sum() / total / math.log(2),
        "other-base/10": terms.sum() / total / math.log(10),
        **{
            f"wrong-axis/{axis}": _terms(logits.double().log_softmax(dim=axis), labels).sum() / total for axis in (0, 1)
        },
    }
    probe.equal(_call(probe, logits, labels), _right(logits, labels), suspects, name="the loss")


@masked_loss.property("large logits do no harm")
def _large(probe: Probe) -> None:
    logits, labels = _draw(probe)
    logits = logits * 200
    value = _call(probe, logits, labels)
    probe.require(bool(value.isfinite()), "overflows", f"The loss is {value.item()}.")
    probe.equal(value, _right(logits, labels), name="the loss")


@masked_loss.property("without any label the loss is 0, and so are the gradients")
def _nothing(probe: Probe) -> None:
    logits, labels = _draw(probe)
    value, (gradient, _) = probe.call(logits, torch.full_like(labels, IGNORED), gradient=True)
    value = probe.tensor(value, (), torch.float32, "The loss")
    probe.require(value.item() == 0, "no-label-not-zero", f"The loss is {value.item()}.")
    finite = gradient is None or bool((gradient == 0).all())
    probe.require(finite, "no-label-not-zero", "The loss is 0, but its gradient is not.")


@masked_loss.property("float64 comes in, float64 comes out, and a gradient comes back to the logits")
def _gradient(probe: Probe) -> None:
    logits, labels = _draw(probe, torch.float64)
    value, (gradient, _) = probe.call(logits, labels, gradient=True)
    value = probe.tensor(value, (), torch.float64, "The loss")
    probe.equal(value, _right(logits, labels), name="the loss")
    shares = logits.softmax(dim=-1)
    hit = torch.nn.functional.one_hot(labels.clamp(min=0), logits.shape[-1])
    counted = (labels != IGNORED)[..., None]
    expected = (shares - hit) * counted / counted.sum() * upstream((), torch.float64)
    probe.require(gradient is not None and close(gradient.float(), expected.float(), slack=20), "cuts-gradient")
    probe.equal(gradient, expected, name="the gradient")

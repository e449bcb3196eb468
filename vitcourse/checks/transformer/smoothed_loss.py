"""``transformer.smoothed_loss(logits, labels, smoothing, pad)``: cross-entropy with smoothed labels, without padding.

Sources: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2016),
https://arxiv.org/abs/1512.00567, section 7; Vaswani et al. 2017, section 5.4.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, close

smoothed_loss = Check("transformer.smoothed_loss")


def _terms(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities (B, T, V) and that of each label (B, T), in float64."""
    log_p = logits.double().log_softmax(dim=-1)
    return log_p, log_p.gather(-1, labels[..., None])[..., 0]


def _each(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    log_p, right = _terms(logits, labels)
    return -(1 - smoothing) * right - smoothing * log_p.mean(dim=-1)


def _right(logits: Tensor, labels: Tensor, smoothing: float, pad: int) -> Tensor:
    return _each(logits, labels, smoothing)[labels != pad].mean()


def _mistakes(logits: Tensor, labels: Tensor, smoothing: float, pad: int) -> dict[str, Tensor]:
    log_p, right = _terms(logits, labels)
    real, entries, s = labels != pad, logits.shape[-1], smoothing
    each, p = _each(logits, labels, s), log_p.exp()
    total, others = log_p.sum(dim=-1), log_p.sum(dim=-1) - right
    not_padding = total - log_p[..., pad]
    kinds = {
        "probability-not-log": -(1 - s) * right.exp() - s * p.mean(dim=-1),
        "probability-not-log/not smoothed": -right.exp(),
        "probability-not-log/complement": 1 - (1 - s) * right.exp() - s * p.mean(dim=-1),
        "wrong-sign": -each,
        "not-smoothed": -right,
        "not-smoothed/factor": -(1 - s) * right,
        "roles-swapped": -s * right - (1 - s) * log_p.mean(dim=-1),
        "right-keeps-all": -right - s * log_p.mean(dim=-1),
        "wrong-share": -(1 - s) * right - s * others / (entries - 1),
        "wrong-share/among others": -(1 - s) * right - s * others / entries,
        "wrong-share/not padding": -(1 - s) * right - s * not_padding / (entries - 1),
        "wrong-share/others, not padding": -(1 - s) * right - s * (not_padding - right) / (entries - 2),
        "summed-not-meant": -(1 - s) * right - s * total,
    }
    means = {name: one[real].mean() for name, one in kinds.items()}
    zeroed = each.where(real, 0.0)
    return means | {
        "counts-padding": each.mean(),
        "divides-by-all": zeroed.mean(),
        "mean-of-means": (zeroed.sum(dim=1) / real.sum(dim=1)).mean(),
        "not-averaged": zeroed.sum(),
        "not-averaged/padding": each.sum(),
        "not-averaged/rows": zeroed.sum(dim=1).mean(),
        "divides-by-all/entries": zeroed.mean() / entries,
        "fixed-padding": each[labels != 0].mean(),
    }


Inputs = tuple[Tensor, Tensor, float, int]


def _draw(probe: Probe, smoothing: float, pad: int = 0, dtype: torch.dtype = torch.float32) -> Inputs:
    """logits (B, T, V) and labels (B, T) of which a good part is padding, unequally over the rows; no other label is
    the padding."""
    batch, length, entries = probe.integer(3, 5), probe.integer(6, 8), probe.integer(9, 15)
    labels = (pad + 1 + (probe.uniform(batch, length) * (entries - 1)).long()) % entries
    real = torch.tensor([probe.integer(3, length - 2) for _ in range(batch)])
    real[0], real[1] = length, 2
    logits = 2 * probe.normal(batch, length, entries, dtype=dtype)
    return logits, labels.where(torch.arange(length) < real[:, None], pad), smoothing, pad


def _judge(probe: Probe, inputs: Inputs, only: tuple[str, ...] = (), **options: str) -> None:
    value = probe.tensor(probe.call(*inputs), (), inputs[0].dtype, "The loss")
    suspects = _mistakes(*inputs)
    named = {name: loss for name, loss in suspects.items() if not only or name.partition("/")[0] in only}
    probe.equal(value, _right(*inputs), named, name="the loss", slack=3, **options)


@smoothed_loss.property("one number comes back")
def _number(probe: Probe) -> None:
    inputs = _draw(probe, 0.1)
    probe.tensor(probe.call(*inputs), (), torch.float32, "The loss")


@smoothed_loss.property("without smoothing and padding it is the mean of minus the log-probability of the right token")
def _plain(probe: Probe) -> None:
    logits, labels, _, _ = _draw(probe, 0.0)
    labels = labels.where(labels != 0, 1)  # no padding
    only = ("probability-not-log", "wrong-sign", "roles-swapped", "not-averaged", "divides-by-all")
    _judge(probe, (logits, labels, 0.0, 0), only)


@smoothed_loss.property("smoothing moves its share from the right token to all entries, in equal parts")
def _smoothed(probe: Probe) -> None:
    logits, labels, _, _ = _draw(probe, 0.0)
    labels = labels.where(labels != 0, 1)
    _judge(probe, (logits, labels, 0.2 + 0.2 * float(probe.uniform(1)), 0))


@smoothed_loss.property("padding does not count, neither above nor below the fraction line")
def _padding(probe: Probe) -> None:
    _judge(
        probe, _draw(probe, 0.3), ("counts-padding", "divides-by-all", "mean-of-means", "not-averaged", "wrong-share")
    )


@smoothed_loss.property("padding is the id that the argument names")
def _other_padding(probe: Probe) -> None:
    while True:  # until the two differ clearly
        inputs = _draw(probe, 0.3, pad=probe.integer(2, 6))
        if abs(_mistakes(*inputs)["fixed-padding"] - _right(*inputs)) > 0.05:
            break
    _judge(probe, inputs, ("fixed-padding", "wrong-share"), otherwise="fixed-padding")


@smoothed_loss.property("large logits give a finite loss")
def _large(probe: Probe) -> None:
    logits, *rest = _draw(probe, 0.1)
    inputs = (100 * logits, *rest)
    value = probe.tensor(probe.call(*inputs), (), torch.float32, "The loss")
    probe.require(bool(value.isfinite()), "overflows", f"The loss is {value.item()}.")
    probe.equal(value, _right(*inputs), otherwise="overflows", name="the loss", slack=3)


@smoothed_loss.property("float64 comes in, float64 comes out, with nothing lost on the way")
def _precision(probe: Probe) -> None:
    _judge(probe, _draw(probe, 0.3, dtype=torch.float64))


@smoothed_loss.property("a gradient comes back to the logits")
def _gradient(probe: Probe) -> None:
    inputs = _draw(probe, 0.1)
    value, gradients = probe.call(*inputs, gradient=True)
    value = probe.tensor(value, (), torch.float32, "The loss")
    leaf = inputs[0].double().requires_grad_()
    (expected,) = torch.autograd.grad(_right(leaf, *inputs[1:]), leaf, upstream(value.shape, torch.float64))
    probe.require(gradients[0] is not None and close(gradients[0], expected.float(), slack=5), "cuts-gradient")

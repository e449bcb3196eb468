"""``transformer.smoothed_loss(logits, labels, smoothing, pad)``: cross-entropy with smoothed labels, without padding.

Sources: Szegedy et al., "Rethinking the Inception Architecture for Computer Vision" (2016),
https://arxiv.org/abs/1512.00567, section 7; Vaswani et al. 2017, section 5.4.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, Tensor, float, int]


def right(logits: Tensor, labels: Tensor, smoothing: float, pad: int) -> Tensor:
    return _each(logits.log_softmax(dim=-1), labels, smoothing)[labels != pad].mean()


def _each(table: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """The loss (B, T) of every label, from a table (B, T, V) of what should be log-probabilities."""
    return -(1 - smoothing) * _of(table, labels) - smoothing * table.mean(dim=-1)


def _of(table: Tensor, labels: Tensor) -> Tensor:
    return table.gather(-1, labels[..., None])[..., 0]


def wrong(logits: Tensor, labels: Tensor, smoothing: float, pad: int) -> dict[str, Tensor]:
    log_p, entries, s = logits.log_softmax(dim=-1), logits.shape[-1], smoothing
    real, each, own = labels != pad, _each(log_p, labels, s), _of(log_p, labels)
    total, mean, zeroed = log_p.sum(dim=-1), log_p.mean(dim=-1), each.where(real, 0.0)
    others = {"": total, "others": total - own, "but padding": total - log_p[..., pad]}
    others["others but padding"] = others["others"] - log_p[..., pad]
    shares = {f"{who} {n}": some / (entries - n) for who, some in others.items() for n in range(3) if who or n}
    kinds = {
        "probability-not-log": _each(log_p.exp(), labels, s),
        "probability-not-log/not smoothed": -own.exp(),
        "probability-not-log/complement": 1 + _each(log_p.exp(), labels, s),
        "no-softmax": _each(logits, labels, s),
        "no-softmax/not smoothed": -_of(logits, labels),
        **{f"wrong-axis/{axis}": _each(logits.log_softmax(axis), labels, s) for axis in (0, 1)},
        "wrong-sign": -each,
        "not-smoothed": -own,
        "not-smoothed/factor": -(1 - s) * own,
        "roles-swapped": -s * own - (1 - s) * mean,
        "right-keeps-all": -own - s * mean,
        **{f"wrong-share/{how}": -(1 - s) * own - s * share for how, share in shares.items()},
        "summed-not-meant": -(1 - s) * own - s * total,
    }
    return {name: one[real].mean() for name, one in kinds.items()} | {
        "fixed-padding": each[labels != 0].mean(),  # the same as the next where no label is 0
        "counts-padding": each.mean(),
        "divides-by-all": zeroed.mean(),
        "mean-of-means": (zeroed.sum(dim=1) / real.sum(dim=1)).mean(),
        "not-averaged": zeroed.sum(),
        "not-averaged/padding": each.sum(),
        "not-averaged/rows": zeroed.sum(dim=1).mean(),
        "not-averaged/columns": zeroed.sum(dim=0).mean(),
        "divides-by-all/entries": zeroed.mean() / entries,
        "divides-by-all/real entries": zeroed.sum() / real.sum() / entries,
    }


smoothed_loss = Solved("transformer.smoothed_loss", right=right, wrong=wrong, parts=("the loss",))


def _draw(probe: Probe, smoothing: float, pad: int = 0, size: float = 2.0) -> Inputs:
    """logits (B, T, V) and labels (B, T) of which a good part is padding, unequally over the rows; no other label is
    the padding."""
    batch, length, entries = probe.integer(3, 5), probe.integer(6, 8), probe.integer(9, 15)
    labels = (pad + 1 + (probe.uniform(batch, length) * (entries - 1)).long()) % entries
    real = torch.tensor([length, 2, *(probe.integer(3, length - 2) for _ in range(batch - 2))])
    logits = size * probe.normal(batch, length, entries)
    return logits, labels.where(torch.arange(length) < real[:, None], pad), smoothing, pad


def _unpadded(probe: Probe, smoothing: float) -> Inputs:
    logits, labels, *rest = _draw(probe, smoothing)
    return logits, labels.where(labels != 0, 1), *rest


def _share(probe: Probe) -> float:
    return 0.2 + 0.2 * float(probe.uniform(1))


def _double(probe: Probe) -> Inputs:
    logits, *rest = _draw(probe, 0.3)
    return logits.double() * 0.987654321, *rest


DRAWS = {
    "without smoothing and padding it is the mean of minus the log-probability of the right token": lambda probe: (
        _unpadded(probe, 0.0)
    ),
    "smoothing moves its share from the right token to all entries, in equal parts": lambda probe: _unpadded(
        probe, _share(probe)
    ),
    "padding does not count, neither above nor below the fraction line": lambda probe: _draw(probe, _share(probe)),
    "padding is the id that the argument names": lambda probe: _draw(probe, 0.3, pad=probe.integer(2, 6)),
}
for text, draw in DRAWS.items():
    smoothed_loss.on(text, slack=3)(draw)
large = smoothed_loss.on("large logits give a finite loss", slack=3, only=["overflows"], otherwise="overflows")
large(lambda probe: _draw(probe, 0.1, size=200.0))
smoothed_loss.exact(_double, slack=3)
smoothed_loss.differentiable(lambda probe: _draw(probe, 0.1), to="the logits")

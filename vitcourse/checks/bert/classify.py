"""``bert.classify(x, pooler_weight, pooler_bias, weight, bias)``: a class for each row from what [CLS] has gathered.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3.2 and Figure 4 (a, b); the pooler is that of the
authors' program.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
OTHERS = (torch.relu, torch.sigmoid, F.gelu, F.silu, F.leaky_relu, F.elu, F.hardtanh)


def right(x: Tensor, pooler_weight: Tensor, pooler_bias: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return _head(x[:, 0], pooler_weight, pooler_bias, weight, bias)


def _head(taken: Tensor, w1: Tensor, b1: Tensor | float, w2: Tensor, b2: Tensor | float, between=torch.tanh) -> Tensor:
    return between(taken @ w1.T + b1) @ w2.T + b2


def wrong(x: Tensor, pooler_weight: Tensor, pooler_bias: Tensor, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
    cls, pooler, classifier = x[:, 0], (pooler_weight, pooler_bias), (weight, bias)
    logits, linear = _head(cls, *pooler, *classifier), _head(cls, *pooler, *classifier, lambda value: value)
    taken = {
        "mean-of-tokens": x.mean(dim=1),
        "mean-of-tokens/others": x[:, 1:].mean(dim=1),
        "last-token": x[:, -1],
        "first-row": x[0],
        "first-row/1": x[0, 0],
    }
    square = {}
    if weight.shape == pooler_weight.shape:
        square["not-transposed/classifier"] = _head(cls, *pooler, weight.T, bias)
        square["not-transposed/both"] = _head(cls, pooler_weight.T, pooler_bias, weight.T, bias)
    return (
        square
        | {name: _head(token, *pooler, *classifier) for name, token in taken.items()}
        | {
            "no-pooler": cls @ weight.T + bias,
            "no-pooler/tanh": cls.tanh() @ weight.T + bias,
            "no-classifier": (cls @ pooler_weight.T + pooler_bias).tanh(),
            "no-tanh": linear,
            "tanh-too-early": _head(cls.tanh(), *pooler, *classifier, lambda value: value),
            "tanh-too-early/both": _head(cls.tanh(), *pooler, *classifier),
            "tanh-too-late": linear.tanh(),
            "tanh-too-late/both": logits.tanh(),
            "not-transposed": _head(cls, pooler_weight.T, pooler_bias, *classifier),
            "no-bias/pooler": _head(cls, pooler_weight, 0.0, *classifier),
            "no-bias/classifier": _head(cls, *pooler, weight, 0.0),
            "no-bias/both": _head(cls, pooler_weight, 0.0, weight, 0.0),
            "softmax-too-early": logits.softmax(dim=-1),
            "softmax-too-early/log": logits.log_softmax(dim=-1),
            "softmax-too-early/sigmoid": logits.sigmoid(),
            **{f"other-activation/{other.__name__}": _head(cls, *pooler, *classifier, other) for other in OTHERS},
        }
    )


classify = Solved("bert.classify", right=right, wrong=wrong, parts=("the logits",))


def _draw(probe: Probe) -> Inputs:
    return _sized(probe, *probe.sizes(4, 3, 9))


def _square(probe: Probe) -> Inputs:
    batch, length, width = probe.sizes(3, 3, 9)
    return _sized(probe, batch, length, width, width)


def _sized(probe: Probe, batch: int, length: int, width: int, classes: int) -> Inputs:
    x, w1 = probe.normal(batch, length, width), probe.normal(width, width) * width**-0.5
    # What enters the tanh for the first row has both signs: where all of it is positive, a ReLU changes nothing.
    b1 = probe.normal(width)
    b1 = b1 - (x[0, 0] @ w1.T + b1).mean()
    return x, w1, b1, probe.normal(classes, width) * width**-0.5, probe.normal(classes)


def _double(probe: Probe) -> Inputs:
    return tuple(part.double() * 0.987654321 for part in _draw(probe))


# First, because a classifier that is turned the wrong way can be multiplied with only if it is square.
classify.on("the weights are turned the right way, which no shape tells where there are as many classes as numbers")(
    _square
)
classify.on("the logits come from [CLS], through the pooler and the classifier, a row for each row of the batch")(_draw)
classify.exact(_double)
classify.differentiable(_double, to="[CLS] alone", of=["x"])

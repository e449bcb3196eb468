"""``bert.classify(x, pooler_weight, pooler_bias, weight, bias)``: a class for each row from what [CLS] has gathered.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3.2 and Figure 4 (a, b); the pooler is that of the
authors' program.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe

classify = Check("bert.classify")
Inputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def _head(x: Tensor, w1: Tensor, b1: Tensor | float, w2: Tensor, b2: Tensor | float, activation=torch.tanh) -> Tensor:
    return activation(x @ w1.T + b1) @ w2.T + b2


def _draw(probe: Probe, dtype: torch.dtype = torch.float32) -> Inputs:
    batch, length, width, classes = probe.sizes(4, 3, 9)
    x = probe.normal(batch, length, width, dtype=dtype)
    weights = (probe.normal(rows, width, dtype=dtype) * width**-0.5 for rows in (width, classes))
    biases = (probe.normal(rows, dtype=dtype) for rows in (width, classes))
    (w1, w2), (b1, b2) = weights, biases
    # What enters the tanh for the first row has both signs: where all of it is positive, a ReLU changes nothing.
    b1 = b1 - (x[0, 0] @ w1.T + b1).mean()
    return x, w1, b1, w2, b2


def _call(probe: Probe, inputs: Inputs) -> Tensor:
    x, _, _, weight, _ = inputs
    batch, length, _ = x.shape
    shapes = {"first-row": (length, len(weight)), "first-row/1": (len(weight),)}
    value = probe.call(*inputs)
    fits = {name.partition("/")[0]: size for name, size in shapes.items() if _has_shape(value, size)}
    return probe.tensor(value, (batch, len(weight)), x.dtype, "The logits", fits)


def _has_shape(value: object, size: tuple[int, ...]) -> bool:
    return isinstance(value, Tensor) and tuple(value.shape) == size


@classify.property("one row of logits for each row of the batch")
def _shape(probe: Probe) -> None:
    _call(probe, _draw(probe))


@classify.property("the logits come from [CLS], through the pooler and the classifier")
def _values(probe: Probe) -> None:
    inputs = _draw(probe)
    x, w1, b1, w2, b2 = (part.double() for part in inputs)
    cls, identity = x[:, 0], lambda value: value
    right = _head(cls, w1, b1, w2, b2)
    suspects = {
        "mean-of-tokens": _head(x.mean(dim=1), w1, b1, w2, b2),
        "last-token": _head(x[:, -1], w1, b1, w2, b2),
        "no-pooler": cls @ w2.T + b2,
        "no-pooler/tanh": cls.tanh() @ w2.T + b2,
        "no-tanh": _head(cls, w1, b1, w2, b2, identity),
        "tanh-too-early": _head(cls.tanh(), w1, b1, w2, b2, identity),
        "tanh-too-late": _head(cls, w1, b1, w2, b2, identity).tanh(),
        "tanh-too-late/both": right.tanh(),
        "not-transposed": _head(cls, w1.T, b1, w2, b2),
        "no-bias/pooler": _head(cls, w1, 0.0, w2, b2),
        "no-bias/classifier": _head(cls, w1, b1, w2, 0.0),
        "no-bias/both": _head(cls, w1, 0.0, w2, 0.0),
        "softmax-too-early": right.softmax(dim=-1),
        "softmax-too-early/log": right.log_softmax(dim=-1),
        **{
            f"other-activation/{i}": _head(cls, w1, b1, w2, b2, other)
            for i, other in enumerate((torch.relu, torch.sigmoid, torch.nn.functional.gelu))
        },
    }
    probe.equal(_call(probe, inputs), right, suspects, name="the logits")


@classify.property("float64 comes in, float64 comes out, and a gradient comes back to [CLS] alone")
def _gradient(probe: Probe) -> None:
    inputs = _draw(probe, torch.float64)
    x, w1, b1, w2, b2 = inputs
    value, gradients = probe.call(*inputs, gradient=True)
    value = probe.tensor(value, (x.shape[0], len(w2)), torch.float64, "The logits")
    probe.equal(value, _head(x[:, 0], w1, b1, w2, b2), name="the logits")
    pooled = (x[:, 0] @ w1.T + b1).tanh()
    expected = torch.zeros_like(x)
    expected[:, 0] = ((upstream(value.shape, torch.float64) @ w2) * (1 - pooled**2)) @ w1
    found = gradients[0]
    probe.require(found is not None and torch.allclose(found, expected, atol=1e-9), "cuts-gradient")

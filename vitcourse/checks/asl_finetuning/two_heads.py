"""``asl_finetuning.two_heads(vector, letter, box)``: one vector an image, two heads, two answers.

Each head is a linear layer, a ReLU and a linear layer, as in the project that the lesson follows; the box ends with a
sigmoid.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, Wrong, close, several

two_heads = Check("asl_finetuning.two_heads")
Head = dict[str, Tensor]


def _head(probe: Probe, inputs: int, hidden: int, outputs: int, dtype: torch.dtype) -> Head:
    shapes = {"weight1": (hidden, inputs), "bias1": (hidden,), "weight2": (outputs, hidden), "bias2": (outputs,)}
    return {name: 0.7 * probe.normal(*shape, dtype=dtype) for name, shape in shapes.items()}


def _draw(probe: Probe, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Head, Head]:
    """No two sizes are equal, except that both heads have the same width, as in the model."""
    batch, inputs, hidden, letters = probe.sizes(4, 5, 12)
    vector = probe.normal(batch, inputs, dtype=dtype)
    return vector, _head(probe, inputs, hidden, letters, dtype), _head(probe, inputs, hidden, 4, dtype)


def _first(x: Tensor, head: Head) -> Tensor:
    return F.linear(x, head["weight1"].double(), head["bias1"].double())


def _last(x: Tensor, head: Head) -> Tensor:
    return F.linear(x, head["weight2"].double(), head["bias2"].double())


def _out(vector: Tensor, head: Head) -> Tensor:
    return _last(_first(vector.double(), head).relu(), head)


def _without(head: Head, *names: str) -> Head:
    return head | {name: torch.zeros_like(head[name]) for name in names}


def _mistakes(vector: Tensor, head: Head) -> dict[str, Tensor]:
    """What mistakes inside a head make of it, before any sigmoid."""
    x = vector.double()
    hidden = _first(x, head)
    biases = {"first": ("bias1",), "second": ("bias2",), "both": ("bias1", "bias2")}
    return {
        "no-relu": _last(hidden, head),
        **{
            f"other-activation/{function.__name__}": _last(function(hidden), head)
            for function in (F.gelu, torch.tanh, torch.sigmoid, F.leaky_relu, F.silu, F.elu)
        },
        "relu-too-early": _last(_first(x.relu(), head), head),
        "relu-at-the-end": _out(x, head).relu(),
        "relu-at-the-end/only": _last(hidden, head).relu(),
        **{f"bias-forgotten/{which}": _out(x, _without(head, *names)) for which, names in biases.items()},
    }


def _call(
    probe: Probe, vector: Tensor, letter: Head, box: Head, gradient: bool = False
) -> tuple[Tensor, Tensor, tuple]:
    value = probe.call(vector, letter, box, gradient=gradient)
    value, gradients = value if gradient else (value, ())
    logits, boxes = several(value, 2, "a pair (logits, boxes)")
    shapes = (len(vector), len(letter["bias2"])), (len(vector), 4)
    if (
        isinstance(logits, Tensor)
        and isinstance(boxes, Tensor)
        and (logits.shape, boxes.shape) == (shapes[1], shapes[0])
    ):
        raise Wrong("heads-swapped")
    logits = probe.tensor(logits, shapes[0], vector.dtype, "The logits")
    return logits, probe.tensor(boxes, shapes[1], vector.dtype, "The boxes"), gradients


@two_heads.property("letter and box: (B, K) and (B, 4), the same for the same vectors")
def _shapes(probe: Probe) -> None:
    inputs = _draw(probe)
    first, again = _call(probe, *inputs), _call(probe, *inputs)
    same = all(torch.equal(a, b) for a, b in zip(first[:2], again[:2], strict=True))
    probe.require(same, "random")


@two_heads.property("the logits are the letter head's, with nothing after its last layer")
def _logits(probe: Probe) -> None:
    vector, letter, box = _draw(probe)
    right = _out(vector, letter)
    suspects = _mistakes(vector, letter) | {
        "letter-probabilities": right.softmax(dim=1),
        "letter-probabilities/logarithm": right.log_softmax(dim=1),
        "letter-sigmoid": right.sigmoid(),
        "same-hidden": _last(_first(vector.double(), box).relu(), letter),
    }
    probe.equal(_call(probe, vector, letter, box)[0], right, suspects, name="the logits")


@two_heads.property("the boxes are the sigmoid of the box head, which reads the vector itself")
def _boxes(probe: Probe) -> None:
    vector, letter, box = _draw(probe)
    right, hidden = _out(vector, box), _first(vector.double(), letter).relu()
    suspects = {
        "no-sigmoid": right,
        "softmax-box": right.softmax(dim=1),
        "clamped-box": right.clamp(0, 1),
        "same-hidden": _last(hidden, box).sigmoid(),
        **{name: made.sigmoid() for name, made in _mistakes(vector, box).items()},
    }
    probe.equal(_call(probe, vector, letter, box)[1], right.sigmoid(), suspects, name="the boxes")


@two_heads.property("float64 comes in, float64 comes out, and a gradient comes back to the vectors")
def _gradient(probe: Probe) -> None:
    vector, letter, box = _draw(probe, torch.float64)
    logits, boxes, gradients = _call(probe, vector, letter, box, gradient=True)
    with torch.enable_grad():
        copy = vector.clone().requires_grad_()
        right = (_out(copy, letter), _out(copy, box).sigmoid())
        (wanted,) = torch.autograd.grad(right, copy, [upstream(part.shape, part.dtype) for part in right])
    probe.equal(logits, right[0].detach(), name="the logits")
    probe.equal(boxes, right[1].detach(), name="the boxes")
    probe.require(gradients[0] is not None and close(gradients[0], wanted, slack=10), "cuts-gradient")

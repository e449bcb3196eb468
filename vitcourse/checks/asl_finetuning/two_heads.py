"""``asl_finetuning.two_heads(vector, letter, box)``: one vector an image, two heads, two answers.

Each head is a linear layer, a ReLU and a linear layer, as in the project that the lesson follows; the box ends with a
sigmoid.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.guard import same
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Head = dict[str, Tensor]
Pair = tuple[Tensor, Tensor]
OTHERS = (F.gelu, torch.tanh, torch.sigmoid, F.leaky_relu, F.silu, F.elu, F.softplus)


def right(vector: Tensor, letter: Head, box: Head) -> Pair:
    return _out(vector, letter), _out(vector, box).sigmoid()


def _first(x: Tensor, head: Head) -> Tensor:
    return F.linear(x, head["weight1"], head["bias1"])


def _last(x: Tensor, head: Head) -> Tensor:
    return F.linear(x, head["weight2"], head["bias2"])


def _out(vector: Tensor, head: Head) -> Tensor:
    return _last(_first(vector, head).relu(), head)


def _without(head: Head, *names: str) -> Head:
    return head | {name: torch.zeros_like(head[name]) for name in names}


def _inside(x: Tensor, head: Head) -> dict[str, Tensor]:
    """What mistakes inside a head make of it, before any sigmoid."""
    hidden = _first(x, head)
    biases = {"first": ("bias1",), "second": ("bias2",), "both": ("bias1", "bias2")}
    return {
        "no-relu": _last(hidden, head),
        **{f"other-activation/{function.__name__}": _last(function(hidden), head) for function in OTHERS},
        "relu-too-early": _last(_first(x.relu(), head), head),
        "relu-at-the-end": _out(x, head).relu(),
        "relu-at-the-end/only": _last(hidden, head).relu(),
        **{f"bias-forgotten/{which}": _out(x, _without(head, *names)) for which, names in biases.items()},
    }


def wrong(vector: Tensor, letter: Head, box: Head) -> dict[str, Pair]:
    logits, boxes = right(vector, letter, box)
    raw = _out(vector, box)
    letters = {
        "letter-probabilities": logits.softmax(dim=1),
        "letter-probabilities/logarithm": logits.log_softmax(dim=1),
        "letter-sigmoid": logits.sigmoid(),
        "same-hidden": _last(_first(vector, box).relu(), letter),
    }
    sides = {
        "no-sigmoid": raw,
        "sigmoid-twice": boxes.sigmoid(),
        "softmax-box": raw.softmax(dim=1),
        "clamped-box": raw.clamp(0, 1),
        "same-hidden": _last(_first(vector, letter).relu(), box).sigmoid(),
    }
    inside = zip(_inside(vector, letter).items(), _inside(vector, box).values(), strict=True)
    return {
        **{name: (made, side.sigmoid()) for (name, made), side in inside},
        "heads-swapped": (boxes, logits),
        "sigmoid-exchanged": (logits.sigmoid(), raw),
        **{f"{name}/letter": (made, boxes) for name, made in letters.items()},
        **{f"{name}/box": (logits, made) for name, made in sides.items()},
    }


two_heads = Solved("asl_finetuning.two_heads", right=right, wrong=wrong, parts=("the logits", "the boxes"))


def draw(probe: Probe, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Head, Head]:
    """No two sizes are equal, except that both heads have the same width, as in the model."""
    batch, inputs, hidden, letters = probe.sizes(4, 5, 12)
    vector = probe.normal(batch, inputs, dtype=dtype)
    heads = []
    for outputs in (letters, 4):
        shapes = {"weight1": (hidden, inputs), "bias1": (hidden,), "weight2": (outputs, hidden), "bias2": (outputs,)}
        heads.append({name: 0.7 * probe.normal(*shape, dtype=dtype) for name, shape in shapes.items()})
    return vector, *heads


def in_float64(probe: Probe) -> tuple[Tensor, Head, Head]:
    return draw(probe, torch.float64)


@two_heads.property("letter and box: (B, K) and (B, 4), the same for the same vectors")
def _same(probe: Probe) -> None:
    inputs = draw(probe)
    probe.require(same(probe.call(*inputs), probe.call(*inputs)), "random")


two_heads.on("logits as they are, boxes through a sigmoid; each head reads the vector itself")(draw)
two_heads.exact(in_float64)
two_heads.differentiable(in_float64, to="the vectors", slack=10, of=["vector"])

"""``transformer.layer_norm(x, weight, bias, eps)``: each token to mean 0 and variance 1, then scaled and shifted.

Source: Ba et al., "Layer Normalization" (2016), https://arxiv.org/abs/1607.06450, section 3; epsilon as in PyTorch.
"""

from itertools import product

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Inputs = tuple[Tensor, Tensor, Tensor, float]


def right(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    centred, variance = _moments(x)
    return centred / (variance + eps).sqrt() * weight + bias


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    centred = x - x.mean(-1, keepdim=True)
    return centred, centred.square().mean(-1, keepdim=True)


def wrong(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> dict[str, Tensor]:
    (centred, variance), axes = _moments(x), tuple(range(x.ndim))
    normed, second = centred / (variance + eps).sqrt(), x.square().mean(-1, keepdim=True)
    sample = x.var(-1, keepdim=True)
    bare = {
        "sample-sigma": centred / (sample + eps).sqrt(),
        "sample-sigma/eps outside": centred / (sample.sqrt() + eps),
        "sum-not-mean": centred / (variance * x.shape[-1] + eps).sqrt(),
        **{f"wrong-axis/{how}": one for how, one in _other_axes(x, eps, [axes[:1], axes, axes[-1:]]).items()},
        **{f"keepdim-forgotten/{how}": one for how, one in _lost_axis(x, eps).items()},
        "not-centred": x / (second + eps).sqrt(),
        "not-centred/by sigma": x / (variance + eps).sqrt(),
        "not-centred/variance": centred / (second + eps).sqrt(),
        "variance-not-root": centred / (variance + eps),
        "variance-not-root/twice": centred / (variance + eps) / 2,
        "variance-not-root/half": centred / (variance + eps) * 2,
        "not-divided": centred,
        "eps-outside": centred / (variance.sqrt() + eps),
        "eps-ignored": centred / variance.sqrt(),
        **{f"eps-ignored/{other}": centred / (variance + other).sqrt() for other in (1e-3, 1e-5, 1e-6, 1e-8)},
    }
    return {name: one * weight + bias for name, one in bare.items()} | {
        "weight-ignored": normed + bias,
        "weight-ignored/bias too": normed,
        "bias-ignored": normed * weight,
        "bias-scaled": (normed + bias) * weight,
        "weight-and-bias-swapped": normed * bias + weight,
    }


def _other_axes(x: Tensor, eps: float, choices: list[tuple[int, ...]]) -> dict[str, Tensor]:
    """Mean and variance over the tokens, over all, or each over something else."""
    found = {}
    for over, across, correction in product(choices, choices, (0, 1)):
        if {over, across} != {choices[-1]}:
            variance = x.var(dim=across, keepdim=True, correction=correction)
            found[f"{over} {across} {correction}"] = (x - x.mean(dim=over, keepdim=True)) / (variance + eps).sqrt()
    return found


def _lost_axis(x: Tensor, eps: float) -> dict[str, Tensor]:
    """Mean, variance or both without their last axis, which shows as other numbers where the matrix is square."""
    if x.ndim != 2 or x.shape[0] != x.shape[1]:
        return {}
    found, kept = {}, x.mean(-1, keepdim=True)
    for mean, keep, of in product((x.mean(-1), kept), (False, True), ("x", "centred")):
        spread = x - (mean if of == "centred" else kept)
        if not (mean is kept and keep):
            found[f"{len(found)}"] = (x - mean) / (spread.square().mean(-1, keepdim=keep) + eps).sqrt()
    return found


layer_norm = Solved("transformer.layer_norm", right=right, wrong=wrong, typed=True)


def _draw(probe: Probe, *front: int, eps: float = 1e-3, size: float = 2.0) -> Inputs:
    """x (*front, D) away from mean 0, and a weight and a bias (D,) that are not 1 and 0."""
    dim = probe.integer(5, 8)
    x = size * (probe.normal(*front, dim) + 1.5)
    return x, 1.5 + probe.uniform(dim), 2 + probe.normal(dim), eps


@layer_norm.on("each token gets mean 0 and variance 1, over its own channels")
def _square(probe: Probe) -> Inputs:
    """As many tokens as channels: an axis that was lost is no error here, and can be told by the numbers."""
    dim = probe.integer(5, 8)
    return 3 * (probe.normal(dim, dim) + 1.5), torch.ones(dim), torch.zeros(dim), 1e-5


# The first with an epsilon that no result shows: which one it is, and where it stands, the second looks at.
layer_norm.on("it is multiplied by weight, then bias is added")(
    lambda probe: _draw(probe, probe.integer(9, 12), eps=1e-5, size=3.0)
)
layer_norm.on("eps is added to the variance, under the root")(
    lambda probe: _draw(probe, probe.integer(9, 12), eps=0.2 + 0.1 * float(probe.uniform(1)), size=0.3)
)


@layer_norm.on("a token whose numbers are all equal becomes bias, and not nan", only=["eps-ignored"])
def _constant(probe: Probe) -> Inputs:
    inputs = _draw(probe, 3)
    inputs[0][1] = probe.integer(1, 4)
    return inputs


for text, front in {"any number of axes may stand in front": (2, 3, 4), "or none: one token alone": ()}.items():
    layer_norm.on(text, only=["only-two-axes"], otherwise="only-two-axes")(lambda probe, f=front: _draw(probe, *f))
layer_norm.exact(lambda probe: (*(part.double() * 0.987654321 for part in _draw(probe, 4)[:3]), 1e-3))
layer_norm.differentiable(lambda probe: _draw(probe, 4), to="x, weight and bias")

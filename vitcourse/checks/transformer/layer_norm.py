"""``transformer.layer_norm(x, weight, bias, eps)``: each token to mean 0 and variance 1, then scaled and shifted.

Source: Ba et al., "Layer Normalization" (2016), https://arxiv.org/abs/1607.06450, section 3; epsilon as in PyTorch.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.guard import upstream
from vitcourse.checks.engine.probe import Probe, close

layer_norm = Check("transformer.layer_norm")


def _normed(
    x: Tensor, eps: float, *, correction: int = 0, axes: tuple[int, ...] = (-1,), centred: bool = True
) -> Tensor:
    x = x.double()
    centre = x.mean(dim=axes, keepdim=True)
    variance = x.var(dim=axes, keepdim=True, correction=correction)
    if not centred:
        return x / (x.square().mean(dim=axes, keepdim=True) + eps).sqrt()
    return (x - centre) / (variance + eps).sqrt()


def _right(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    return _normed(x, eps) * weight.double() + bias.double()


def _mistakes(x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> dict[str, Tensor]:
    """What each mistake gives for a matrix x (N, D)."""
    wide, weight, bias = x.double(), weight.double(), bias.double()
    centred, variance = wide - wide.mean(-1, keepdim=True), wide.var(-1, keepdim=True, correction=0)
    bare = {
        "sample-sigma": _normed(x, eps, correction=1),
        "sample-sigma/eps outside": centred / (wide.std(-1, keepdim=True) + eps),
        "wrong-axis/tokens": _normed(x, eps, axes=(0,)),
        "wrong-axis/all": _normed(x, eps, axes=(0, 1)),
        "wrong-axis/tokens, sample": _normed(x, eps, axes=(0,), correction=1),
        "wrong-axis/all, sample": _normed(x, eps, axes=(0, 1), correction=1),
        "not-centred": _normed(x, eps, centred=False),
        "not-centred/by sigma": wide / (variance + eps).sqrt(),
        "variance-not-root": centred / (variance + eps),
        "not-divided": centred,
        "eps-outside": centred / (variance.sqrt() + eps),
        "eps-ignored": centred / variance.sqrt(),
        "eps-ignored/1e-5": centred / (variance + 1e-5).sqrt(),
        "eps-ignored/1e-6": centred / (variance + 1e-6).sqrt(),
    }
    tables = {name: normed * weight + bias for name, normed in bare.items()}
    right = _normed(x, eps)
    return tables | {
        "weight-ignored": right + bias,
        "weight-ignored/bias too": right,
        "bias-ignored": right * weight,
        "bias-scaled": (right + bias) * weight,
    }


def _draw(probe: Probe, *front: int, dtype: torch.dtype = torch.float32, size: float = 2.0) -> tuple[Tensor, ...]:
    """x (*front, D) away from mean 0, and a weight and a bias (D,) that are not 1 and 0."""
    dim = probe.integer(5, 8)
    x = size * (probe.normal(*front, dim, dtype=dtype) + 1.5)
    weight = 1.5 + probe.uniform(dim).to(dtype)
    return x, weight, 2 + probe.normal(dim, dtype=dtype)


def _plain(probe: Probe, *front: int, eps: float, size: float = 2.0) -> tuple[Tensor, Tensor, Tensor, float]:
    x, weight, bias = _draw(probe, *front, size=size)
    return x, torch.ones_like(weight), torch.zeros_like(bias), eps


@layer_norm.property("the result has the shape and the number type of x")
def _shape(probe: Probe) -> None:
    x, *rest = _plain(probe, 4, eps=1e-5)
    probe.tensor(probe.call(x, *rest), x.shape, torch.float32, exact=True)


@layer_norm.property("each token gets mean 0 and variance 1, over its own channels")
def _statistics(probe: Probe) -> None:
    # An epsilon that no result shows: which one it is, and where it stands, is looked at later.
    inputs = _plain(probe, probe.integer(9, 12), eps=1e-9)
    value = probe.tensor(probe.call(*inputs), inputs[0].shape, torch.float32, exact=True)
    suspects = {name: table for name, table in _mistakes(*inputs).items() if not name.startswith(("eps", "weight"))}
    right = _right(*inputs)
    if close(value, _normed(inputs[0], 1e-5).float()):  # a fixed epsilon: looked at later too
        return
    probe.equal(value, right, suspects)


@layer_norm.property("it is multiplied by weight, then bias is added")
def _affine(probe: Probe) -> None:
    inputs = (*_draw(probe, probe.integer(9, 12)), 1e-9)
    value = probe.tensor(probe.call(*inputs), inputs[0].shape, torch.float32, exact=True)
    if close(value, _right(*inputs[:3], 1e-5).float()):
        return
    probe.equal(value, _right(*inputs), _mistakes(*inputs))


@layer_norm.property("eps is added to the variance, under the root")
def _epsilon(probe: Probe) -> None:
    x, weight, bias = _draw(probe, probe.integer(9, 12), size=0.3)
    inputs = (x, weight, bias, 0.25)
    value = probe.tensor(probe.call(*inputs), inputs[0].shape, torch.float32, exact=True)
    probe.equal(value, _right(*inputs), _mistakes(*inputs))


@layer_norm.property("a token whose numbers are all equal becomes bias, and not nan")
def _constant(probe: Probe) -> None:
    x, weight, bias = _draw(probe, 3)
    x[1] = probe.integer(1, 4)
    inputs = (x, weight, bias, 1e-3)
    value = probe.tensor(probe.call(*inputs), x.shape, torch.float32, exact=True)
    probe.require(bool(value.isfinite().all()), "eps-ignored", "The input holds a token of equal numbers.")
    probe.equal(value, _right(*inputs))


@layer_norm.property("any number of axes may stand in front, or none")
def _axes(probe: Probe) -> None:
    for front in ((2, 3, 4), (3, 5), ()):
        inputs = (*_draw(probe, *front), 1e-3)
        value = probe.call(*inputs, on_error="only-two-axes")
        shapes = {"only-two-axes": value.shape} if isinstance(value, Tensor) else None
        value = probe.tensor(value, inputs[0].shape, torch.float32, shapes=shapes, exact=True)
        probe.equal(value, _right(*inputs), otherwise="only-two-axes")


@layer_norm.property("float64 comes in, float64 comes out, with nothing lost on the way")
def _precision(probe: Probe) -> None:
    inputs = (*_draw(probe, 4, dtype=torch.float64), 1e-3)
    value = probe.tensor(probe.call(*inputs), inputs[0].shape, torch.float64, exact=True)
    probe.equal(value, _right(*inputs))


@layer_norm.property("a gradient comes back to x, weight and bias")
def _gradient(probe: Probe) -> None:
    inputs = (*_draw(probe, 4), 1e-3)
    value, gradients = probe.call(*inputs, gradient=True)
    value = probe.tensor(value, inputs[0].shape, torch.float32, exact=True)
    leaves = [tensor.double().requires_grad_() for tensor in inputs[:3]]
    expected = torch.autograd.grad(_right(*leaves, 1e-3), leaves, upstream(value.shape, torch.float64))
    for found, wanted in zip(gradients[:3], expected, strict=True):
        probe.require(found is not None and close(found, wanted.float(), slack=5), "cuts-gradient")

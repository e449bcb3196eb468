"""``block_variants.layer_scale(weight, bias, gamma)``: a linear map (E, D), (E) and a scale (E) to one linear map.

Source: Touvron et al., "Going deeper with Image Transformers" (2021), section 2: the scale is a diagonal matrix.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Map = tuple[Tensor, Tensor]


def right(weight: Tensor, bias: Tensor, gamma: Tensor) -> Map:
    return torch.diag(gamma) @ weight, bias * gamma


def wrong(weight: Tensor, bias: Tensor, gamma: Tensor) -> dict[str, Map]:
    rows, scaled = gamma.unsqueeze(-1), bias * gamma
    of_square = {}
    if weight.shape[0] == weight.shape[1]:
        of_square = {
            "scales-columns": (weight * gamma, scaled),
            "scales-columns/bias left": (weight * gamma, bias),
            "residual-inside": (weight * rows + torch.eye(len(gamma)).to(weight), scaled),
        }
    return {
        **of_square,
        "bias-left": (weight * rows, bias),
        "weight-left": (weight, scaled),
        "one-number/mean": (weight * gamma.mean(), bias * gamma.mean()),
        "one-number/first": (weight * gamma[0], bias * gamma[0]),
        "divides": (weight / rows, bias / gamma),
        "scales-twice": (weight * rows**2, scaled * gamma),
        "scales-twice/bias": (weight * rows, scaled * gamma),
        "residual-inside/ones": (weight * (1 + rows), bias * (1 + gamma)),
        "gamma-in-bias": (weight * rows, bias + gamma),
    }


layer_scale = Solved("block_variants.layer_scale", right=right, wrong=wrong, parts=("the weight", "the bias"))


def _map(probe: Probe, rows: int, columns: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    sizes = (rows, columns), (rows,), (rows,)
    weight, bias, gamma = (probe.normal(*size, dtype=dtype) for size in sizes)
    return weight, bias, gamma.sign() * (0.4 + gamma.abs())  # none is near 0: one mistake divides by it


@layer_scale.on("the one map gives what the two gave, for a square weight such as that of `attn.proj`")
def square(probe: Probe) -> tuple[Tensor, Tensor, Tensor]:
    size = probe.integer(4, 7)
    return _map(probe, size, size)


@layer_scale.on("and for a wide one, such as that of `mlp.fc2`", but=["scales-columns", "residual-inside"])
def wide(probe: Probe, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor]:
    size = probe.integer(3, 5)
    return _map(probe, size, 4 * size, dtype)


layer_scale.exact(lambda probe: wide(probe, torch.float64))
layer_scale.differentiable(wide, to="weight, bias and gamma")

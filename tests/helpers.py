"""Small tools that several test files use."""

import torch
from torch import nn


def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
    """Every parameter drawn anew in float64 at a size that shows in the output.

    A LayerScale gamma of 1e-4, or a norm at its start (weight 1, bias 0), would hide a wrong block.
    """
    generator = torch.Generator().manual_seed(seed)
    module.double()
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            is_scale = "norm" in name or name.endswith("gamma") or "bn" in name
            parameter.copy_(0.3 * noise + (0.6 if is_scale and name.endswith(("weight", "gamma")) else 0.0))
    return module

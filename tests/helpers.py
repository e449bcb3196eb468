"""Small tools that several test files use."""

from pathlib import Path

import torch
from torch import nn

ROOT = Path(__file__).parents[1]
MARK = "TO BE WRITTEN"  # in what `vitcourse new` writes


def unwritten(root: Path) -> dict[str, list[str]]:
    """The files of lessons and exercises in which something is left to write: the lines that say so."""
    places = ("lessons/*/*.ipynb", "vitcourse/exercises/*.toml", "vitcourse/checks/*/*.py", "tests/checks/bank/*.py")
    found = {}
    for path in sorted(path for place in places for path in root.glob(place)):
        lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if left := [f"line {number}: {line.strip()}" for number, line in lines if MARK in line]:
            found[path.relative_to(root).as_posix()] = left
    return found


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

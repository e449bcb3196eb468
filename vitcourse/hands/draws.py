"""Random numbers for pictures that are made many at a time.

Each picture has a generator of its own, seeded by (seed, index). What a picture looks like then depends on these two
numbers alone: not on how many are made at once, nor on which others are made beside it.

Shape legend: B pictures; every method returns one value (B,) or one block (B, *shape) for each picture.
"""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor


class Draws:
    """Independent random numbers for B pictures, float32 on ``device`` (see the module's docstring).

    Args:
        seed: the seed of the whole series, 0 or more.
        indices: the number of each picture in the series, 0 or more.
        device: where the numbers are put; they are always drawn on the CPU, so a GPU sees the same ones.
    """

    def __init__(self, seed: int, indices: Iterable[int], device: torch.device | str | None = None):
        self.device = torch.device("cpu" if device is None else device)
        self._generators = [np.random.default_rng([seed, index]) for index in indices]

    def __len__(self) -> int:
        return len(self._generators)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Evenly spread in [low, high)."""
        return low + (high - low) * self._block("random", shape)

    def normal(self, deviation: float, *shape: int) -> Tensor:
        """Normal with mean 0 and this standard deviation."""
        return deviation * self._block("standard_normal", shape)

    def chance(self, probability: float, *shape: int) -> Tensor:
        """True with this probability (boolean)."""
        return self._block("random", shape) < probability

    def choose(self, weights: Tensor) -> Tensor:
        """One of K options for each picture (int64), by weights (K,) or (B, K) that need not sum to 1."""
        ladder = weights.to(self.device, torch.float64).cumsum(-1).expand(len(self), -1)
        mark = self._block("random", ()).double()[:, None] * ladder[:, -1:]
        return (mark >= ladder).sum(-1).clamp_(max=ladder.shape[-1] - 1)

    def _block(self, method: str, shape: tuple[int, ...]) -> Tensor:
        block = np.empty((len(self), *shape), dtype=np.float32)
        for row, generator in enumerate(self._generators):
            block[row] = getattr(generator, method)(shape, dtype=np.float32)
        return torch.from_numpy(block).to(self.device)


class Typical(Draws):
    """No chance at all: each draw is its middle, nothing optional happens, the heaviest option is chosen."""

    def __init__(self, count: int, device: torch.device | str | None = None):
        super().__init__(0, range(count), device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return torch.full((len(self), *shape), (low + high) / 2, device=self.device)

    def normal(self, deviation: float, *shape: int) -> Tensor:  # noqa: ARG002
        return torch.zeros(len(self), *shape, device=self.device)

    def chance(self, probability: float, *shape: int) -> Tensor:  # noqa: ARG002
        return torch.zeros(len(self), *shape, dtype=torch.bool, device=self.device)

    def choose(self, weights: Tensor) -> Tensor:
        return weights.to(self.device).expand(len(self), -1).argmax(-1)


def wide(values: Tensor) -> Tensor:
    """One value for each picture, (B,), as (B, 1, 1)."""
    return values[:, None, None]

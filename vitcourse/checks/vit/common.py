"""What the exercises of lesson 06 share: the block of a ViT written out, with each way to get it wrong as an option; a
model that is trained as a whole, which lesson 08 trains too.

Shape legend: B batch, N tokens, D width, H heads. A state holds the weights of a block under timm's names.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitcourse.checks.attention.common import attend
from vitcourse.checks.engine.probe import Probe, Wrong, several
from vitcourse.checks.engine.words import describe
from vitcourse.checks.multi_head.common import right_merge, right_split

State = dict[str, Tensor]
Losses = tuple[Tensor, Tensor]
PARTS = ("the losses of the steps", "the held-out losses")


def linear(x: Tensor, state: State, name: str, bare: Sequence[str] = ()) -> Tensor:
    """The linear map ``name``, without its bias where it is ``bare``."""
    return F.linear(x, state[f"{name}.weight"], None if name in bare else state[f"{name}.bias"])


def norm(
    x: Tensor, state: State, name: str, *, eps: float = 1e-6, affine: bool = True, unbiased: bool = False
) -> Tensor:
    centred = x - x.mean(dim=-1, keepdim=True)
    scaled = centred / (x.var(dim=-1, keepdim=True, unbiased=unbiased) + eps).sqrt()
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"] if affine else scaled


def attention(x: Tensor, state: State, heads: int, divisor: float | None = None, bare: Sequence[str] = ()) -> Tensor:
    parts = (right_split(part, heads) for part in linear(x, state, "attn.qkv", bare).chunk(3, dim=-1))
    return linear(right_merge(attend(*parts, divisor=divisor)[0]), state, "attn.proj", bare)


def mlp(x: Tensor, state: State, act: Callable[[Tensor], Tensor] = F.gelu, bare: Sequence[str] = ()) -> Tensor:
    return linear(act(linear(x, state, "mlp.fc1", bare)), state, "mlp.fc2", bare)


def right_block(x: Tensor, state: State, heads: int) -> Tensor:
    x = x + attention(norm(x, state, "norm1"), state, heads)
    return x + mlp(norm(x, state, "norm2"), state)


def draw_block(probe: Probe, dim: int, ratio: int = 4, dtype: torch.dtype = torch.float32) -> State:
    """Weights of a block whose parts all count: none is near 0, and the norms are no plain ones."""

    def map_of(rows: int, columns: int, name: str) -> State:
        weight = probe.normal(rows, columns, dtype=dtype) / columns**0.5
        return {f"{name}.weight": weight, f"{name}.bias": probe.normal(rows, dtype=dtype)}

    def norm_of(name: str) -> State:
        return {
            f"{name}.weight": 1 + 0.4 * probe.normal(dim, dtype=dtype),
            f"{name}.bias": probe.normal(dim, dtype=dtype),
        }

    return {
        **norm_of("norm1"),
        **map_of(3 * dim, dim, "attn.qkv"),
        **map_of(dim, dim, "attn.proj"),
        **norm_of("norm2"),
        **map_of(ratio * dim, dim, "mlp.fc1"),
        **map_of(dim, ratio * dim, "mlp.fc2"),
    }


class Tiny(nn.Sequential):
    """A linear map, batch norm, GELU and a head: (B, P) to (B, K)."""

    def __init__(self, pixels: int, width: int, classes: int):
        super().__init__(nn.Linear(pixels, width), nn.BatchNorm1d(width), nn.GELU(), nn.Linear(width, classes))


def read_losses(value: object) -> object:
    """Two lists of plain numbers as two tensors; a tensor of numbers will do for a list."""
    parts = several(value, 2, "two lists (the losses of the steps, the held-out losses)")
    for part, name in zip(parts, ("losses", "held-out losses"), strict=True):
        if isinstance(part, list | tuple) and any(isinstance(loss, Tensor) for loss in part):
            raise Wrong("keeps-the-graph", f"The list of {name} holds tensors, not numbers.")
        if not isinstance(part, Tensor) and not (
            isinstance(part, list | tuple) and {type(loss) for loss in part} <= {float}
        ):
            raise Wrong("wrong-type", f"The {name} should be a list of numbers (float) and are {describe(part)}.")
    return tuple(part if isinstance(part, Tensor) else torch.tensor(part, dtype=torch.float32) for part in parts)

"""``vit.rollout(weights)``: (layers, B, H, N, N) to (B, N - 1), how much of each patch is in the class token.

Source: Abnar and Zuidema, "Quantifying Attention Flow in Transformers" (2020), section 3.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved


def right(weights: Tensor) -> Tensor:
    return _read(_product([_mixed(layer) for layer in weights]))


def _mixed(
    layer: Tensor, mean: Callable[[Tensor], Tensor] = lambda layer: layer.mean(dim=1), share: float = 0.5
) -> Tensor:
    return share * torch.eye(layer.shape[-1]).to(layer) + (1 - share) * mean(layer)


def _product(layers: list[Tensor]) -> Tensor:
    total = layers[0]
    for layer in layers[1:]:
        total = layer @ total
    return total


def _read(total: Tensor, row: int = 0) -> Tensor:
    """The patches' shares in a token, so that they sum to 1."""
    shares = total[..., row, 1:]
    return shares / shares.sum(dim=-1, keepdim=True)


def wrong(weights: Tensor) -> dict[str, Tensor]:
    layers = [_mixed(layer) for layer in weights]
    plain, total = list(weights.mean(dim=2)), _product(layers)

    def pooled(mean: Callable[[Tensor], Tensor], share: float = 0.5) -> Tensor:
        return _read(_product([_mixed(layer, mean, share) for layer in weights]))

    apart = _product([_mixed(layer, lambda layer: layer) for layer in weights])
    largest = [_mixed(layer, lambda layer: layer.amax(dim=1)) for layer in weights]
    kept = total[..., 0, 1:]
    return {
        "no-residual": _read(_product(plain)),
        "layers-reversed": _read(_product(layers[::-1])),
        "layers-averaged": _read(torch.stack(plain).mean(dim=0)),
        "layers-averaged/mixed": _read(torch.stack(layers).mean(dim=0)),
        "layers-multiplied-by-number": _read(torch.stack(plain).prod(dim=0)),
        "layers-multiplied-by-number/mixed": _read(torch.stack(layers).prod(dim=0)),
        "last-layer-only": _read(plain[-1]),
        "first-layer-only": _read(plain[0]),
        "heads-summed": pooled(lambda layer: layer.sum(dim=1)),
        "heads-maximum": pooled(lambda layer: layer.amax(dim=1)),
        "heads-maximum/normed": _read(_product([layer / layer.sum(dim=-1, keepdim=True) for layer in largest])),
        "one-head": pooled(lambda layer: layer[:, 0]),
        "heads-apart": _read(apart.mean(dim=1)),
        "column-not-row": (lambda column: column / column.sum(dim=-1, keepdim=True))(total[..., 1:, 0]),
        "transposed-layers": _read(_product([layer.mT for layer in layers])),
        "another-token/last": _read(total, row=-1),
        "another-token/first patch": _read(total, row=1),
        "all-tokens-averaged": _read(total.mean(dim=1, keepdim=True)),
        "not-normalised": kept,
        "divided-by-largest": kept / kept.amax(dim=-1, keepdim=True),
        "softmax-at-the-end": kept.softmax(dim=-1),
        "whole-batch": kept / kept.sum(),
        "with-class-token": total[..., 0, :],
        "whole-table": total,
    }


rollout = Solved("vit.rollout", right=right, wrong=wrong, parts=("the shares",), first="layer")


@rollout.on("layer by layer: heads averaged, half of the token itself, then the product; read in the class token's row")
def draw(probe: Probe, layers: int = 3, dtype: torch.dtype = torch.float32) -> tuple[Tensor]:
    heads, batch = ((3, 2), (2, 4), (4, 3))[probe.integer(0, 2)]
    tokens = probe.integer(5, 7)
    return ((2 * probe.normal(layers, batch, heads, tokens, tokens, dtype=dtype)).softmax(dim=-1),)


@rollout.on("one layer, and many, work as well", but=["first-layer-only"])
def deep(probe: Probe) -> tuple[Tensor]:
    return draw(probe, layers=probe.integer(5, 6))


rollout.exact(lambda probe: draw(probe, dtype=torch.float64))

"""``patches.repair(embed)``: an embedding with two faults, which its author's test (grey, positions zero) does not see.

The notebook hands this out (see ``tests/checks/bank/patches_repair.py``, which shows that it fails)::

    def embed(images, weight, bias, cls_token, pos_embed):
        size = weight.shape[-1]
        windows = images.unfold(2, size, size).unfold(3, size, size)
        patches = windows.reshape(len(images), -1, weight[0].numel())
        tokens = patches @ weight.flatten(1).T + bias
        tokens = tokens + pos_embed[:, :-1]
        cls_token = cls_token.expand(len(images), -1, -1)
        return torch.cat([cls_token, tokens], dim=1)

The windows are (B, C, rows, columns, p, p), so the reshape mixes channels; every patch has its neighbour's position.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe, Wrong
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.patches.common import channels_mixed, draw_sizes, pieces

Case = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def right(images: Tensor, weight: Tensor, bias: Tensor, cls_token: Tensor, pos_embed: Tensor) -> Tensor:
    tokens = F.conv2d(images, weight, bias, stride=weight.shape[-1]).flatten(2).mT
    return torch.cat([cls_token.expand(len(images), -1, -1), tokens], dim=1) + pos_embed


def wrong(images: Tensor, weight: Tensor, bias: Tensor, cls_token: Tensor, pos_embed: Tensor) -> dict[str, Tensor]:
    size, first = weight.shape[-1], cls_token.expand(len(images), -1, -1)
    cut, own, rest = pieces(images, size), pos_embed[:, :1], pos_embed[:, 1:]

    def from_patches(patches: Tensor, offset: Tensor | float = bias) -> Tensor:
        return torch.cat([first, patches @ weight.flatten(1).T + offset], dim=1) + pos_embed

    def in_order(order: tuple[int, ...]) -> Tensor:
        return from_patches(cut.permute(0, *order).flatten(3).flatten(1, 2))

    tokens = (right(images, weight, bias, cls_token, pos_embed) - pos_embed)[:, 1:]
    mixed = channels_mixed(images, size) @ weight.flatten(1).T + bias
    return {
        "channels-mixed": from_patches(channels_mixed(images, size)),
        "channels-mixed/both": torch.cat([first, mixed + pos_embed[:, :-1]], dim=1),
        "channels-mixed/bare": torch.cat([first, mixed + rest], dim=1),
        "positions-shifted": torch.cat([first, tokens + pos_embed[:, :-1]], dim=1),
        "positions-shifted/end": torch.cat([first + pos_embed[:, -1:], tokens + pos_embed[:, :-1]], dim=1),
        "class-token-bare": torch.cat([first, tokens + rest], dim=1),
        "class-token-last": torch.cat([tokens, first], dim=1) + pos_embed,
        "class-token-last/own": torch.cat([tokens + rest, first + own], dim=1),
        "no-positions": torch.cat([first, tokens], dim=1),
        "channels-last": in_order((1, 2, 4, 5, 3)),
        "turned": in_order((1, 2, 3, 5, 4)),
        "columns-first": in_order((2, 1, 3, 4, 5)),
        "no-bias": from_patches(cut.flatten(3).flatten(1, 2), 0.0),
    }


repair = Solved("patches.repair", right=right, wrong=wrong, parts=("the tokens",))


def draw(probe: Probe, channels: int = 3, positions: bool = True, dtype: torch.dtype = torch.float32) -> Case:
    size, rows, columns = draw_sizes(probe)
    dim, fan = probe.integer(8, 10), channels * size**2
    return (
        probe.normal(2, channels, rows * size, columns * size, dtype=dtype),
        probe.normal(dim, channels, size, size, dtype=dtype) / fan**0.5,
        probe.normal(dim, dtype=dtype),
        probe.normal(1, 1, dim, dtype=dtype),
        probe.normal(1, 1 + rows * columns, dim, dtype=dtype) * positions,
    )


def grey(probe: Probe) -> Case:
    return draw(probe, channels=1, positions=False)


@repair.property("what worked before still works: grey images, all positions zero")
def _grey(probe: Probe) -> None:
    try:
        repair.judge(probe, grey, only=["class-token-last", "turned", "columns-first", "no-bias"])
    except Wrong as failed:
        broken = failed.misconception == "wrong-values"
        raise Wrong("breaks-what-worked" if broken else failed.misconception, failed.detail, failed.errors) from None


AT_POSITIONS = ["positions-shifted", "class-token-bare", "no-positions"]
repair.on("a patch of a colour image holds all of its channels", only=["channels-mixed", "channels-last"])(
    lambda probe: draw(probe, positions=False)
)
repair.on("every token has the position of its own place, the class token the first", only=AT_POSITIONS)(
    lambda probe: draw(probe, channels=1)
)
repair.on("all of it at once: colour images that are no squares")(draw)
repair.exact(lambda probe: draw(probe, dtype=torch.float64))
repair.differentiable(draw, to="all five")

"""``vit.model(images, state, patch_size, num_heads)``: a whole ViT, (B, C, height, width) to logits (B, K).

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), equations 1 to 4.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.vit.common import State, draw_block, linear, norm, right_block

Inputs = tuple[Tensor, State, int, int]
DEPTH = 11  # so many that 10 stands before 2 in the order of texts


def right(images: Tensor, state: State, patch_size: int, num_heads: int) -> Tensor:
    return _logits(_encoded(_embedded(images, state, patch_size), state, num_heads), state)


def _patches(images: Tensor, state: State, size: int, pattern: str, bias: bool = True) -> Tensor:
    """Embedded patches by a linear map on the pixels in the order of ``pattern``."""
    weight = state["patch_embed.proj.weight"].flatten(1)
    cut = rearrange(images, pattern, p1=size, p2=size)
    return F.linear(cut, weight, state["patch_embed.proj.bias"] if bias else None)


def _embedded(
    images: Tensor, state: State, size: int, pattern: str = "b c (h p1) (w p2) -> b (h w) (c p1 p2)", **how
) -> Tensor:
    return _with_class_token(_patches(images, state, size, pattern, **how), state)


def _with_class_token(patches: Tensor, state: State, *, last: bool = False) -> Tensor:
    class_token = state["cls_token"].expand(len(patches), -1, -1)
    parts = [patches, class_token] if last else [class_token, patches]
    return torch.cat(parts, dim=1) + state["pos_embed"]


def _encoded(tokens: Tensor, state: State, heads: int, order: Sequence[int] = range(DEPTH)) -> Tensor:
    for place in order:
        start = f"blocks.{place}."
        own = {name.removeprefix(start): part for name, part in state.items() if name.startswith(start)}
        tokens = right_block(tokens, own, heads)
    return tokens


def _logits(
    tokens: Tensor,
    state: State,
    pool: Callable[[Tensor], Tensor] = lambda tokens: tokens[:, 0],
    normed: bool = True,
    eps: float = 1e-6,
) -> Tensor:
    return linear(pool(norm(tokens, state, "norm", eps=eps) if normed else tokens), state, "head")


def wrong(images: Tensor, state: State, patch_size: int, num_heads: int) -> dict[str, Tensor]:
    def whole(tokens: Tensor, order: Sequence[int] = range(DEPTH), **how) -> Tensor:
        return _logits(_encoded(tokens, state, num_heads, order), state, **how)

    tokens = _embedded(images, state, patch_size)
    bare, encoded = tokens - state["pos_embed"], _encoded(tokens, state, num_heads)
    patches = bare[:, 1:]
    last = _with_class_token(patches, state, last=True)
    right_logits = _logits(encoded, state)
    return {
        "no-positions": whole(bare),
        "class-token-without-position": whole(torch.cat([bare[:, :1], tokens[:, 1:]], dim=1)),
        "class-token-last": whole(last, pool=lambda tokens: tokens[:, -1]),
        "class-token-last/first": whole(last),
        "reads-a-patch": _logits(encoded, state, pool=lambda tokens: tokens[:, -1]),
        "reads-a-patch/first": _logits(encoded, state, pool=lambda tokens: tokens[:, 1]),
        "mean-of-tokens": _logits(encoded, state, pool=lambda tokens: tokens.mean(dim=1)),
        "mean-of-tokens/patches": _logits(encoded, state, pool=lambda tokens: tokens[:, 1:].mean(dim=1)),
        "all-tokens": _logits(encoded, state, pool=lambda tokens: tokens),
        **{f"other-epsilon/{eps}": _logits(encoded, state, eps=eps) for eps in (1e-5, 1e-12, 1e-8)},
        "no-final-norm": _logits(encoded, state, normed=False),
        "blocks-as-texts": whole(tokens, sorted(range(DEPTH), key=str)),
        "blocks-reversed": whole(tokens, range(DEPTH)[::-1]),
        "blocks-missing/last": whole(tokens, range(DEPTH - 1)),
        "blocks-missing/first": whole(tokens, range(1, DEPTH)),
        "blocks-missing/digits": whole(tokens, range(10)),
        "blocks-missing/one": whole(tokens, [0]),
        "one-block-for-all": whole(tokens, [0] * DEPTH),
        "columns-first": whole(_embedded(images, state, patch_size, "b c (h p1) (w p2) -> b (w h) (c p1 p2)")),
        "pixel-order": whole(_embedded(images, state, patch_size, "b c (h p1) (w p2) -> b (h w) (p1 p2 c)")),
        "pixel-order/turned": whole(_embedded(images, state, patch_size, "b c (h p1) (w p2) -> b (h w) (c p2 p1)")),
        "reshaped-not-moved": whole(_with_class_token(patches.mT.reshape(patches.shape), state)),
        "no-patch-bias": whole(_embedded(images, state, patch_size, bias=False)),
        "probabilities": right_logits.softmax(dim=-1),
        "probabilities/log": right_logits.log_softmax(dim=-1),
        "answers": right_logits.argmax(dim=-1),
    }


model = Solved("vit.model", right=right, wrong=wrong, parts=("the logits",))


@model.on(
    "patches, class token, positions, all blocks in their order, a last norm, and the head on the class token",
    but=["other-epsilon"],
)
def draw(probe: Probe, dtype: torch.dtype = torch.float32) -> Inputs:
    """Images that are not square, of three rows or more, so that no two orders of reading agree."""
    heads, width = ((2, 3), (3, 2), (2, 4))[probe.integer(0, 2)]
    size, channels, (rows, columns) = probe.integer(2, 3), 2, ((3, 2), (2, 3), (4, 3))[probe.integer(0, 2)]
    dim, classes = heads * width, probe.integer(4, 5)
    inside = channels * size * size
    state = {
        "cls_token": probe.normal(1, 1, dim, dtype=dtype),
        "pos_embed": probe.normal(1, 1 + rows * columns, dim, dtype=dtype),
        "patch_embed.proj.weight": probe.normal(dim, channels, size, size, dtype=dtype) / inside**0.5,
        "patch_embed.proj.bias": probe.normal(dim, dtype=dtype),
        "norm.weight": 1 + 0.4 * probe.normal(dim, dtype=dtype),
        "norm.bias": probe.normal(dim, dtype=dtype),
        "head.weight": probe.normal(classes, dim, dtype=dtype),
        "head.bias": probe.normal(classes, dtype=dtype),
    }
    for place in range(DEPTH):
        state |= {f"blocks.{place}.{name}": part for name, part in draw_block(probe, dim, 2, dtype).items()}
    return probe.normal(3, channels, rows * size, columns * size, dtype=dtype), state, size, heads


model.exact(lambda probe: draw(probe, torch.float64))
model.differentiable(draw, to="the images", slack=50)

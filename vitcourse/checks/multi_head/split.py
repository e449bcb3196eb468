"""``multi_head.split(x, num_heads)``: (B, N, D) to (B, H, N, d), head h from the h-th part of every token.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2.
"""

from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.multi_head.common import dealt_split, draw_sizes, numbered, reshaped_split, right_split


def right(x: Tensor, num_heads: int) -> Tensor:
    return right_split(x, num_heads)


def wrong(x: Tensor, num_heads: int) -> dict[str, Tensor]:
    (batch, tokens, dim), made = x.shape, right_split(x, num_heads)
    width = dim // num_heads
    return {
        "heads-after-tokens": made.transpose(1, 2),
        "width-before-tokens": made.mT,
        "heads-first": made.transpose(0, 1),
        "width-not-heads": right_split(x, width),
        "width-not-heads/late": x.unflatten(-1, (width, num_heads)),
        "reshaped": reshaped_split(x, num_heads),
        "reshaped/batch": x.reshape(num_heads, batch, tokens, width).transpose(0, 1),
        "reshaped/turned": x.mT.reshape(made.shape),
        "reshaped/turned back": x.reshape(made.mT.shape).mT,
        "interleaved": dealt_split(x, num_heads),
        "heads-reversed": made.flip(1),
    }


split = Solved("multi_head.split", right=right, wrong=wrong)


@split.on("the axes are batch, heads, tokens, width; a head gets its own part of every token, and of no other")
def draw(probe: Probe) -> tuple[Tensor, int]:
    batch, heads, tokens, width = draw_sizes(probe)
    return numbered(probe, batch, tokens, heads * width), heads


def as_wide_as_many(probe: Probe) -> tuple[Tensor, int]:
    x, heads = draw(probe)
    return x.double() / 3, x.shape[-1] // heads


def one_head(probe: Probe) -> tuple[Tensor, int]:
    return draw(probe)[0], 1


def width_one(probe: Probe) -> tuple[Tensor, int]:
    x, _ = draw(probe)
    return x, x.shape[-1]


split.on(
    "another number of heads, one head and heads of width 1 work as well", otherwise="fixed-heads", only=["fixed-heads"]
)(as_wide_as_many, one_head, width_one)
split.differentiable(draw, to="the tokens")

"""``multi_head.merge(heads)``: (B, H, N, d) to (B, N, D), the heads side by side again.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2 (Concat).
"""

from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved
from vitcourse.checks.multi_head.common import dealt_merge, draw_sizes, numbered, reshaped_merge, right_merge


def right(heads: Tensor) -> Tensor:
    return right_merge(heads)


def wrong(heads: Tensor) -> dict[str, Tensor]:
    return {
        "reshaped": reshaped_merge(heads),
        "reshaped/turned": heads.mT.reshape(right(heads).shape),
        "reshaped/flat": heads.transpose(0, 1).reshape(right(heads).shape),
        "interleaved": dealt_merge(heads),
        "heads-reversed": right_merge(heads.flip(1)),
        **{f"one-head/{head}": heads[:, head] for head in (0, -1)},
        "averaged": heads.mean(dim=1),
        "summed": heads.sum(dim=1),
        "not-joined": heads.transpose(1, 2),
        "width-before-tokens": right_merge(heads).mT,
        "tokens-joined": heads.flatten(1, 2),
    }


merge = Solved("multi_head.merge", right=right, wrong=wrong)


@merge.on("a token is as wide as all heads together: it holds what every head found for it, head after head")
def draw(probe: Probe) -> tuple[Tensor]:
    return (numbered(probe, *draw_sizes(probe)),)


def one_head(probe: Probe) -> tuple[Tensor]:
    return (draw(probe)[0][:, :1].double() / 3,)


def width_one(probe: Probe) -> tuple[Tensor]:
    return (draw(probe)[0][..., :1],)


def one_token(probe: Probe) -> tuple[Tensor]:
    return (draw(probe)[0][:1, :, :1],)


merge.on("one head, heads of width 1 and a single token work as well", only=["not-joined"])(
    one_head, width_one, one_token
)
merge.differentiable(draw, to="every head")

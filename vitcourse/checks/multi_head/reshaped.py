"""``multi_head.reshaped(num_tokens, num_heads)``: from which token each row of each head comes after a bare reshape.

Tokens (N, D) that are only reshaped to (H, N, D / H) are dealt out in the order of memory: token n fills the rows
n H to n H + H - 1 of all H N rows.

Source: Vaswani et al., "Attention Is All You Need" (2017), section 3.2.2, for the split that is meant.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved


def right(num_tokens: int, num_heads: int) -> Tensor:
    return torch.arange(num_tokens * num_heads).div(num_heads, rounding_mode="floor").reshape(num_heads, num_tokens)


def wrong(num_tokens: int, num_heads: int) -> dict[str, Tensor]:
    made, rows = right(num_tokens, num_heads), torch.arange(num_tokens * num_heads)
    return {
        "tokens-before-heads": made.T,
        "tokens-before-heads/cut": rows.div(num_heads, rounding_mode="floor").reshape(num_tokens, num_heads),
        "right-split": torch.arange(num_tokens).expand(num_heads, -1),
        "one-token-a-head": torch.arange(num_heads)[:, None].expand(-1, num_tokens),
        "dealt-out": rows.reshape(num_tokens, num_heads).T.remainder(num_tokens),
        "pieces": rows.remainder(num_heads).reshape(num_heads, num_tokens),
        "numbers": rows.reshape(num_heads, num_tokens),
        "from-one": made + 1,
        "heads-reversed": made.flip(0),
    }


reshaped = Solved("multi_head.reshaped", right=right, wrong=wrong, parts=("the table",))


@reshaped.on("a head holds the pieces of neighbouring tokens, one after the other")
def draw(probe: Probe) -> tuple[int, int]:
    """A number of tokens that the heads do not divide, so that a token is cut at the end of a head."""
    return ((7, 3), (7, 4), (8, 3), (8, 5), (9, 4), (11, 3), (11, 5))[probe.integer(0, 6)]


reshaped.on("as many heads as tokens, more heads than tokens, and one head")(
    lambda _probe: (5, 5), lambda probe: (3, probe.integer(4, 6)), lambda probe: (probe.integer(4, 8), 1)
)

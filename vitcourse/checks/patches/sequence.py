"""``patches.sequence(tokens, cls_token, pos_embed)``: (B, N, D) to (B, 1 + N, D), class token and positions added.

The table has a position for the class token, (1, 1 + N, D), or is for the patches alone, (1, N, D).

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (2020), equation 1; Touvron et al., "DeiT III" (2022) for
the table without the class token.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Case = tuple[Tensor, Tensor, Tensor]


def right(tokens: Tensor, cls_token: Tensor, pos_embed: Tensor) -> Tensor:
    first = cls_token.expand(len(tokens), -1, -1)
    bare = pos_embed.shape[1] == tokens.shape[1]
    return torch.cat([first, tokens], dim=1) + (F.pad(pos_embed, (0, 0, 1, 0)) if bare else pos_embed)


def wrong(tokens: Tensor, cls_token: Tensor, pos_embed: Tensor) -> dict[str, Tensor]:
    first, count = cls_token.expand(len(tokens), -1, -1), tokens.shape[1]
    joined = torch.cat([first, tokens], dim=1)
    if pos_embed.shape[1] == count:
        return {
            "positions-shifted": joined + F.pad(pos_embed, (0, 0, 0, 1)),
            "no-positions": joined,
            "class-token-last": torch.cat([tokens + pos_embed, first], dim=1),
        }
    own, rest = pos_embed[:, :1], pos_embed[:, 1:]
    return {
        "class-token-last": torch.cat([tokens, first], dim=1) + pos_embed,
        "class-token-last/own": torch.cat([tokens + rest, first + own], dim=1),
        "class-token-last/bare": torch.cat([tokens + rest, first], dim=1),
        "positions-shifted": torch.cat([first, tokens + pos_embed[:, :-1]], dim=1),
        "positions-shifted/end": torch.cat([first + pos_embed[:, -1:], tokens + pos_embed[:, :-1]], dim=1),
        "no-positions": joined,
        "class-token-bare": torch.cat([first, tokens + rest], dim=1),
        "patches-bare": torch.cat([first + own, tokens], dim=1),
        "class-token-twice": torch.cat([own.expand_as(first), tokens + rest], dim=1),
        "class-token-twice/added": torch.cat([first, tokens + cls_token], dim=1) + pos_embed,
        "multiplied": joined * pos_embed,
        "side-by-side": torch.cat([joined, pos_embed.expand(len(tokens), -1, -1)], dim=2),
        "as-tokens": torch.cat([joined, pos_embed.expand(len(tokens), -1, -1)], dim=1),
        "no-class-token": tokens + rest,
        "no-class-token/shifted": tokens + pos_embed[:, :-1],
        "no-class-token/added": tokens + cls_token + rest,
        "no-class-token/replaced": (joined + pos_embed)[:, :-1],
    }


sequence = Solved("patches.sequence", right=right, wrong=wrong)


@sequence.on("the class token comes first, and every token has the position of its own place")
def draw(probe: Probe) -> Case:
    count, dim = probe.integer(4, 6), probe.integer(8, 10)
    return probe.normal(1, count, dim), probe.normal(1, 1, dim), probe.normal(1, 1 + count, dim)


@sequence.on("every image of a batch gets the same class token and positions", otherwise="not-expanded")
def batch(probe: Probe) -> Case:
    tokens, cls_token, pos_embed = draw(probe)
    return probe.normal(3, *tokens.shape[1:]), cls_token, pos_embed


@sequence.on("a table for the patches alone leaves the class token as it is", otherwise="one-kind-of-table")
def patches_alone(probe: Probe) -> Case:
    tokens, cls_token, pos_embed = batch(probe)
    return tokens, cls_token, pos_embed[:, 1:]


sequence.exact(lambda probe: tuple(one.double() / 3 for one in batch(probe)))
sequence.differentiable(batch, to="tokens, class token and positions")

"""Answers to ``patches.sequence``."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("patches.sequence")


@BANK.right
def by_the_lengths(tokens, cls_token, pos_embed):
    cls_token = cls_token.expand(len(tokens), -1, -1)
    if pos_embed.shape[1] == tokens.shape[1]:
        return torch.cat([cls_token, tokens + pos_embed], dim=1)
    return torch.cat([cls_token, tokens], dim=1) + pos_embed


@BANK.right
def with_a_row_of_zeros(tokens, cls_token, pos_embed):
    missing = 1 + tokens.shape[1] - pos_embed.shape[1]
    table = torch.cat([torch.zeros_like(cls_token)[:, :missing], pos_embed], dim=1)
    return torch.cat([cls_token.repeat(tokens.shape[0], 1, 1), tokens], dim=1) + table


@BANK.right
def filled_in(tokens, cls_token, pos_embed):
    batch, count, dim = tokens.shape
    result = tokens.new_zeros(batch, 1 + count, dim)
    result[:, :1] += cls_token
    result[:, 1:] += tokens
    result[:, 1 + count - pos_embed.shape[1] :] += pos_embed
    return result


def first(tokens, cls_token):
    return cls_token.expand(len(tokens), -1, -1)


def joined(tokens, cls_token):
    return torch.cat([first(tokens, cls_token), tokens], dim=1)


BANK.wrong("class-token-last")(lambda x, cls, pos: torch.cat([x, first(x, cls)], dim=1) + pos)
BANK.wrong("class-token-last")(lambda x, cls, pos: torch.cat([x + pos[:, 1:], first(x, cls)], dim=1))
BANK.wrong("class-token-last")(lambda x, cls, pos: torch.cat([x + pos[:, 1:], first(x, cls) + pos[:, :1]], dim=1))
BANK.wrong("positions-shifted")(lambda x, cls, pos: torch.cat([first(x, cls), x + pos[:, :-1]], dim=1))
BANK.wrong("positions-shifted")(lambda x, cls, pos: torch.cat([first(x, cls), x + pos[:, : x.shape[1]]], dim=1))
BANK.wrong("no-positions")(lambda x, cls, pos: joined(x, cls))
BANK.wrong("class-token-bare")(lambda x, cls, pos: torch.cat([first(x, cls), x + pos[:, -x.shape[1] :]], dim=1))
BANK.wrong("patches-bare")(lambda x, cls, pos: torch.cat([first(x, cls) + pos[:, :1], x], dim=1))
BANK.wrong("class-token-twice")(lambda x, cls, pos: joined(x + cls, cls) + pos)
BANK.wrong("class-token-twice")(
    lambda x, cls, pos: torch.cat([pos[:, :1].expand(len(x), -1, -1), x + pos[:, 1:]], dim=1)
)
BANK.wrong("multiplied")(lambda x, cls, pos: joined(x, cls) * pos)
BANK.wrong("side-by-side")(lambda x, cls, pos: torch.cat([joined(x, cls), pos.expand(len(x), -1, -1)], dim=-1))
BANK.wrong("as-tokens")(lambda x, cls, pos: torch.cat([joined(x, cls), pos.expand(len(x), -1, -1)], dim=1))
BANK.wrong("no-class-token")(lambda x, cls, pos: x + pos[:, 1:])
BANK.wrong("no-class-token")(lambda x, cls, pos: x + cls + pos[:, 1:])
BANK.wrong("no-class-token")(lambda x, cls, pos: (joined(x, cls) + pos)[:, : x.shape[1]])
BANK.wrong("not-expanded")(lambda x, cls, pos: torch.cat([cls, x], dim=1) + pos)
BANK.wrong("not-expanded")(lambda x, cls, pos: torch.cat([cls, x[:1]], dim=1) + pos)
BANK.wrong("one-kind-of-table")(lambda x, cls, pos: joined(x, cls) + pos)
BANK.wrong("positions-shifted")(
    lambda x, cls, pos: joined(x, cls) + torch.cat([pos, torch.zeros_like(cls)[:, : 1 + x.shape[1] - pos.shape[1]]], 1)
)
BANK.wrong("wrong-shape")(lambda x, cls, pos: by_the_lengths(x, cls, pos).mT)
BANK.wrong("wrong-values")(lambda x, cls, pos: joined(x, cls) - pos)
BANK.wrong("wrong-type")(lambda x, cls, pos: None)
BANK.wrong("raises")(lambda x, cls, pos: torch.cat([cls[0], x], dim=1) + pos)
BANK.wrong("wrong-dtype")(lambda x, cls, pos: by_the_lengths(x, cls, pos).half())
BANK.wrong("lost-precision")(lambda x, cls, pos: by_the_lengths(x.float(), cls.float(), pos.float()).to(x))
BANK.wrong("cuts-gradient")(lambda x, cls, pos: by_the_lengths(x, cls.data, pos))


@BANK.wrong("changes-inputs")
def in_place(tokens, cls_token, pos_embed):
    tokens += pos_embed[:, -tokens.shape[1] :]
    return joined(tokens, cls_token)

"""Answers to ``multi_head.reshaped``."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.reshaped")


@BANK.right
def repeated_and_cut(num_tokens, num_heads):
    return torch.arange(num_tokens).repeat_interleave(num_heads).reshape(num_heads, num_tokens)


@BANK.right
def by_counting_rows(num_tokens, num_heads):
    rows = [[(head * num_tokens + row) // num_heads for row in range(num_tokens)] for head in range(num_heads)]
    return torch.tensor(rows)


@BANK.right
def by_doing_it(num_tokens, num_heads):
    tokens = torch.arange(num_tokens)[:, None].expand(num_tokens, num_heads)
    return tokens.reshape(num_heads, num_tokens, 1)[..., 0]


BANK.wrong("tokens-before-heads")(lambda n, h: repeated_and_cut(n, h).T)
BANK.wrong("tokens-before-heads")(lambda n, h: torch.arange(n).repeat_interleave(h).reshape(n, h))
BANK.wrong("right-split")(lambda n, h: torch.arange(n).repeat(h).reshape(h, n))
BANK.wrong("one-token-a-head")(lambda n, h: torch.arange(h).repeat_interleave(n).reshape(h, n))
BANK.wrong("dealt-out")(lambda n, h: torch.tensor([[(row * h + head) % n for row in range(n)] for head in range(h)]))
BANK.wrong("pieces")(lambda n, h: (torch.arange(n * h) % h).reshape(h, n))
BANK.wrong("numbers")(lambda n, h: torch.arange(n * h).reshape(h, n))
BANK.wrong("from-one")(lambda n, h: repeated_and_cut(n, h) + 1)
BANK.wrong("heads-reversed")(lambda n, h: repeated_and_cut(n, h).flip(0))
BANK.wrong("wrong-shape")(lambda n, h: repeated_and_cut(n, h).flatten())
BANK.wrong("wrong-type")(lambda n, h: repeated_and_cut(n, h).tolist())
BANK.wrong("wrong-dtype")(lambda n, h: repeated_and_cut(n, h).float())
BANK.wrong("wrong-values")(lambda n, h: repeated_and_cut(n, h) * 2 + 3)

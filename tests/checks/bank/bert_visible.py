"""Answers to ``bert.visible``: a boolean table (B, 1, N, N), True = may read."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("bert.visible")


@BANK.right
def broadcast(mask, is_causal):
    batch, length = mask.shape
    table = mask[:, None, None, :].expand(batch, 1, length, length)
    if is_causal:
        table = table & torch.ones(length, length, dtype=torch.bool).tril()
    return table


@BANK.right
def by_loops(mask, is_causal):
    batch, length = mask.shape
    table = torch.zeros(batch, 1, length, length, dtype=torch.bool)
    for row in range(length):
        end = row + 1 if is_causal else length
        table[:, 0, row, :end] = mask[:, :end]
    return table


@BANK.right
def by_comparison(mask, is_causal):
    place = torch.arange(mask.shape[1])
    reach = place if is_causal else place * 0 + len(place)
    return (mask[:, None, :] & (place <= reach[:, None])).unsqueeze(1)


def ones(mask):
    return torch.ones(len(mask), 1, mask.shape[1], mask.shape[1], dtype=torch.bool)


def keys(mask):
    return ones(mask) & mask[:, None, None, :]


def queries(mask):
    return ones(mask) & mask[:, None, :, None]


def only_if_causal(table):
    """A right answer both ways, ``table(mask)`` where the future is hidden."""
    return lambda mask, is_causal: table(mask) if is_causal else broadcast(mask, False).clone()


BANK.wrong("hides-nothing")(lambda mask, is_causal: ones(mask).tril() if is_causal else ones(mask))
BANK.wrong("hides-queries")(lambda mask, is_causal: queries(mask).tril() if is_causal else queries(mask))
BANK.wrong("hides-both")(lambda mask, is_causal: broadcast(mask, is_causal) & queries(mask))
BANK.wrong("hides-both")(lambda mask, is_causal: by_loops(mask, is_causal) & by_loops(mask, False).mT)
BANK.wrong("mask-inverted")(lambda mask, is_causal: ~broadcast(mask, is_causal))
BANK.wrong("mask-inverted")(lambda mask, is_causal: broadcast(~mask, is_causal).clone())
BANK.wrong("always-causal")(lambda mask, is_causal: broadcast(mask, True))
BANK.wrong("always-causal")(lambda mask, is_causal: broadcast(mask, not is_causal).clone())
BANK.wrong("causal-ignored")(lambda mask, is_causal: keys(mask))
BANK.wrong("upside-down")(only_if_causal(lambda mask: keys(mask).triu()))
BANK.wrong("upside-down")(only_if_causal(lambda mask: keys(mask) & ~ones(mask).tril()))
BANK.wrong("excludes-itself")(only_if_causal(lambda mask: keys(mask).tril(-1)))
BANK.wrong("causal-forgets-padding")(only_if_causal(lambda mask: ones(mask).tril()))
BANK.wrong("no-head-axis")(lambda mask, is_causal: broadcast(mask, is_causal)[:, 0].clone())
BANK.wrong("not-boolean")(lambda mask, is_causal: broadcast(mask, is_causal).float())
BANK.wrong("not-boolean")(lambda mask, is_causal: broadcast(mask, is_causal).long())
BANK.wrong("not-expanded")(lambda mask, is_causal: mask[:, None, None, :])
BANK.wrong("not-expanded")(lambda mask, is_causal: mask.unsqueeze(1).unsqueeze(1).clone())
BANK.wrong("not-expanded")(lambda mask, is_causal: keys(mask).tril() if is_causal else mask[:, None, None, :])
BANK.wrong("wrong-shape")(lambda mask, is_causal: broadcast(mask, is_causal)[0])
BANK.wrong("wrong-type")(lambda mask, is_causal: broadcast(mask, is_causal).tolist())
BANK.wrong("wrong-values")(lambda mask, is_causal: broadcast(mask, is_causal) & (torch.arange(mask.shape[1]) > 0))


@BANK.wrong("wrong-values")
def cuts_at_the_last_token(mask, is_causal):
    """Right where the padding stands at the end of each row, and only there."""
    counts = mask.sum(dim=1)
    place = torch.arange(mask.shape[1])
    return broadcast(place < counts[:, None], is_causal)


@BANK.wrong("changes-inputs")
def inverts_in_place(mask, is_causal):
    right = broadcast(mask, is_causal).clone()
    mask.logical_not_()
    return right


BANK.wrong("joined-by-or")(lambda mask, is_causal: keys(mask) | (ones(mask).tril() if is_causal else queries(mask)))
BANK.wrong("joined-by-or")(only_if_causal(lambda mask: keys(mask) | ones(mask).tril()))
BANK.wrong("joined-by-or")(lambda mask, is_causal: (keys(mask) | queries(mask)) & broadcast(mask | True, is_causal))
BANK.wrong("not-boolean")(
    lambda mask, is_causal: torch.zeros(broadcast(mask, is_causal).shape).masked_fill(
        ~broadcast(mask, is_causal), -torch.inf
    )
)

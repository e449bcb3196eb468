"""Answers to ``bert.span``: the first and the last token of the answer, (B, 2)."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("bert.span")


def places(pairs):
    index = pairs.flatten(1).argmax(dim=1)
    return torch.stack([index // pairs.shape[2], index % pairs.shape[2]], dim=1)


def table(
    join=lambda a, b: a[:, :, None] + b[:, None, :],
    legal=lambda text: text[:, :, None] & text[:, None, :],
    order=lambda pairs: pairs.triu().bool(),
    scores=lambda x, text, start, end: (x @ start, x @ end),
    result=lambda found, text: found,
):
    """All pairs in a table, of which one step can be replaced; as it stands, it is right."""

    def answer(x, text, start, end):
        pairs = join(*scores(x, text, start, end))
        allowed = legal(text) & order(torch.ones_like(pairs))
        return result(places(pairs.masked_fill(~allowed, -torch.inf)), text)

    return answer


BANK.right(table())


@BANK.right
def with_loops(x, text, start, end):
    spans = []
    for row, inside in zip(x, text.tolist(), strict=True):
        first, last = (row @ start).tolist(), (row @ end).tolist()
        there = [i for i, here in enumerate(inside) if here]
        spans.append(max(((i, j) for i in there for j in there if i <= j), key=lambda ij: first[ij[0]] + last[ij[1]]))
    return torch.tensor(spans)


@BANK.right
def best_start_so_far(x, text, start, end):
    first = (x @ start).masked_fill(~text, -torch.inf)
    last = (x @ end).masked_fill(~text, -torch.inf)
    highest, where = first.cummax(dim=1)
    stop = (highest + last).argmax(dim=1, keepdim=True)
    return torch.cat([where.gather(1, stop), stop], dim=1)


def alone(x, vector, text):
    return (x @ vector).masked_fill(~text, -torch.inf)


@BANK.wrong("each-by-itself")
def two_maxima(x, text, start, end):
    return torch.stack([alone(x, start, text).argmax(dim=1), alone(x, end, text).argmax(dim=1)], dim=1)


@BANK.wrong("one-after-the-other")
def the_start_first(x, text, start, end):
    i = alone(x, start, text).argmax(dim=1, keepdim=True)
    behind = torch.arange(x.shape[1]) >= i
    return torch.cat([i, alone(x, end, text & behind).argmax(dim=1, keepdim=True)], dim=1)


@BANK.wrong("one-after-the-other")
def the_end_first(x, text, start, end):
    j = alone(x, end, text).argmax(dim=1, keepdim=True)
    return torch.cat([alone(x, start, text & (torch.arange(x.shape[1]) <= j)).argmax(dim=1, keepdim=True), j], dim=1)


EVERYWHERE = {"legal": lambda text: torch.ones_like(text)[:, :, None] & torch.ones_like(text)[:, None, :]}
BANK.wrong("each-by-itself")(lambda x, t, s, e: torch.stack([(x @ s).argmax(1), (x @ e).argmax(1)], dim=1))
BANK.wrong("ends-before-start")(table(order=lambda pairs: pairs.tril().bool()))
BANK.wrong("each-by-itself")(table(order=lambda pairs: pairs.bool()))
BANK.wrong("two-tokens-or-more")(table(order=lambda pairs: pairs.triu(1).bool()))
BANK.wrong("outside-the-text")(table(**EVERYWHERE))
BANK.wrong("text-inverted")(table(legal=lambda text: ~text[:, :, None] & ~text[:, None, :]))
BANK.wrong("hidden-by-zero")(table(scores=lambda x, text, s, e: ((x @ s) * text, (x @ e) * text), **EVERYWHERE))
BANK.wrong("vectors-swapped")(table(scores=lambda x, text, s, e: (x @ e, x @ s)))
BANK.wrong("result-swapped")(table(result=lambda found, text: found.flip(1)))
BANK.wrong("multiplied")(table(join=lambda a, b: a[:, :, None] * b[:, None, :]))
BANK.wrong("length-for-end")(table(result=lambda found, text: found - torch.tensor([0, 1]) * found[:, :1]))
BANK.wrong("end-not-included")(table(result=lambda found, text: found + torch.tensor([0, 1])))
BANK.wrong("index-not-taken-apart")(table(result=lambda found, text: found[:, 0] * text.shape[1] + found[:, 1]))
BANK.wrong("counted-in-the-text")(table(result=lambda found, text: found - text.int().argmax(dim=1)[:, None]))


@BANK.wrong("one-for-all-rows")
def the_best_of_the_batch(x, text, start, end):
    sums = (x @ start)[:, :, None] + (x @ end)[:, None, :]
    allowed = (text[:, :, None] & text[:, None, :]) & torch.ones_like(sums).triu().bool()
    index = int(sums.masked_fill(~allowed, -torch.inf).argmax()) % sums[0].numel()
    return torch.tensor([index // x.shape[1], index % x.shape[1]]).expand(len(x), 2)


BANK.wrong("wrong-type")(lambda *given: table()(*given).tolist())
BANK.wrong("wrong-shape")(lambda *given: table()(*given).T)
BANK.wrong("wrong-dtype")(lambda *given: table()(*given).float())
BANK.wrong("wrong-values")(table(result=lambda found, text: found * 0))
BANK.wrong("raises")(lambda x, text, start, end: table()(x, text, start[:, None].T, end))

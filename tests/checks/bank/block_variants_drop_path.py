"""Answers to ``block_variants.drop_path``: x and the changes of P branches, masked per sample."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("block_variants.drop_path")


@BANK.right
def masked(x, changes, p, draws):
    if draws is not None:
        kept = draws[..., None, None] >= p
        changes = changes * kept / (1 - p)
    return x + changes.sum(dim=0)


@BANK.right
def one_by_one(x, changes, p, draws):
    result = x.clone()
    for branch in range(len(changes)):
        for sample in range(len(x)):
            if draws is None:
                result[sample] += changes[branch, sample]
            elif not draws[branch, sample] < p:
                result[sample] += changes[branch, sample] / (1 - p)
    return result


def answer(mask=lambda draws, p: (draws >= p).float(), scale=lambda p: 1 / (1 - p), end=None, rest=None):
    """The right answer with a part replaced; ``end`` makes the result of x and the kept changes."""

    def drop_path(x, changes, p, draws):
        if draws is None:
            return x + changes.sum(dim=0) if rest is None else rest(x, changes, p)
        kept = mask(draws, p)[:, :, None, None].to(changes) * changes * scale(p)
        return x + kept.sum(dim=0) if end is None else end(x, kept)

    return drop_path


def spread(part):
    return lambda draws, p: part((draws >= p).float()).expand_as(draws)


BANK.wrong("not-rescaled")(answer(scale=lambda p: 1))
BANK.wrong("rescaled-by-p")(answer(scale=lambda p: 1 / p if p else 1.0))
BANK.wrong("rescaled-down")(answer(scale=lambda p: 1 - p))
BANK.wrong("inverted")(answer(lambda draws, p: (draws < p).float()))
BANK.wrong("inverted")(answer(lambda draws, p: (draws < p).float(), scale=lambda p: 1 / max(p, 0.1)))
BANK.wrong("other-end")(answer(lambda draws, p: (draws < 1 - p).float()))
BANK.wrong("one-mask-for-branches")(answer(spread(lambda keep: keep[:1])))
BANK.wrong("one-mask-for-branches")(answer(spread(lambda keep: keep[-1:])))
BANK.wrong("one-mask-for-batch")(answer(spread(lambda keep: keep[:, :1])))
BANK.wrong("counts-x-again")(answer(end=lambda x, kept: (x + kept).sum(dim=0)))
BANK.wrong("mean-of-branches")(answer(end=lambda x, kept: x + kept.mean(dim=0)))
BANK.wrong("no-residual")(answer(end=lambda x, kept: kept.sum(dim=0)))
BANK.wrong("branches-apart")(answer(end=lambda x, kept: x + kept))
BANK.wrong("draws-as-weights")(answer(lambda draws, p: draws))
BANK.wrong("draws-as-weights")(answer(lambda draws, p: draws, scale=lambda p: 1))
BANK.wrong("nothing-dropped")(answer(lambda draws, p: torch.ones_like(draws), scale=lambda p: 1))
BANK.wrong("nothing-dropped")(answer(lambda draws, p: torch.ones_like(draws)))
BANK.wrong("rescaled-in-evaluation")(answer(rest=lambda x, changes, p: x + changes.sum(dim=0) * (1 - p)))
BANK.wrong("rescaled-in-evaluation")(answer(rest=lambda x, changes, p: x + changes.sum(dim=0) / (1 - p)))
BANK.wrong("nothing-in-evaluation")(answer(rest=lambda x, changes, p: x))
BANK.wrong("fails-at-zero")(answer(scale=lambda p: 1 / (1 - p) if p > 0 else 1 / 0))
BANK.wrong("fails-at-zero")(answer(lambda draws, p: (draws >= (p or 0.5)).float()))
BANK.wrong("coarse-factors")(answer(lambda draws, p: (draws >= p) / (1 - p), scale=lambda p: 1))
BANK.wrong("wrong-values")(answer(scale=lambda p: 1 / (1 - p) ** 2))
BANK.wrong("wrong-type")(lambda x, changes, p, draws: None)
BANK.wrong("raises")(lambda x, changes, p, draws: x + (changes * (draws >= p)).sum(dim=0))
BANK.wrong("cuts-gradient")(lambda x, changes, p, draws: masked(x, changes.detach(), p, draws))


@BANK.wrong("drops-tokens")
def the_whole_sum(x, changes, p, draws):
    if draws is None:
        return x + changes.sum(dim=0)
    return ((x + changes) * (draws >= p)[..., None, None] / (1 - p)).sum(dim=0)


@BANK.wrong("drops-tokens")
def the_sample(x, changes, p, draws):
    whole = x + changes.sum(dim=0)
    return whole if draws is None else whole * (draws[0] >= p)[:, None, None] / (1 - p)


@BANK.wrong("changes-inputs")
def in_place(x, changes, p, draws):
    if draws is not None:
        changes *= (draws >= p)[..., None, None]
        changes /= 1 - p
    return x + changes.sum(dim=0)

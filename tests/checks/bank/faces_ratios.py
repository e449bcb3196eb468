"""Answers to ``faces.ratios``: ratios to the first program, and verdicts (1 slower, -1 faster, 0 open)."""

import statistics

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("faces.ratios")


@BANK.right
def with_quantile(times):
    each = times[:, 1:] / times[:, :1]
    slower, faster = (each > 1).sum(0), (each < 1).sum(0)
    enough = 0.75 * len(times)
    return each.quantile(0.5, dim=0), (slower >= enough).long() - (faster >= enough).long()


@BANK.right
def program_by_program(times):
    found, verdicts = [], []
    for program in range(1, times.shape[1]):
        each = [row[program] / row[0] for row in times.tolist()]
        found.append(statistics.median(each))
        slower, faster = sum(one > 1 for one in each), sum(one < 1 for one in each)
        verdicts.append(1 if 4 * slower >= 3 * len(each) else -1 if 4 * faster >= 3 * len(each) else 0)
    return torch.tensor(found, dtype=times.dtype), torch.tensor(verdicts)


def judged(each, enough=0.75):
    share = [(side.sum(0) / len(each)) for side in (each > 1, each < 1)]
    return (share[0] >= enough).long() - (share[1] >= enough).long()


def told(ratio=lambda own, first: (own / first).quantile(0.5, dim=0), verdict=lambda own, first: judged(own / first)):
    return lambda times: (ratio(times[:, 1:], times[:, :1]), verdict(times[:, 1:], times[:, :1]))


def medians(own, first):
    return own.quantile(0.5, dim=0) / first.quantile(0.5)


BANK.wrong("ratio-of-medians")(told(medians))
BANK.wrong("ratio-of-medians")(told(medians, lambda own, first: (medians(own, first) - 1).sign().long()))
BANK.wrong("ratio-of-means")(told(lambda own, first: own.mean(0) / first.mean()))
BANK.wrong("ratio-of-shortest")(told(lambda own, first: own.amin(0) / first.amin()))
BANK.wrong("mean-of-ratios")(told(lambda own, first: (own / first).mean(0)))
BANK.wrong("lower-median")(told(lambda own, first: (own / first).median(0).values))
BANK.wrong("turned")(told(lambda own, first: (first / own).quantile(0.5, dim=0)))
BANK.wrong("turned")(
    told(lambda own, first: (first / own).quantile(0.5, dim=0), lambda own, first: judged(first / own))
)
BANK.wrong("difference")(told(lambda own, first: (own - first).quantile(0.5, dim=0)))
BANK.wrong("always-decided")(told(verdict=lambda own, first: ((own / first).quantile(0.5, dim=0) - 1).sign().long()))


@BANK.wrong("quartile-not-rounds")
def by_interpolated_quartiles(times):
    each = times[:, 1:] / times[:, :1]
    slower, faster = each.quantile(0.25, dim=0) > 1, each.quantile(0.75, dim=0) < 1
    return each.quantile(0.5, dim=0), slower.long() - faster.long()


BANK.wrong("all-rounds")(told(verdict=lambda own, first: judged(own / first, 1.0)))
BANK.wrong("always-decided")(told(verdict=lambda own, first: judged(own / first, 0.501)))
BANK.wrong("verdict-turned")(told(verdict=lambda own, first: -judged(own / first)))
BANK.wrong("never-decided")(told(verdict=lambda own, first: torch.zeros(own.shape[1], dtype=torch.long)))
BANK.wrong("first-left-in")(lambda times: with_quantile(torch.cat([times[:, :1], times], 1)))
BANK.wrong("swapped")(lambda times: with_quantile(times)[::-1])
BANK.wrong("wrong-type")(lambda times: with_quantile(times)[0])
BANK.wrong("wrong-values")(told(lambda own, first: (own / first).amax(0)))


@BANK.wrong("against-the-neighbour")
def in_turn(times):
    each = times[:, 1:] / times[:, :-1]
    return each.quantile(0.5, dim=0), judged(each)


@BANK.wrong("by-round")
def along_the_row(times):
    each = times[:, 1:] / times[:, :1]
    return each.quantile(0.5, dim=1), judged(each.T)

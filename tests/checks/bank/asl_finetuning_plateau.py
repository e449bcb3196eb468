"""Answers to ``asl_finetuning.plateau``: the rate of every epoch."""

import itertools
import math

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_finetuning.plateau")


@BANK.right
def plain(values, rate, patience, factor):
    best, bad, rates = float("inf"), 0, []
    for value in values:
        rates.append(rate)
        if value < best:
            best, bad = value, 0
        else:
            bad += 1
        if bad > patience:
            rate, bad = rate * factor, 0
    return rates


@BANK.right
def counts_down(values, rate, patience, factor):
    rates, left = [rate], patience
    for epoch, value in enumerate(values[:-1]):
        if epoch == 0 or value < min(values[:epoch]):
            left = patience
        elif left == 0:
            rate, left = factor * rate, patience
        else:
            left -= 1
        rates.append(rate)
    return torch.tensor(rates, dtype=torch.float64)


@BANK.right
def by_falls(values, rate, patience, factor):
    falls, since, result = 0, 0, []
    for epoch, value in enumerate(values):
        result.append(rate * factor**falls)
        since = 0 if all(value < before for before in values[:epoch]) else since + 1
        if since == patience + 1:
            falls, since = falls + 1, 0
    return tuple(result)


@BANK.wrong("compares-with-last")
def with_the_last(values, rate, patience, factor):
    last, bad, rates = float("inf"), 0, []
    for value in values:
        rates.append(rate)
        bad = 0 if value < last else bad + 1
        last = value
        if bad > patience:
            rate, bad = rate * factor, 0
    return rates


@BANK.wrong("never-forgets")
def all_bad_epochs(values, rate, patience, factor):
    best, bad, rates = float("inf"), 0, []
    for value in values:
        rates.append(rate)
        bad += value >= best
        best = min(best, value)
        if bad > patience:
            rate, bad = rate * factor, 0
    return rates


@BANK.wrong("counts-on")
def at_once_again(values, rate, patience, factor):
    best, bad, rates = float("inf"), 0, []
    for value in values:
        rates.append(rate)
        bad = 0 if value < best else bad + 1
        best = min(best, value)
        rate = rate * factor if bad > patience else rate
    return rates


@BANK.wrong("forgets-the-best")
def a_new_best(values, rate, patience, factor):
    best, bad, rates = float("inf"), 0, []
    for value in values:
        rates.append(rate)
        bad = 0 if value < best else bad + 1
        best = min(best, value)
        if bad > patience:
            rate, bad, best = rate * factor, 0, float("inf")
    return rates


@BANK.wrong("more-is-better")
def for_an_accuracy(values, rate, patience, factor):
    return plain([-value for value in values], rate, patience, factor)


@BANK.wrong("equal-improves")
def below_or_equal(values, rate, patience, factor):
    return plain([value - 1e-9 * epoch for epoch, value in enumerate(values)], rate, patience, factor)


@BANK.wrong("one-epoch-off")
def after_its_epoch(values, rate, patience, factor):
    return plain([*values, 0.0], rate, patience, factor)[1:]


@BANK.wrong("from-the-first-rate")
def always_the_first(values, rate, patience, factor):
    return [max(found, rate * factor) for found in plain(values, rate, patience, factor)]


@BANK.wrong("only-once")
def back_again(values, rate, patience, factor):
    rates = plain(values, rate, patience, factor)
    return [rate, *(rate * factor if now < before else rate for before, now in itertools.pairwise(rates))]


@BANK.wrong("forbidden-call")
def with_torch(values, rate, patience, factor):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=factor, patience=patience, threshold=0.0)
    rates = []
    for value in values:
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step(value)
    return rates


BANK.wrong("too-soon")(lambda values, rate, patience, factor: plain(values, rate, patience - 1, factor))
BANK.wrong("too-late")(lambda values, rate, patience, factor: plain(values, rate, patience + 1, factor))
BANK.wrong("divided")(lambda values, rate, patience, factor: plain(values, rate, patience, 1 / factor))
BANK.wrong("never-falls")(lambda values, rate, patience, factor: [rate] * len(values))
BANK.wrong("wrong-values")(lambda values, rate, patience, factor: [rate * factor**i for i in range(len(values))])
BANK.wrong("wrong-values")(lambda values, *rest: [rest[0] / 2, *plain(values, *rest)[1:]])
BANK.wrong("wrong-shape")(lambda values, *rest: [*plain(values, *rest), 0.1])
BANK.wrong("wrong-shape")(lambda values, *rest: plain(values, *rest)[1:])
BANK.wrong("wrong-type")(lambda values, *rest: plain(values, *rest)[-1])
BANK.wrong("wrong-type")(lambda values, *rest: [str(rate) for rate in plain(values, *rest)])


def with_margin(below):
    """An answer for which ``below`` says whether a loss is better than the best."""

    def answer(values, rate, patience, factor):
        best, bad, rates = float("inf"), 0, []
        for value in values:
            rates.append(rate)
            bad = 0 if below(value, best) else bad + 1
            best = value if bad == 0 else best
            if bad > patience:
                rate, bad = rate * factor, 0
        return rates

    return answer


BANK.wrong("needs-a-margin")(with_margin(lambda value, best: value < best * (1 - 1e-4)))
BANK.wrong("needs-a-margin")(with_margin(lambda value, best: value < best - 1e-4))
BANK.wrong("needs-a-margin")(with_margin(lambda value, best: value < 0.99 * best))


@BANK.wrong("taken-off")
def takes_the_factor_off(values, rate, patience, factor):
    rates = plain(values, 1.0, patience, 0.5)
    return [rate + round(math.log2(found)) * factor for found in rates]

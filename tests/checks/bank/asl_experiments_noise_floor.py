"""Answers to ``asl_experiments.noise_floor``."""

import math

from tests.checks.bank.entries import Bank

BANK = Bank("asl_experiments.noise_floor")


@BANK.right
def pooled(scores, t):
    s = scores.var(dim=1).mean().sqrt()
    return s, t * s * math.sqrt(2 / scores.shape[1])


@BANK.right
def by_residuals(scores, t):
    rest = scores - scores.mean(1, keepdim=True)
    settings, seeds = scores.shape
    s = (rest.square().sum() / (settings * (seeds - 1))) ** 0.5
    return s, t * (s**2 / seeds + s**2 / seeds) ** 0.5


def answer(spread=lambda scores: scores.var(1).mean() ** 0.5, width=lambda s, seeds, t: t * s * (2 / seeds) ** 0.5):
    """The right answer, or one with a part replaced."""

    def noise_floor(scores, t):
        s = spread(scores)
        return s, width(s, scores.shape[1], t)

    return noise_floor


BANK.wrong("settings-are-no-noise")(answer(lambda scores: scores.flatten().std()))
BANK.wrong("settings-are-no-noise")(answer(lambda scores: scores.var(0).mean() ** 0.5))
BANK.wrong("mean-of-deviations")(answer(lambda scores: scores.std(1).mean()))
BANK.wrong("divided-by-n")(answer(lambda scores: scores.var(1, unbiased=False).mean() ** 0.5))
BANK.wrong("variance-not-deviation")(answer(lambda scores: scores.var(1).mean()))
BANK.wrong("one-mean")(answer(width=lambda s, seeds, t: t * s / seeds**0.5))
BANK.wrong("single-runs")(answer(width=lambda s, seeds, t: t * s * 2**0.5))
BANK.wrong("without-t")(answer(width=lambda s, seeds, t: s * (2 / seeds) ** 0.5))
BANK.wrong("wrong-values")(answer(width=lambda s, seeds, t: 3 * t * s))

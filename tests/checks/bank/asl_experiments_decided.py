"""Answers to ``asl_experiments.decided``."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_experiments.decided")


@BANK.right
def all_at_once(scores, base, t):
    gaps = scores - scores[base : base + 1]
    mean, half = gaps.mean(1), t * gaps.std(1) / scores.shape[1] ** 0.5
    return mean, half, torch.where(mean.abs() > half, mean.sign(), torch.zeros_like(mean)).long()


@BANK.right
def one_by_one(scores, base, t):
    means, halves, verdicts = [], [], []
    for row in scores:
        gap = row - scores[base]
        mean = gap.mean()
        half = t * ((gap - mean).square().sum() / (len(gap) - 1) / len(gap)).sqrt()
        means.append(mean)
        halves.append(half)
        verdicts.append(1 if mean > half else -1 if mean < -half else 0)
    return torch.stack(means), torch.stack(halves), torch.tensor(verdicts)


def answer(
    gaps=lambda scores, base: scores - scores[base],
    half=lambda gaps, scores, base, t: t * gaps.std(1) / scores.shape[1] ** 0.5,
    verdict=lambda mean, half: (mean > half).long() - (mean < -half).long(),
):
    """The right answer, or one with a part replaced."""

    def decided(scores, base, t):
        apart = gaps(scores, base)
        mean, width = apart.mean(1), half(apart, scores, base, t)
        return mean, width, verdict(mean, width)

    return decided


def both_spreads(gaps, scores, base, t):
    return t * ((scores.var(1) + scores[base].var()) / scores.shape[1]).sqrt()


BANK.wrong("not-paired")(answer(half=both_spreads))


@BANK.wrong("not-paired")
def base_set_to_nothing(scores, base, t):
    half = both_spreads(None, scores, base, t)
    half[base] = 0
    means = scores.mean(1) - scores[base].mean()
    return means, half, (means > half).long() - (means < -half).long()


BANK.wrong("own-spread")(answer(half=lambda gaps, scores, base, t: t * scores.std(1) / scores.shape[1] ** 0.5))
BANK.wrong("turned")(answer(gaps=lambda scores, base: scores[base] - scores))
BANK.wrong("other-base")(answer(gaps=lambda scores, base: scores - scores[0]))
BANK.wrong("deviation-not-error")(answer(half=lambda gaps, scores, base, t: t * gaps.std(1)))
BANK.wrong("divided-by-n")(
    answer(half=lambda gaps, scores, base, t: t * gaps.std(1, unbiased=False) / scores.shape[1] ** 0.5)
)
BANK.wrong("without-t")(answer(half=lambda gaps, scores, base, t: gaps.std(1) / scores.shape[1] ** 0.5))
BANK.wrong("verdict-by-mean")(answer(verdict=lambda mean, half: mean.sign().long()))
BANK.wrong("never-worse")(answer(verdict=lambda mean, half: (mean > half).long()))
BANK.wrong("verdict-unsigned")(answer(verdict=lambda mean, half: (mean.abs() > half).long()))
BANK.wrong("wrong-values")(answer(half=lambda gaps, scores, base, t: 3 * t * gaps.std(1)))

"""Answers to ``asl_experiments.effects``."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("asl_experiments.effects")


@BANK.right
def by_means(scores):
    means = scores.mean(2)
    gained = means[-1] - means[0]
    return gained, gained[-1] - gained[0]


@BANK.right
def in_loops(scores):
    levels, others, _ = scores.shape
    gained = [torch.mean(scores[levels - 1, b]) - torch.mean(scores[0, b]) for b in range(others)]
    return torch.stack(gained), gained[-1] - gained[0]


def answer(effect=lambda means: means[-1] - means[0], over=lambda scores: scores.mean(2), told=lambda e: e[-1] - e[0]):
    """The right answer, or one with a part replaced."""

    def effects(scores):
        found = effect(over(scores))
        return found, told(found)

    return effects


BANK.wrong("other-factor")(answer(lambda means: means[:, -1] - means[:, 0]))
BANK.wrong("turned")(answer(lambda means: means[0] - means[-1]))
BANK.wrong("second-not-last")(answer(lambda means: means[1] - means[0]))
BANK.wrong("second-not-last")(answer(lambda means: means[1] - means[0], told=lambda e: e[1] - e[0]))
BANK.wrong("best-not-last")(answer(lambda means: means.max(0).values - means.min(0).values))
BANK.wrong("best-seed")(answer(over=lambda scores: scores.max(2).values))
BANK.wrong("interaction-turned")(answer(told=lambda e: e[0] - e[-1]))
BANK.wrong("interaction-summed")(answer(told=lambda e: e[-1] + e[0]))
BANK.wrong("wrong-values")(answer(told=lambda e: e.max() - e.min() + 1))


@BANK.wrong("one-effect")
def main_effect(scores):
    found = by_means(scores)
    return found[0].mean(), found[1]

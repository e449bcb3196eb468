"""Answers to ``block_variants.interval``: (mean, low, high, verdict)."""

import math
import statistics

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("block_variants.interval")


def pairs_of(first, second):
    return [(a, b) for seed, a in first for other, b in second if seed == other]


@BANK.right
def by_hand(first, second, t):
    apart = [a - b for a, b in pairs_of(first, second)]
    mean = sum(apart) / len(apart)
    variance = sum((d - mean) ** 2 for d in apart) / (len(apart) - 1)
    half = t * math.sqrt(variance / len(apart))
    verdict = "first" if mean > half else "second" if mean < -half else "open"
    return mean, mean - half, mean + half, verdict


@BANK.right
def with_torch(first, second, t):
    first, second = dict(first), dict(second)
    seeds = sorted(first.keys() & second.keys())
    apart = torch.tensor([first[s] for s in seeds], dtype=torch.float64)
    apart = apart - torch.tensor([second[s] for s in seeds], dtype=torch.float64)
    low, high = apart.mean() - t * apart.std() / len(seeds) ** 0.5, apart.mean() + t * apart.std() / len(seeds) ** 0.5
    return [apart.mean(), low, high, "open" if low <= 0 <= high else "first" if low > 0 else "second"]


def answer(
    pairs=pairs_of,
    half=lambda apart, t: t * statistics.stdev(apart) / math.sqrt(len(apart)),
    sign=1,
    verdict=lambda mean, half: "open" if abs(mean) <= half else "first" if mean > 0 else "second",
):
    """The right answer, or one with a part replaced."""

    def interval(first, second, t):
        apart = [sign * (a - b) for a, b in pairs(first, second)]
        mean, width = statistics.mean(apart), half(apart, t)
        return mean, mean - width, mean + width, verdict(mean, width)

    return interval


BANK.wrong("pairs-by-place")(
    answer(lambda first, second: [(a, b) for (_, a), (_, b) in zip(first, second, strict=False)])
)
BANK.wrong("divided-by-n")(answer(half=lambda apart, t: t * statistics.pstdev(apart) / math.sqrt(len(apart))))
BANK.wrong("deviation-not-error")(answer(half=lambda apart, t: t * statistics.stdev(apart)))
BANK.wrong("root-missing")(answer(half=lambda apart, t: t * statistics.stdev(apart) / len(apart)))
BANK.wrong("variance-not-deviation")(
    answer(half=lambda apart, t: t * statistics.variance(apart) / math.sqrt(len(apart)))
)
BANK.wrong("without-t")(answer(half=lambda apart, t: statistics.stdev(apart) / math.sqrt(len(apart))))
BANK.wrong("normal-quantile")(answer(half=lambda apart, t: 1.96 * statistics.stdev(apart) / math.sqrt(len(apart))))
BANK.wrong("other-quantile")(answer(half=lambda apart, t: 2.365 * statistics.stdev(apart) / math.sqrt(len(apart))))
BANK.wrong("turned")(answer(sign=-1))
BANK.wrong("verdict-by-mean")(answer(verdict=lambda mean, half: "first" if mean > 0 else "second"))
BANK.wrong("always-open")(answer(verdict=lambda mean, half: "open"))
BANK.wrong("verdict-turned")(
    answer(verdict=lambda mean, half: "open" if abs(mean) <= half else "second" if mean > 0 else "first")
)
BANK.wrong("other-words")(answer(verdict=lambda mean, half: "better"))
BANK.wrong("other-words")(answer(verdict=lambda mean, half: abs(mean) > half))
BANK.wrong("wrong-type")(lambda first, second, t: by_hand(first, second, t)[:3])
BANK.wrong("wrong-type")(lambda first, second, t: ("0.1", *by_hand(first, second, t)[1:]))
BANK.wrong("wrong-values")(answer(half=lambda apart, t: t * statistics.stdev(apart) / math.sqrt(len(apart) - 1)))
BANK.wrong("raises")(answer(lambda first, second: [(a, dict(second)[seed]) for seed, a in first]))


@BANK.wrong("not-paired")
def two_spreads(first, second, t):
    one, other = zip(*pairs_of(first, second), strict=True)
    mean = statistics.mean(one) - statistics.mean(other)
    half = t * math.sqrt((statistics.variance(one) + statistics.variance(other)) / len(one))
    return mean, mean - half, mean + half, "open" if abs(mean) <= half else "first" if mean > 0 else "second"


@BANK.wrong("unmatched-seeds")
def all_that_is_there(first, second, t):
    mean = statistics.mean(a for _, a in first) - statistics.mean(b for _, b in second)
    _, low, high, _ = by_hand(first, second, t)
    half = (high - low) / 2
    return mean, mean - half, mean + half, "open" if abs(mean) <= half else "first" if mean > 0 else "second"

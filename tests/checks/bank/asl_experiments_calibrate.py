"""Answers to ``asl_experiments.calibrate``."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("asl_experiments.calibrate")


@BANK.right
def with_torch(logits, labels, temperatures):
    losses = [F.cross_entropy(logits / t, labels) for t in temperatures]
    place = min(range(len(losses)), key=lambda i: float(losses[i]))
    return temperatures[place], F.cross_entropy(logits, labels), losses[place]


@BANK.right
def by_hand(logits, labels, temperatures):
    hot = logits[None] / temperatures[:, None, None]
    logs = hot - hot.logsumexp(2, keepdim=True)
    losses = -logs[:, torch.arange(len(labels)), labels].mean(1)
    plain = (logits.logsumexp(1) - logits[torch.arange(len(labels)), labels]).mean()
    return temperatures[losses.argmin()], plain, losses.min()


def answer(
    heat=lambda logits, t: logits / t, choose=lambda losses, tried: losses.argmin(), told=lambda t, place: t[place]
):
    """The right answer, or one with a part replaced."""

    def calibrate(logits, labels, temperatures):
        losses = torch.stack([F.cross_entropy(heat(logits, t), labels) for t in temperatures])
        place = choose(losses, temperatures)
        return told(temperatures, place), F.cross_entropy(logits, labels), losses[place]

    return calibrate


BANK.wrong("multiplies")(answer(lambda logits, t: logits * t))
BANK.wrong("of-shares")(answer(lambda logits, t: logits.softmax(1) / t))


@BANK.wrong("of-shares")
def logs_of_divided_shares(logits, labels, temperatures):
    losses = torch.stack([F.nll_loss((logits.softmax(1) / t).log(), labels) for t in temperatures])
    return temperatures[losses.argmin()], F.cross_entropy(logits, labels), losses.min()


@BANK.wrong("first-for-before")
def the_first_is_before(logits, labels, temperatures):
    losses = torch.stack([F.cross_entropy(logits / t, labels) for t in temperatures])
    return temperatures[losses.argmin()], losses[0], losses.min()


BANK.wrong("greatest-loss")(answer(choose=lambda losses, tried: losses.argmax()))
BANK.wrong("by-accuracy")(answer(choose=lambda losses, tried: torch.tensor(0)))
BANK.wrong("place-not-value")(answer(told=lambda tried, place: place.to(tried.dtype)))


@BANK.wrong("summed")
def not_the_mean(logits, labels, temperatures):
    t, before, after = with_torch(logits, labels, temperatures)
    return t, before * len(labels), after * len(labels)


@BANK.wrong("wrong-values")
def the_next(logits, labels, temperatures):
    t, before, after = with_torch(logits, labels, temperatures)
    return t + 0.1, before, after

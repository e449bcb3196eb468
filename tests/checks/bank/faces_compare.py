"""Answers to ``faces.compare``: first minus second on the test, (S,)."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("faces.compare")


@BANK.right
def seed_by_seed(first, second):
    epochs = min(first.shape[1], second.shape[1])
    apart = []
    for one, other in zip(first, second, strict=True):
        epoch_one, epoch_other = one[:epochs, 1].argmax(), other[:epochs, 1].argmax()
        apart.append(one[epoch_one, 2] - other[epoch_other, 2])
    return torch.stack(apart)


@BANK.right
def with_indices(first, second):
    epochs, seeds = min(first.size(1), second.size(1)), torch.arange(len(first))
    one, other = (run[seeds, run[:, :epochs, 1].max(dim=1).indices, 2] for run in (first, second))
    return one - other


def told(by=1, what=2, cut=True, sign=1):
    def compare(first, second):
        epochs = min(first.shape[1], second.shape[1]) if cut else max(first.shape[1], second.shape[1])
        seeds = torch.arange(len(first))
        one, other = (run[seeds, run[:, :epochs, by].argmax(1), what] for run in (first, second))
        return sign * (one - other)

    return compare


BANK.wrong("chosen-by-test")(told(by=2))
BANK.wrong("chosen-by-train")(told(by=0))
BANK.wrong("unequal-budget")(told(cut=False))
BANK.wrong("last-epoch")(lambda first, second: first[:, -1, 2] - second[:, -1, 2])
BANK.wrong("tells-validation")(told(what=1))
BANK.wrong("turned")(told(sign=-1))
BANK.wrong("mean-of-seeds")(lambda first, second: told()(first, second).mean())
BANK.wrong("wrong-values")(told(what=0))
BANK.wrong("wrong-type")(lambda first, second: told()(first, second).tolist())


@BANK.wrong("last-epoch")
def at_the_end(first, second):
    last = min(first.shape[1], second.shape[1]) - 1
    return first[:, last, 2] - second[:, last, 2]


@BANK.wrong("epoch-of-the-first")
def at_one_epoch(first, second):
    epochs = min(first.shape[1], second.shape[1])
    seeds, place = torch.arange(len(first)), first[:, :epochs, 1].argmax(1)
    return first[seeds, place, 2] - second[seeds, place, 2]


@BANK.wrong("one-epoch-for-all-seeds")
def by_the_mean(first, second):
    epochs = min(first.shape[1], second.shape[1])
    one, other = (run[:, run[:, :epochs, 1].mean(0).argmax(), 2] for run in (first, second))
    return one - other


@BANK.wrong("best-seed")
def luckiest(first, second):
    epochs, seeds = min(first.shape[1], second.shape[1]), torch.arange(len(first))
    one, other = (run[seeds, run[:, :epochs, 1].argmax(1), 2].max() for run in (first, second))
    return one - other

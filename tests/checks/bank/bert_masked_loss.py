"""Answers to ``bert.masked_loss``."""

import math

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("bert.masked_loss")


@BANK.right
def by_gather(logits, labels):
    counted = labels != -100
    table = logits.log_softmax(dim=-1)
    terms = -table.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return (terms * counted).sum() / counted.sum().clamp(min=1)


@BANK.right
def picked_places(logits, labels):
    counted = labels != -100
    chosen, wanted = logits[counted], labels[counted]
    if not len(wanted):
        return logits.sum() * 0
    terms = chosen.logsumexp(dim=-1) - chosen[torch.arange(len(wanted)), wanted]
    return terms.mean()


@BANK.right
def one_hot_product(logits, labels):
    hit = F.one_hot(labels.clamp(min=0), logits.shape[-1]) * (labels != -100).unsqueeze(-1)
    return -(hit * F.log_softmax(logits, dim=-1)).sum() / max(1, int(hit.sum()))


def terms_of(table, labels, other=0):
    """Minus the entry of the label; where there is none, that of the word ``other``."""
    return -table.gather(-1, labels.where(labels != -100, other).unsqueeze(-1)).squeeze(-1)


def by(rule, make=lambda logits: logits.log_softmax(dim=-1)):
    """``rule(terms, counted)`` over the terms of the table that ``make`` gives, 0 where there is no label."""

    def answer(logits, labels):
        counted = labels != -100
        return rule(terms_of(make(logits), labels) * counted, counted)

    return answer


def mean(terms, counted):
    return terms.sum() / counted.sum().clamp(min=1)


BANK.wrong("sum-not-mean")(by(lambda terms, counted: terms.sum()))
BANK.wrong("mean-over-all-places")(by(lambda terms, counted: terms.mean()))
BANK.wrong("mean-over-rows")(by(lambda terms, counted: terms.sum() / len(terms)))
BANK.wrong("mean-over-rows")(by(lambda terms, counted: terms.sum() / terms.shape[1]))
BANK.wrong("mean-of-row-means")(by(lambda terms, counted: (terms.sum(1) / counted.sum(1).clamp(min=1)).mean()))
BANK.wrong("wrong-sign")(by(lambda terms, counted: -mean(terms, counted)))
BANK.wrong("no-softmax")(by(mean, make=lambda logits: logits))
BANK.wrong("no-logarithm")(by(mean, make=lambda logits: logits.softmax(dim=-1)))
BANK.wrong("no-logarithm")(by(lambda terms, counted: -mean(terms, counted), make=lambda logits: logits.softmax(-1)))
BANK.wrong("wrong-axis")(by(mean, make=lambda logits: logits.log_softmax(dim=1)))
BANK.wrong("wrong-axis")(by(mean, make=lambda logits: logits.log_softmax(dim=0)))
BANK.wrong("other-base")(by(mean, make=lambda logits: logits.log_softmax(dim=-1) / math.log(2)))
BANK.wrong("other-base")(by(mean, make=lambda logits: logits.softmax(dim=-1).log10()))
BANK.wrong("overflows")(by(mean, make=lambda logits: (logits.exp() / logits.exp().sum(-1, keepdim=True)).log()))
BANK.wrong("overflows")(by(mean, make=lambda logits: logits.softmax(dim=-1).log()))
BANK.wrong("no-label-not-zero")(by(lambda terms, counted: terms.sum() / counted.sum()))
BANK.wrong("no-label-not-zero")(
    lambda logits, labels: -logits.log_softmax(-1)[labels != -100].gather(1, labels[labels != -100][:, None]).mean()
)
BANK.wrong("counts-every-place")(lambda logits, labels: terms_of(logits.log_softmax(-1), labels).mean())
BANK.wrong("counts-every-place")(
    lambda logits, labels: terms_of(logits.log_softmax(-1), labels, -1 % logits.shape[-1]).mean()
)
BANK.wrong("counts-every-place")(
    lambda logits, labels: terms_of(logits.log_softmax(-1), labels).sum() / (labels != -100).sum()
)
BANK.wrong("forbidden-call")(lambda logits, labels: F.cross_entropy(logits.flatten(0, 1), labels.flatten()))
BANK.wrong("forbidden-call")(lambda logits, labels: torch.nn.CrossEntropyLoss()(logits.mT, labels))
BANK.wrong("forbidden-call")(lambda logits, labels: F.nll_loss(logits.log_softmax(-1).mT, labels))
BANK.wrong("wrong-shape")(by(lambda terms, counted: terms))
BANK.wrong("wrong-type")(lambda logits, labels: by_gather(logits, labels).item())
BANK.wrong("wrong-dtype")(lambda logits, labels: by_gather(logits.float(), labels))
BANK.wrong("lost-precision")(lambda logits, labels: by_gather(logits.float(), labels).to(logits.dtype))
BANK.wrong("cuts-gradient")(lambda logits, labels: by_gather(logits.detach(), labels))
BANK.wrong("wrong-values")(by(lambda terms, counted: mean(terms, counted) ** 2))
BANK.wrong("raises")(lambda logits, labels: logits.log_softmax(-1).gather(-1, labels[..., None]).mean())


@BANK.wrong("changes-inputs")
def fills_the_labels(logits, labels):
    right = by_gather(logits, labels)
    labels[labels == -100] = 0
    return right


def left_out(logits, labels):
    real = labels > 0
    return (terms_of(logits.log_softmax(-1), labels) * real).sum() / real.sum().clamp(min=1)


BANK.wrong("first-word-left-out")(left_out)
BANK.wrong("no-label-constant")(
    lambda logits, labels: by_gather(logits, labels) if (labels != -100).any() else torch.tensor(0.0)
)
BANK.wrong("no-logarithm")(by(lambda terms, counted: 1 + mean(terms, counted), make=lambda logits: logits.softmax(-1)))
BANK.wrong("no-logarithm")(by(lambda terms, counted: terms.mean(), make=lambda logits: logits.softmax(-1)))
BANK.wrong("no-softmax")(by(lambda terms, counted: terms.sum(), make=lambda logits: logits))
BANK.wrong("overflows")(by(mean, make=lambda logits: (logits.softmax(dim=-1) + 1e-9).log()))

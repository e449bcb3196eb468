"""Answers to ``transformer.smoothed_loss``."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("transformer.smoothed_loss")


def probability_of(log_p, labels):
    return log_p.gather(-1, labels.unsqueeze(-1)).squeeze(-1)


def over_real(each, labels, pad):
    return each[labels != pad].mean()


@BANK.right
def two_terms(logits, labels, smoothing, pad):
    log_p = logits.log_softmax(dim=-1)
    each = -(1 - smoothing) * probability_of(log_p, labels) - smoothing * log_p.mean(dim=-1)
    return over_real(each, labels, pad)


@BANK.right
def smoothed_table(logits, labels, smoothing, pad):
    entries = logits.shape[-1]
    wanted = torch.full_like(logits, smoothing / entries)
    wanted = wanted + (1 - smoothing) * F.one_hot(labels, entries).to(logits.dtype)
    log_p = logits - logits.logsumexp(dim=-1, keepdim=True)
    real = (labels != pad).to(logits.dtype)
    return -((wanted * log_p).sum(dim=-1) * real).sum() / real.sum()


@BANK.right
def divergence(logits, labels, smoothing, pad):
    keep = labels.flatten() != pad
    log_p = torch.log_softmax(logits.flatten(0, 1)[keep], dim=-1)
    right = F.nll_loss(log_p, labels.flatten()[keep])
    return (1 - smoothing) * right - smoothing * log_p.mean()


def variant(
    each=lambda log_p, right, labels, s, pad: -(1 - s) * right - s * log_p.mean(dim=-1),
    log_softmax=lambda logits: logits.log_softmax(dim=-1),
    mean=over_real,
):
    """A loss of which one step can be replaced; as it stands, it is right."""

    def loss(logits, labels, smoothing, pad):
        log_p = log_softmax(logits)
        return mean(each(log_p, probability_of(log_p, labels), labels, smoothing, pad), labels, pad)

    return loss


def others(log_p, right):
    return log_p.sum(dim=-1) - right


def entries(log_p):
    return log_p.shape[-1]


BANK.right(variant())
BANK.wrong("probability-not-log")(variant(log_softmax=lambda logits: logits.softmax(dim=-1)))
BANK.wrong("probability-not-log")(variant(each=lambda log_p, right, labels, s, pad: -right.exp()))
BANK.wrong("wrong-sign")(variant(each=lambda log_p, right, labels, s, pad: (1 - s) * right + s * log_p.mean(dim=-1)))
BANK.wrong("not-smoothed")(variant(each=lambda log_p, right, labels, s, pad: -right))
BANK.wrong("not-smoothed")(variant(each=lambda log_p, right, labels, s, pad: -(1 - s) * right))
BANK.wrong("roles-swapped")(
    variant(each=lambda log_p, right, labels, s, pad: -s * right - (1 - s) * log_p.mean(dim=-1))
)
BANK.wrong("right-keeps-all")(variant(each=lambda log_p, right, labels, s, pad: -right - s * log_p.mean(dim=-1)))
BANK.wrong("wrong-share")(
    variant(
        each=lambda log_p, right, labels, s, pad: -(1 - s) * right - s * others(log_p, right) / (entries(log_p) - 1)
    )
)
BANK.wrong("wrong-share")(
    variant(each=lambda log_p, right, labels, s, pad: -(1 - s) * right - s * others(log_p, right) / entries(log_p))
)
BANK.wrong("wrong-share")(
    variant(
        each=lambda log_p, right, labels, s, pad: (
            -(1 - s) * right - s * (others(log_p, right) - log_p[..., pad]) / (entries(log_p) - 2)
        )
    )
)
BANK.wrong("summed-not-meant")(
    variant(each=lambda log_p, right, labels, s, pad: -(1 - s) * right - s * log_p.sum(dim=-1))
)
BANK.wrong("counts-padding")(variant(mean=lambda each, labels, pad: each.mean()))
BANK.wrong("divides-by-all")(variant(mean=lambda each, labels, pad: each.masked_fill(labels == pad, 0).mean()))
BANK.wrong("mean-of-means")(
    variant(
        mean=lambda each, labels, pad: (
            each.masked_fill(labels == pad, 0).sum(dim=1) / (labels != pad).sum(dim=1)
        ).mean()
    )
)
BANK.wrong("not-averaged")(variant(mean=lambda each, labels, pad: each[labels != pad].sum()))
BANK.wrong("not-averaged")(variant(mean=lambda each, labels, pad: each.masked_fill(labels == pad, 0).sum(dim=1).mean()))
BANK.wrong("fixed-padding")(variant(mean=lambda each, labels, pad: each[labels != 0].mean()))
BANK.wrong("overflows")(variant(log_softmax=lambda logits: logits.softmax(dim=-1).log()))
BANK.wrong("overflows")(variant(log_softmax=lambda logits: (logits.exp() / logits.exp().sum(-1, keepdim=True)).log()))
BANK.wrong("forbidden-call")(
    lambda logits, labels, smoothing, pad: F.cross_entropy(
        logits.flatten(0, 1), labels.flatten(), ignore_index=pad, label_smoothing=smoothing
    )
)
BANK.wrong("wrong-shape")(variant(mean=lambda each, labels, pad: each))
BANK.wrong("wrong-type")(lambda *inputs: variant()(*inputs).item())
BANK.wrong("wrong-dtype")(lambda logits, *rest: variant()(logits.float(), *rest))
BANK.wrong("lost-precision")(lambda logits, *rest: variant()(logits.float(), *rest).to(logits.dtype))
BANK.wrong("cuts-gradient")(lambda logits, *rest: variant()(logits.detach(), *rest))
BANK.wrong("wrong-values")(variant(each=lambda log_p, right, labels, s, pad: 2 - right))
BANK.wrong("no-softmax")(variant(log_softmax=lambda logits: logits))
BANK.wrong("wrong-axis")(variant(log_softmax=lambda logits: logits.log_softmax(dim=1)))
BANK.wrong("wrong-axis")(variant(log_softmax=lambda logits: logits.log_softmax(dim=0)))
BANK.wrong("wrong-share")(
    variant(
        each=lambda log_p, right, labels, s, pad: (
            -(1 - s) * right - s * (log_p.sum(dim=-1) - log_p[..., pad]) / entries(log_p)
        )
    )
)
BANK.wrong("overflows")(variant(log_softmax=lambda logits: (logits.softmax(dim=-1) + 1e-9).log()))

"""Answers to ``faces.threshold``: (threshold, strangers accepted, known people rightly named)."""

import math

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("faces.threshold")


def rates(at, shares, right, strangers):
    return at, (strangers > at).double().mean(), ((shares > at) & right).double().mean()


@BANK.right
def by_sorting(shares, right, strangers, most):
    allowed = math.floor(most * len(strangers))
    return rates(strangers.sort(descending=True).values[allowed], shares, right, strangers)


@BANK.right
def by_trying(shares, right, strangers, most):
    """The lowest of all confidences of strangers that is high enough."""
    for at in sorted(strangers.tolist()):
        accepted = sum(share > at for share in strangers.tolist()) / len(strangers)
        if accepted <= most:
            named = sum(share > at and ok for share, ok in zip(shares.tolist(), right.tolist(), strict=True))
            return at, accepted, named / len(shares)
    return None


def chosen(
    at=lambda shares, strangers, most: strangers.sort(descending=True).values[int(most * len(strangers))], told=rates
):
    def threshold(shares, right, strangers, most):
        return told(at(shares, strangers, most), shares, right, strangers)

    return threshold


BANK.wrong("from-known-people")(
    chosen(lambda shares, _s, most: shares.sort(descending=True).values[int(most * len(shares))])
)
BANK.wrong("from-known-people")(chosen(lambda shares, _s, most: shares.sort().values[int(most * len(shares))]))
BANK.wrong("other-end")(chosen(lambda _k, strangers, most: strangers.sort().values[int(most * len(strangers))]))
BANK.wrong("one-more")(
    chosen(lambda _k, strangers, most: strangers.sort(descending=True).values[math.ceil(most * len(strangers))])
)
BANK.wrong("one-fewer")(
    chosen(lambda _k, strangers, most: strangers.sort(descending=True).values[int(most * len(strangers)) - 1])
)
BANK.wrong("interpolated")(chosen(lambda _k, strangers, most: strangers.quantile(1 - most)))
BANK.wrong("at-the-threshold-accepted")(
    chosen(told=lambda at, k, right, s: (at, (s >= at).double().mean(), ((k >= at) & right).double().mean()))
)
BANK.wrong("wrong-names-counted")(
    chosen(told=lambda at, k, right, s: (at, (s > at).double().mean(), (k > at).double().mean()))
)
BANK.wrong("of-the-accepted")(
    chosen(told=lambda at, k, right, s: (at, (s > at).double().mean(), right[k > at].double().mean()))
)
BANK.wrong("of-the-right")(
    chosen(told=lambda at, k, right, s: (at, (s > at).double().mean(), (k[right] > at).double().mean()))
)
BANK.wrong("rejected-told")(
    chosen(told=lambda at, k, right, s: (at, (s <= at).double().mean(), ((k > at) & right).double().mean()))
)
BANK.wrong("swapped")(chosen(told=lambda *given: (rates(*given)[0], *rates(*given)[:0:-1])))
BANK.wrong("wrong-type")(lambda *given: by_sorting(*given)[0])
BANK.wrong("wrong-type")(lambda *given: ("0.5", *by_sorting(*given)[1:]))
BANK.wrong("wrong-values")(chosen(lambda _k, strangers, _m: strangers.mean()))


@BANK.wrong("from-both")
def all_together(shares, right, strangers, most):
    both = torch.cat([shares, strangers])
    return rates(both.sort(descending=True).values[int(most * len(both))], shares, right, strangers)


@BANK.wrong("one-fewer")
def below_the_limit(shares, right, strangers, most):
    for at in strangers.sort().values:
        if at == strangers.max() or (strangers > at).double().mean() < most:
            return rates(at, shares, right, strangers)
    return None


@BANK.wrong("asked-rate-told")
def hoped(shares, right, strangers, most):
    at, _, named = by_sorting(shares, right, strangers, most)
    return at, most, named

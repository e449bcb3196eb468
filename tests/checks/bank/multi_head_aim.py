"""Answers to ``multi_head.aim``."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("multi_head.aim")


def own_keys(key, targets):
    return key[torch.arange(len(targets)), torch.tensor(targets)]


@BANK.right
def a_long_query_along_the_key(key, targets):
    return 100 * key[range(len(targets)), targets]


@BANK.right
def one_head_after_the_other(key, targets):
    queries = [1000 * keys[token] for keys, token in zip(key, targets, strict=True)]
    return torch.stack(queries)


@BANK.right
def away_from_the_other_keys(key, targets):
    wanted = torch.full(key.shape[:2], -40.0)
    wanted[range(len(targets)), targets] = 40.0
    return (torch.linalg.pinv(key) @ wanted[..., None])[..., 0]


BANK.wrong("weights-not-queries")(lambda key, targets: torch.eye(key.shape[1])[targets])
BANK.wrong("weights-not-queries")(lambda key, targets: 100 * torch.eye(key.shape[1])[targets])
BANK.wrong("every-target")(lambda key, targets: 100 * key[:, targets])
BANK.wrong("not-finite")(lambda key, targets: own_keys(key, targets) / 0)
BANK.wrong("one-query-for-all")(lambda key, targets: 100 * own_keys(key, targets)[:1].expand(len(key), -1))
BANK.wrong("one-query-for-all")(lambda key, targets: 100 * own_keys(key, targets).mean(0).expand(len(key), -1))
BANK.wrong("blends")(lambda key, targets: 100 * key[:, targets].mean(dim=1))
BANK.wrong("blends")(lambda key, targets: 20 * key[:, targets].sum(dim=1))
BANK.wrong("keys-of-one-head")(lambda key, targets: 100 * key[0, targets])
BANK.wrong("keys-of-one-head")(lambda key, targets: 100 * key[-1, targets])
BANK.wrong("heads-swapped")(lambda key, targets: 100 * own_keys(key, targets[::-1]))
BANK.wrong("heads-swapped")(lambda key, targets: 100 * own_keys(key, targets).roll(1, dims=0))
BANK.wrong("points-away")(lambda key, targets: -100 * own_keys(key, targets))
BANK.wrong("wrong-token")(lambda key, targets: 100 * own_keys(key, [(t + 1) % key.shape[1] for t in targets]))
BANK.wrong("too-soft")(own_keys)
BANK.wrong("too-soft")(lambda key, targets: own_keys(key, targets) * key.shape[-1] ** 0.5)
BANK.wrong("too-soft")(lambda key, targets: 2 * own_keys(key, targets))
BANK.wrong("wrong-shape")(lambda key, targets: 100 * own_keys(key, targets)[0])
BANK.wrong("wrong-type")(lambda key, targets: [100 * keys[t] for keys, t in zip(key, targets, strict=True)])
BANK.wrong("wrong-dtype")(lambda key, targets: 100 * own_keys(key, targets).half())
BANK.wrong("changes-inputs")(lambda key, targets: own_keys(key.mul_(100), targets))
BANK.wrong("changes-inputs")(lambda key, targets: (targets.reverse(), 100 * own_keys(key, targets[::-1]))[1])

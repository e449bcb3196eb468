"""Answers to ``faces.epochs``: the accuracy in each epoch, (E,)."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("faces.epochs")


@BANK.right
def rights_of_each_update(curve, sizes, per_epoch):
    total = curve * sizes.cumsum(0)
    each = torch.cat([total[:1], total[1:] - total[:-1]])
    return each.reshape(-1, per_epoch).sum(1) / sizes.reshape(-1, per_epoch).sum(1)


@BANK.right
def epoch_by_epoch(curve, sizes, per_epoch):
    found, rights, seen = [], 0.0, 0
    for end in range(per_epoch, len(curve) + 1, per_epoch):
        images = int(sizes[:end].sum())
        found.append((curve[end - 1] * images - rights) / (images - seen))
        rights, seen = curve[end - 1] * images, images
    return torch.stack(found)


def ends(values, per_epoch):
    return values[per_epoch - 1 :: per_epoch]


def grown(values):
    return torch.cat([values[:1], values[1:] - values[:-1]])


BANK.wrong("end-of-epoch")(lambda curve, sizes, per_epoch: ends(curve, per_epoch))
BANK.wrong("mean-of-curve")(lambda curve, sizes, per_epoch: curve.view(-1, per_epoch).mean(1))
BANK.wrong("counts-missing")(lambda curve, sizes, per_epoch: grown(ends(curve, per_epoch)))
BANK.wrong("updates-alike")(
    lambda curve, sizes, per_epoch: grown(ends(curve * torch.arange(1, len(curve) + 1), per_epoch)) / per_epoch
)
BANK.wrong("not-divided")(lambda curve, sizes, per_epoch: grown(ends(curve * sizes.cumsum(0), per_epoch)))
BANK.wrong("divided-by-all")(
    lambda curve, sizes, per_epoch: grown(ends(curve * sizes.cumsum(0), per_epoch)) / ends(sizes.cumsum(0), per_epoch)
)
BANK.wrong("first-missing")(lambda curve, sizes, per_epoch: epoch_by_epoch(curve, sizes, per_epoch)[1:])
BANK.wrong("each-update")(lambda curve, sizes, per_epoch: grown(curve * sizes.cumsum(0)) / sizes)
BANK.wrong("mean-of-updates")(
    lambda curve, sizes, per_epoch: (grown(curve * sizes.cumsum(0)) / sizes).view(-1, per_epoch).mean(1)
)
BANK.wrong("axes-changed")(
    lambda curve, sizes, per_epoch: (
        grown(curve * sizes.cumsum(0)).view(per_epoch, -1).sum(1) / sizes.view(per_epoch, -1).sum(1)
    )
)
BANK.wrong("percent")(lambda curve, sizes, per_epoch: 100 * epoch_by_epoch(curve, sizes, per_epoch))
BANK.wrong("wrong-values")(lambda curve, sizes, per_epoch: 1 - epoch_by_epoch(curve, sizes, per_epoch))
BANK.wrong("wrong-type")(lambda curve, sizes, per_epoch: epoch_by_epoch(curve, sizes, per_epoch).tolist())
BANK.wrong("lost-precision")(
    lambda curve, sizes, per_epoch: epoch_by_epoch(curve.float(), sizes, per_epoch).to(curve.dtype)
)

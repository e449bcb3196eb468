"""``faces.epochs(curve, sizes, per_epoch)``: a cumulative curve to the accuracy in each epoch, (T,) and (T,) to (E,).

The curve is that of a project on faces, whose accuracies are averaged from the first update on.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved


def _grown(totals: Tensor) -> Tensor:
    """By how much totals at the ends of epochs grow in each."""
    return torch.diff(totals, prepend=totals.new_zeros(1))


def _in_each(curve: Tensor, seen: Tensor, per_epoch: int) -> Tensor:
    """``seen``: images up to each update, (T,)."""
    rights = (curve * seen)[per_epoch - 1 :: per_epoch]
    return _grown(rights) / _grown(seen[per_epoch - 1 :: per_epoch])


def right(curve: Tensor, sizes: Tensor, per_epoch: int) -> Tensor:
    return _in_each(curve, sizes.cumsum(0).to(curve.dtype), per_epoch)


def wrong(curve: Tensor, sizes: Tensor, per_epoch: int) -> dict[str, Tensor]:
    seen = sizes.cumsum(0).to(curve.dtype)
    ends, by_epoch = curve[per_epoch - 1 :: per_epoch], curve.reshape(-1, per_epoch)
    rights, images = _grown(seen[per_epoch - 1 :: per_epoch] * ends), sizes.reshape(-1, per_epoch).sum(1)
    updates = torch.arange(1, len(curve) + 1, dtype=curve.dtype)
    right, in_update = rights / images, _grown(curve * seen)
    return {
        "end-of-epoch": ends,
        "mean-of-curve": by_epoch.mean(1),
        "mean-of-curve/by images": (by_epoch * sizes.reshape(-1, per_epoch)).sum(1) / images,
        "counts-missing": _grown(ends),
        "updates-alike": _in_each(curve, updates, per_epoch),
        "updates-alike/epochs": _grown(ends * torch.arange(1, len(ends) + 1)),
        "not-divided": rights,
        "divided-by-all": rights / seen[per_epoch - 1 :: per_epoch],
        "first-missing": right[1:],
        "each-update": in_update / sizes,
        "mean-of-updates": (in_update / sizes).reshape(-1, per_epoch).mean(1),
        "axes-changed": in_update.reshape(per_epoch, -1).sum(1) / sizes.reshape(per_epoch, -1).sum(1),
        "axes-changed/sum": in_update.reshape(-1, per_epoch).sum(0) / sizes.reshape(-1, per_epoch).sum(0),
        "percent": 100 * right,
    }


epochs = Solved("faces.epochs", right=right, wrong=wrong, first="epoch")


@epochs.on("each number is the accuracy on the images of its epoch, and no others")
def draw(probe: Probe, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, int]:
    """Some epochs of batches of any size, with accuracies that rise and fall.

    Neither E nor E - 1 is the number of updates in an epoch: what is taken for what shows in the shape.
    """
    count, per_epoch = ((4, 5), (5, 3), (6, 3), (6, 4))[probe.integer(0, 3)]
    sizes = torch.randint(2, 17, (count, per_epoch), generator=probe.generator)
    share = (0.2 + 0.6 * probe.uniform(count, 1)).double()
    rights = (sizes * (share + 0.1 * probe.normal(count, per_epoch)).clamp(0, 1)).round().flatten()
    sizes = sizes.flatten()
    return (rights.cumsum(0) / sizes.cumsum(0)).to(dtype), sizes, per_epoch


epochs.exact(lambda probe: draw(probe, torch.float64))

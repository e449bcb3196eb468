"""``block_variants.drop_path(x, changes, p, draws)``: tokens (B, N, D) and the changes of P branches (P, B, N, D).

Source: Huang et al., "Deep Networks with Stochastic Depth" (2016), section 3; here a sample's branch is dropped by
itself, as in DeiT, and what is kept is divided by the chance to be kept.
"""

import torch
from torch import Tensor

from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Case = tuple[Tensor, Tensor, float, Tensor | None]


def right(x: Tensor, changes: Tensor, p: float, draws: Tensor | None) -> Tensor:
    if draws is None:
        return x + torch.einsum("pbnd->bnd", changes)
    kept = (draws >= p).to(changes) / (1 - p)
    return x + torch.einsum("pb,pbnd->bnd", kept, changes)


def wrong(x: Tensor, changes: Tensor, p: float, draws: Tensor | None) -> dict[str, Tensor]:
    whole = changes.sum(dim=0)
    if draws is None:
        return {
            "rescaled-in-evaluation": x + whole * (1 - p),
            "rescaled-in-evaluation/up": x + whole / (1 - p),
            "nothing-in-evaluation": x,
        }
    keep, by_p = (draws >= p).to(changes), 1 / (p or 1)

    def summed(mask: Tensor, scale: float = 1 / (1 - p)) -> Tensor:
        return (mask[:, :, None, None] * changes).sum(dim=0) * scale

    return {
        "not-rescaled": x + summed(keep, 1.0),
        "rescaled-by-p": x + summed(keep, by_p),
        "rescaled-down": x + summed(keep, 1 - p),
        "inverted": x + summed(1 - keep),
        "inverted/by p": x + summed(1 - keep, by_p),
        "other-end": x + summed((draws < 1 - p).to(changes)),
        "one-mask-for-branches": x + summed(keep[:1].expand_as(keep)),
        "one-mask-for-branches/last": x + summed(keep[-1:].expand_as(keep)),
        "one-mask-for-batch": x + summed(keep[:, :1].expand_as(keep)),
        "drops-tokens": ((x + changes) * keep[:, :, None, None]).sum(dim=0) / (1 - p),
        "drops-tokens/once": (x + whole) * keep[0, :, None, None] / (1 - p),
        "counts-x-again": len(changes) * x + summed(keep),
        "mean-of-branches": x + summed(keep) / len(changes),
        "no-residual": summed(keep),
        "draws-as-weights": x + summed(draws),
        "draws-as-weights/plain": x + summed(draws, 1.0),
        "nothing-dropped": x + whole,
        "nothing-dropped/rescaled": x + whole / (1 - p),
        "coarse-factors": x + summed(((draws >= p) / (1 - p)).to(changes), 1.0),
        "branches-apart": x + keep[:, :, None, None] * changes / (1 - p),
    }


drop_path = Solved("block_variants.drop_path", right=right, wrong=wrong, parts=("the tokens",))


@drop_path.on("each branch of each sample is kept or dropped by its own number, and what is kept is made larger")
def draw(probe: Probe, dtype: torch.dtype = torch.float32) -> Case:
    """Numbers drawn anew until no two ways to make masks of them agree."""
    branches, batch, tokens, dim = probe.integer(3, 4), *probe.sizes(3, 5, 8)
    p, masks = probe.integer(2, 4) / 10, []
    while len({tuple(mask.flatten().tolist()) for mask in masks}) < 7:
        draws = probe.uniform(branches, batch)
        keep = draws >= p
        parts = (keep[:1], keep[-1:], keep[:, :1], torch.ones_like(keep))
        masks = [keep, ~keep, draws < 1 - p, *(part.expand_as(keep) for part in parts)]
    x, changes = probe.normal(batch, tokens, dim, dtype=dtype), probe.normal(branches, batch, tokens, dim, dtype=dtype)
    return x, changes, p, draws


@drop_path.on("in evaluation `draws` is None, and nothing is dropped or made larger")
def evaluation(probe: Probe) -> Case:
    return *draw(probe)[:3], None


@drop_path.on(
    "with p = 0 nothing is dropped", only=["inverted", "no-residual", "drops-tokens"], otherwise="fails-at-zero"
)
def never(probe: Probe) -> Case:
    x, changes, _, draws = draw(probe)
    return x, changes, 0.0, draws


drop_path.exact(lambda probe: draw(probe, torch.float64))
drop_path.differentiable(draw, to="x and the changes", of=("x", "changes"))

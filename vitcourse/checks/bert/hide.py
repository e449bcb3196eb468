"""``bert.hide(tokens, chosen, fate, random_words, mask_id)``: words hidden by the rule 80/10/10, and their labels.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3.1, "Task #1: Masked LM".
"""

import torch
from torch import Tensor

from vitcourse.checks.bert.common import IGNORED, ids
from vitcourse.checks.engine.probe import Probe
from vitcourse.checks.engine.solved import Solved

Pair = tuple[Tensor, Tensor]
Inputs = tuple[Tensor, Tensor, Tensor, Tensor, int]
USUAL = 4  # the id of [MASK] in the lesson


def right(tokens: Tensor, chosen: Tensor, fate: Tensor, random_words: Tensor, mask_id: int) -> Pair:
    swapped = torch.where(chosen & (fate < 0.9), random_words, tokens)
    return torch.where(chosen & (fate < 0.8), mask_id, swapped), torch.where(chosen, tokens, IGNORED)


def wrong(tokens: Tensor, chosen: Tensor, fate: Tensor, random_words: Tensor, mask_id: int) -> dict[str, Pair]:
    hidden, labels = right(tokens, chosen, fate, random_words, mask_id)

    def by(masked: Tensor, swapped: Tensor, mask: int = mask_id) -> Tensor:
        return torch.where(swapped, random_words, torch.where(masked, mask, tokens))

    none, low, middle, high = chosen & False, fate < 0.8, (fate >= 0.8) & (fate < 0.9), fate >= 0.9
    masked, swapped, kept = chosen & low, chosen & middle, chosen & high
    rows = {
        "hides-unchosen": by(low, middle),
        "hides-unchosen/mask": by(low, swapped),
        "hides-unchosen/words": by(masked, middle),
        "always-mask": by(chosen, none),
        "keeps-none": by(masked, swapped | kept),
        "keeps-none/mask": by(masked | kept, swapped),
        "swaps-none": by(masked, none),
        "swaps-none/mask": by(masked | swapped, none),
        "mask-overwritten": by(none, masked | swapped),
        "mask-overwritten/all": by(none, chosen),
        "mask-overwritten/kept": by(none, swapped),
        "edges-moved": by(chosen & (fate <= 0.8), chosen & (fate > 0.8) & (fate <= 0.9)),
        "edges-moved/low": by(chosen & (fate <= 0.8), chosen & (fate > 0.8) & (fate < 0.9)),
        "edges-moved/high": by(masked, chosen & (fate >= 0.8) & (fate <= 0.9)),
        "edges-moved/kept": by(masked, chosen & (fate > 0.8) & (fate < 0.9)),
        "shares-swapped": by(swapped, masked),
        "shares-swapped/high": by(masked, kept),
        "shares-swapped/from above": by(chosen & (fate >= 0.2), chosen & (fate >= 0.1) & (fate < 0.2)),
        "shares-swapped/kept": by(kept, swapped),
        **{f"fixed-mask-id/{mask}": by(masked, swapped, mask) for mask in (0, 1, USUAL, 103)},
    }
    answers = {
        "labels-of-hidden": torch.where(chosen, hidden, IGNORED),
        "labels-of-hidden/everywhere": hidden,
        "labels-everywhere": tokens,
        "labels-where-changed": torch.where(hidden != tokens, tokens, IGNORED),
        "labels-where-masked": torch.where(masked, tokens, IGNORED),
        "labels-inverted": torch.where(chosen, IGNORED, tokens),
        **{f"other-ignored-label/{other}": tokens.where(chosen, other) for other in (0, -1, 100)},
        "other-ignored-label/mask": tokens.where(chosen, mask_id),
    }
    return {name: (row, labels) for name, row in rows.items()} | {name: (hidden, a) for name, a in answers.items()}


hide = Solved("bert.hide", right=right, wrong=wrong, parts=("the hidden rows", "the labels"))


def _draw(probe: Probe, mask_id: int = USUAL) -> Inputs:
    """Rows in which every fate is met, among the chosen and among the others; no random word is the word itself."""
    rows, half = probe.integer(2, 4), probe.integer(6, 9)
    # In float64, where 0.8 and 0.9 are the numbers that the task names, compared as tensors or as Python's.
    edges = torch.tensor([0.0, 0.79, 0.8, 0.81, 0.89, 0.9, 0.91], dtype=torch.float64).expand(rows, -1)
    fates = torch.cat([edges, probe.uniform(rows, half).double()], dim=1)
    chosen = torch.cat([torch.ones_like(fates), torch.zeros_like(fates)], dim=1).bool()
    fates = torch.cat([fates, fates], dim=1)
    order = probe.uniform(*fates.shape).argsort(dim=1)
    tokens, change = ids(probe, *fates.shape), ids(probe, *fates.shape, low=100, high=200)
    return tokens, chosen.gather(1, order), fates.gather(1, order), tokens + change, mask_id


@hide.on("a fate below 0.8 gives [MASK], below 0.9 a random word, else the word is kept; all have a label")
def _all_chosen(probe: Probe) -> Inputs:
    tokens, chosen, *rest = _draw(probe)
    return tokens, chosen | True, *rest


hide.on("what was not chosen stays as it is, with the label -100")(_draw)
hide.on("[MASK] has the id that the argument names")(lambda probe: _draw(probe, probe.integer(5, 9)))

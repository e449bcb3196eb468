"""``bert.hide(tokens, chosen, fate, random_words, mask_id)``: words hidden by the rule 80/10/10, and their labels.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3.1, "Task #1: Masked LM".
"""

import torch
from torch import Tensor

from vitcourse.checks.bert.common import IGNORED, ids
from vitcourse.checks.engine.check import Check
from vitcourse.checks.engine.probe import Probe, several

hide = Check("bert.hide")
MASK = 4


def _cases(tokens: Tensor, chosen: Tensor, fate: Tensor, words: Tensor) -> dict[str, Tensor]:
    """The hidden rows that the mistakes lead to."""

    def by(masked: Tensor, swapped: Tensor) -> Tensor:
        return torch.where(swapped, words, torch.where(masked, MASK, tokens))

    low, middle, high = fate < 0.8, (fate >= 0.8) & (fate < 0.9), fate >= 0.9
    return {
        "right": by(chosen & low, chosen & middle),
        "hides-unchosen": by(low, middle),
        "always-mask": by(chosen, chosen & False),
        "keeps-none": by(chosen & low, chosen & ~low),
        "keeps-none/mask": by(chosen & (low | high), chosen & middle),
        "swaps-none": by(chosen & low, chosen & False),
        "swaps-none/mask": by(chosen & ~high, chosen & False),
        "shares-swapped": by(chosen & middle, chosen & low),
        "shares-swapped/high": by(chosen & low, chosen & high),
        "shares-swapped/from-above": by(chosen & (fate >= 0.2), chosen & (fate >= 0.1) & (fate < 0.2)),
        "shares-swapped/kept": by(chosen & high, chosen & middle),
    }


def _draw(probe: Probe) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rows in which every fate is met, among the chosen and among the others; no random word is the word itself."""
    rows, half = probe.integer(2, 4), probe.integer(6, 9)
    low, middle, high = probe.uniform(rows, half) * 0.6 + 0.15, 0.8 + probe.uniform(rows, 3) * 0.09, 0.91
    fates = torch.cat([low, 0.05 + 0.0 * low[:, :1], middle, high + 0.08 * probe.uniform(rows, 3)], dim=1)
    chosen = torch.cat([torch.ones_like(fates), torch.zeros_like(fates)], dim=1).bool()
    fates = torch.cat([fates, fates], dim=1)
    order = probe.uniform(*fates.shape).argsort(dim=1)
    tokens = ids(probe, *fates.shape)
    return tokens, chosen.gather(1, order), fates.gather(1, order), tokens + ids(probe, *fates.shape, low=100, high=200)


def _call(probe: Probe, inputs: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    pair = several(probe.call(*inputs, MASK), 2, "a pair of tensors (hidden, labels)")
    shape = tuple(inputs[0].shape)
    return tuple(
        probe.tensor(part, shape, torch.int64, name)
        for part, name in zip(pair, ("The hidden row", "The labels"), strict=True)
    )


@hide.property("what was not chosen stays as it is")
def _unchosen(probe: Probe) -> None:
    tokens, chosen, fate, words = _draw(probe)
    hidden, _ = _call(probe, (tokens, chosen & False, fate, words))
    probe.require(torch.equal(hidden, tokens), "hides-unchosen", "With nothing chosen, words were changed.")


@hide.property("of the chosen, a fate below 0.8 gives [MASK], below 0.9 a random word, else the word is kept")
def _fates(probe: Probe) -> None:
    inputs = _draw(probe)
    hidden, _ = _call(probe, inputs)
    cases = _cases(*inputs)
    right = cases.pop("right")
    probe.equal(hidden, right, cases, name="the hidden rows")


@hide.property("the labels are the words before the hiding at all chosen places, and -100 elsewhere")
def _labels(probe: Probe) -> None:
    inputs = _draw(probe)
    tokens, chosen, _, _ = inputs
    _, labels = _call(probe, inputs)
    hidden = _cases(*inputs)["right"]
    suspects = {
        "labels-of-hidden": torch.where(chosen, hidden, IGNORED),
        "labels-of-hidden/everywhere": hidden,
        "labels-everywhere": tokens,
        "labels-where-changed": torch.where(hidden != tokens, tokens, IGNORED),
        "labels-where-masked": torch.where(hidden == MASK, tokens, IGNORED),
        "labels-inverted": torch.where(chosen, IGNORED, tokens),
        **{f"other-ignored-label/{other}": torch.where(chosen, tokens, other) for other in (0, -1, 100, MASK)},
    }
    probe.equal(labels, torch.where(chosen, tokens, IGNORED), suspects, name="the labels")

"""Answers to ``bert.hide``: (hidden, labels)."""

import torch

from tests.checks.bank.entries import Bank

BANK = Bank("bert.hide")


@BANK.right
def with_where(tokens, chosen, fate, random_words, mask_id):
    hidden = torch.where(chosen & (fate < 0.8), mask_id, tokens)
    hidden = torch.where(chosen & (fate >= 0.8) & (fate < 0.9), random_words, hidden)
    return hidden, torch.where(chosen, tokens, -100)


@BANK.right
def in_a_copy(tokens, chosen, fate, random_words, mask_id):
    hidden, labels = tokens.clone(), tokens.clone()
    labels[~chosen] = -100
    swap = chosen & (fate < 0.9)
    hidden[swap] = random_words[swap]
    hidden[chosen & (fate < 0.8)] = mask_id
    return hidden, labels


@BANK.right
def place_by_place(tokens, chosen, fate, random_words, mask_id):
    hidden, labels = tokens.clone(), torch.full_like(tokens, -100)
    for place in chosen.nonzero().tolist():
        place = tuple(place)
        labels[place] = tokens[place]
        if fate[place] < 0.8:
            hidden[place] = mask_id
        elif fate[place] < 0.9:
            hidden[place] = random_words[place]
    return [hidden, labels]


def rows(rule):
    """A wrong hidden row with the right labels; ``rule`` gives the places of [MASK] and of random words."""

    def answer(tokens, chosen, fate, random_words, mask_id):
        masked, swapped = rule(chosen, fate)
        hidden = torch.where(swapped, random_words, torch.where(masked, mask_id, tokens))
        return hidden, torch.where(chosen, tokens, -100)

    return answer


def labels(rule):
    """The right hidden row with wrong labels."""

    def answer(tokens, chosen, fate, random_words, mask_id):
        hidden, _ = with_where(tokens, chosen, fate, random_words, mask_id)
        return hidden, rule(tokens, chosen, hidden, mask_id)

    return answer


def middle(fate):
    return (fate >= 0.8) & (fate < 0.9)


BANK.wrong("hides-unchosen")(rows(lambda chosen, fate: (fate < 0.8, middle(fate))))
BANK.wrong("hides-unchosen")(rows(lambda chosen, fate: (chosen & (fate < 0.8), middle(fate))))
BANK.wrong("always-mask")(rows(lambda chosen, fate: (chosen, chosen & False)))
BANK.wrong("keeps-none")(rows(lambda chosen, fate: (chosen & (fate < 0.8), chosen & (fate >= 0.8))))
BANK.wrong("keeps-none")(rows(lambda chosen, fate: (chosen & ~middle(fate), chosen & middle(fate))))
BANK.wrong("swaps-none")(rows(lambda chosen, fate: (chosen & (fate < 0.8), chosen & False)))
BANK.wrong("swaps-none")(rows(lambda chosen, fate: (chosen & (fate < 0.9), chosen & False)))
BANK.wrong("shares-swapped")(rows(lambda chosen, fate: (chosen & middle(fate), chosen & (fate < 0.8))))
BANK.wrong("shares-swapped")(rows(lambda chosen, fate: (chosen & (fate < 0.8), chosen & (fate >= 0.9))))
BANK.wrong("shares-swapped")(rows(lambda chosen, fate: (chosen & (fate >= 0.9), chosen & middle(fate))))
BANK.wrong("labels-of-hidden")(labels(lambda tokens, chosen, hidden, mask: torch.where(chosen, hidden, -100)))
BANK.wrong("labels-everywhere")(labels(lambda tokens, chosen, hidden, mask: tokens))
BANK.wrong("labels-where-changed")(labels(lambda tokens, chosen, hidden, mask: tokens.where(hidden != tokens, -100)))
BANK.wrong("labels-where-masked")(labels(lambda tokens, chosen, hidden, mask: tokens.where(hidden == mask, -100)))
BANK.wrong("labels-inverted")(labels(lambda tokens, chosen, hidden, mask: tokens.where(~chosen, -100)))
BANK.wrong("other-ignored-label")(labels(lambda tokens, chosen, hidden, mask: tokens.where(chosen, 0)))
BANK.wrong("other-ignored-label")(labels(lambda tokens, chosen, hidden, mask: tokens * chosen))
BANK.wrong("other-ignored-label")(labels(lambda tokens, chosen, hidden, mask: tokens.where(chosen, -1)))
BANK.wrong("wrong-dtype")(labels(lambda tokens, chosen, hidden, mask: tokens.float().where(chosen, -100.0)))
BANK.wrong("wrong-shape")(labels(lambda tokens, chosen, hidden, mask: tokens[chosen]))
BANK.wrong("wrong-type")(lambda *given: with_where(*given)[0])
BANK.wrong("wrong-values")(rows(lambda chosen, fate: (chosen & (fate < 0.5), chosen & middle(fate))))


@BANK.wrong("changes-inputs")
def hides_in_place(tokens, chosen, fate, random_words, mask_id):
    before = torch.where(chosen, tokens, -100)
    hidden, _ = with_where(tokens, chosen, fate, random_words, mask_id)
    tokens[:] = hidden
    tokens[0, 0] += 1
    return hidden, before


BANK.wrong("mask-overwritten")(rows(lambda chosen, fate: (chosen & (fate < 0.8), chosen & (fate < 0.9))))
BANK.wrong("mask-overwritten")(rows(lambda chosen, fate: (chosen & (fate < 0.8), chosen)))
BANK.wrong("edges-moved")(rows(lambda chosen, fate: (chosen & (fate <= 0.8), chosen & (fate > 0.8) & (fate <= 0.9))))
BANK.wrong("edges-moved")(rows(lambda chosen, fate: (chosen & (fate < 0.8), chosen & (fate > 0.8) & (fate < 0.9))))
BANK.wrong("hides-unchosen")(rows(lambda chosen, fate: (fate < 0.8, chosen & middle(fate))))
BANK.wrong("fixed-mask-id")(lambda tokens, chosen, fate, words, mask_id: with_where(tokens, chosen, fate, words, 4))
BANK.wrong("swapped")(lambda *given: with_where(*given)[::-1])

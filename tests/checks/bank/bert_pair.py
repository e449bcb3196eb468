"""Answers to ``bert.pair``: (tokens, segments, mask) of two sentences in one row."""

import torch
import torch.nn.functional as F

from tests.checks.bank.entries import Bank

BANK = Bank("bert.pair")


@BANK.right
def lists_first(first, second, cls, sep, pad, length):
    row = [cls, *first, sep, *second, sep]
    empty = length - len(row)
    segments = [0] * (len(first) + 2) + [1] * (len(second) + 1) + [0] * empty
    mask = [True] * len(row) + [False] * empty
    return torch.tensor(row + [pad] * empty), torch.tensor(segments), torch.tensor(mask)


@BANK.right
def by_comparison(first, second, cls, sep, pad, length):
    a, b, place = len(first), len(second), torch.arange(length)
    mask = place < a + b + 3
    tokens = F.pad(torch.tensor([cls, *first, sep, *second, sep]), (0, length - a - b - 3), value=pad)
    return tokens, (mask & (place > a + 1)).long(), mask


@BANK.right
def filled_in_place(first, second, cls, sep, pad, length):
    tokens, segments = torch.full((length,), pad), torch.zeros(length, dtype=torch.long)
    for place, token in enumerate([cls, *first, sep, *second, sep]):
        tokens[place] = token
        segments[place] = int(place >= len(first) + 2)
    return [tokens, segments, torch.arange(length) < len(first) + len(second) + 3]


def broken(tokens=None, segments=None, mask=None):
    """A right answer with one of its three parts replaced; each gets the right part and the place of the words."""

    def answer(first, second, cls, sep, pad, length):
        right = lists_first(first, second, cls, sep, pad, length)
        sizes = len(first), len(second), torch.arange(length)
        changes = (tokens, segments, mask)
        return tuple(part if new is None else new(part, *sizes) for part, new in zip(right, changes, strict=True))

    return answer


def row(*parts):
    """Tokens from parts of the row by name: c, s, a, b and p for as much padding as there is room for."""

    def answer(first, second, cls, sep, pad, length):
        named = {"c": [cls], "s": [sep], "a": first, "b": second}
        used = sum(len(named[part]) for part in parts if part != "p")
        named["p"] = [pad] * (length - used)
        _, segments, mask = lists_first(first, second, cls, sep, pad, length)
        return torch.tensor([token for part in parts for token in named[part]]), segments, mask

    return answer


BANK.wrong("cls-missing")(row("a", "s", "b", "s", "p"))
BANK.wrong("sep-missing")(row("c", "a", "b", "s", "p"))
BANK.wrong("sep-missing")(row("c", "a", "s", "b", "p"))
BANK.wrong("sep-missing")(row("c", "a", "b", "p"))
BANK.wrong("padding-in-front")(row("p", "c", "a", "s", "b", "s"))
BANK.wrong("wrong-values")(row("c", "b", "s", "a", "s", "p"))
BANK.wrong("not-padded")(
    lambda *given: tuple(part[: len(given[0]) + len(given[1]) + 3] for part in lists_first(*given))
)
BANK.wrong("not-padded")(lambda *given: lists_first(*given[:-1], len(given[0]) + len(given[1]) + 3))
BANK.wrong("not-padded")(lambda *given: row("c", "a", "s", "b", "s")(*given))
BANK.wrong("first-sep-in-second")(broken(segments=lambda s, a, b, place: ((place > a) & (place < a + b + 3)).long()))
BANK.wrong("last-sep-in-first")(broken(segments=lambda s, a, b, place: ((place > a + 1) & (place < a + b + 2)).long()))
BANK.wrong("padding-in-second")(broken(segments=lambda s, a, b, place: (place > a + 1).long()))
BANK.wrong("padding-in-second")(broken(segments=lambda s, a, b, place: (place > a).long()))
BANK.wrong("segments-swapped")(broken(segments=lambda s, a, b, place: 1 - s))
BANK.wrong("segments-from-one")(broken(segments=lambda s, a, b, place: s + 1))
BANK.wrong("mask-inverted")(broken(mask=lambda m, a, b, place: ~m))
BANK.wrong("mask-hides-special")(broken(mask=lambda m, a, b, place: m & (place != 0)))
BANK.wrong("mask-hides-special")(broken(mask=lambda m, a, b, place: m & (place != a + 1) & (place != a + b + 2)))
BANK.wrong("wrong-dtype")(broken(mask=lambda m, a, b, place: m.long()))
BANK.wrong("wrong-dtype")(broken(segments=lambda s, a, b, place: s.bool()))
BANK.wrong("wrong-shape")(broken(tokens=lambda t, a, b, place: t[None]))
BANK.wrong("wrong-type")(lambda *given: tuple(part.tolist() for part in lists_first(*given)))
BANK.wrong("wrong-type")(lambda *given: lists_first(*given)[:2])
BANK.wrong("wrong-values")(lambda f, s, cls, sep, pad, n: lists_first(f, s, 2, 3, 0, n))


@BANK.wrong("changes-inputs")
def appends_to_the_first(first, second, cls, sep, pad, length):
    answer = lists_first(first, second, cls, sep, pad, length)
    first += [sep, *second]
    return answer


BANK.wrong("fixed-padding")(lambda f, s, cls, sep, pad, n: lists_first(f, s, cls, sep, 0, n))
BANK.wrong("second-begins-late")(broken(segments=lambda s, a, b, place: s * (place > a + 2)))
BANK.wrong("one-segment")(broken(segments=lambda s, a, b, place: s * 0))
BANK.wrong("one-segment")(broken(segments=lambda s, a, b, place: (place < a + b + 3).long()))
BANK.wrong("mask-hides-nothing")(broken(mask=lambda m, a, b, place: m | True))
BANK.wrong("mask-too-short")(broken(mask=lambda m, a, b, place: place < a + b))
BANK.wrong("mask-too-short")(broken(mask=lambda m, a, b, place: place < a + b + 2))
BANK.wrong("mask-hides-second")(broken(mask=lambda m, a, b, place: place < a + 2))
BANK.wrong("swapped")(lambda *given: tuple(lists_first(*given)[part] for part in (0, 2, 1)))
BANK.wrong("swapped")(lambda *given: tuple(lists_first(*given)[part] for part in (1, 0, 2)))

"""A sequence task that needs no download: numbers in English words, to be written in digits.

"three hundred and seven thousand and forty" becomes "307040": the digits come in another rhythm than the words, and a
zero is written where no word stands. Words and digits share one vocabulary, as source and target do in Vaswani et al.
2017, https://arxiv.org/abs/1706.03762, section 5.1.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from vitcourse.errors import InputError

UNITS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen"),
    *("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
VOCABULARY = ("<pad>", "<start>", "<end>", *"0123456789", *UNITS, *TENS, "hundred", "thousand", "and")
PAD, START, END = range(3)
DIGITS = 6
SOURCE_LENGTH = 11  # "three hundred and forty five thousand six hundred and seventy eight"
TARGET_LENGTH = DIGITS + 1  # with <end>
IDS = {word: index for index, word in enumerate(VOCABULARY)}


def in_words(number: int) -> str:
    """A number from 1 to 999,999 in English words without hyphens: 1040 is "one thousand and forty".

    Raises:
        InputError: another number.
    """
    if not 0 < number < 10**DIGITS:
        raise InputError(f"only numbers from 1 to {10**DIGITS - 1} can be written out, got {number}")
    thousands, rest = divmod(number, 1000)
    words = [*_below_thousand(thousands), "thousand"] if thousands else []
    if thousands and 0 < rest < 100:
        words.append("and")
    return " ".join(words + _below_thousand(rest))


def _below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [UNITS[hundreds - 1], "hundred"] if hundreds else []
    if hundreds and rest:
        words.append("and")
    if 0 < rest < 20:
        words.append(UNITS[rest - 1])
    elif rest:
        tens, units = divmod(rest, 10)
        words += [TENS[tens - 2], *([UNITS[units - 1]] if units else [])]
    return words


def encode(words: Iterable[str], length: int) -> Tensor:
    """Ids (length,) of words or digits, filled up with padding.

    Raises:
        InputError: a word that the vocabulary does not have, or more than ``length`` of them.
    """
    words = list(words)
    if unknown := [word for word in words if word not in IDS]:
        raise InputError(f"the vocabulary has no word {unknown[0]!r}")
    if len(words) > length:
        raise InputError(f"{len(words)} words are more than {length}")
    return torch.tensor([IDS[word] for word in words] + [PAD] * (length - len(words)))


def read(ids: Sequence[int] | Tensor) -> list[str]:
    """The words of ids up to the first <end> or padding, neither included."""
    words = []
    for index in map(int, ids):
        if index in (END, PAD):
            break
        words.append(VOCABULARY[index])
    return words


class NumberPairs(Dataset):
    """Numbers as ids: items are dicts ``source`` (S,), words, and ``target`` (T,), digits and <end>, both padded.

    Attributes:
        numbers: the numbers, in order.
        source, target: all ids, (N, S) and (N, T), with S = 11 and T = 7.
    """

    def __init__(self, numbers: Sequence[int]):
        self.numbers = list(numbers)
        self.source = torch.stack([encode(in_words(number).split(), SOURCE_LENGTH) for number in self.numbers])
        self.target = torch.stack([encode([*str(number), "<end>"], TARGET_LENGTH) for number in self.numbers])

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"source": self.source[index], "target": self.target[index]}


def number_pairs(train: int = 10_000, unseen: int = 1_000, seed: int = 0) -> tuple[NumberPairs, NumberPairs]:
    """Two sets of different numbers; no number is in both, and the same sizes and seed give the same sets.

    Six digits are drawn for each number, and each is set to 0 with probability 1/4: so zeros, which no word says, are
    frequent, and leading zeros make numbers shorter.

    Raises:
        InputError: a size below 1, or more numbers than can be drawn in reasonable time.
    """
    if min(train, unseen) < 1 or train + unseen > 10**DIGITS // 4:
        raise InputError(f"train and unseen must be at least 1, and at most 250,000 together, got {train} and {unseen}")
    generator = torch.Generator().manual_seed(seed)
    place = 10 ** torch.arange(DIGITS)
    seen: dict[int, None] = {}  # keeps the order of first appearance
    while len(seen) < train + unseen:
        digits = torch.randint(10, (4096, DIGITS), generator=generator)
        kept = torch.rand(4096, DIGITS, generator=generator) >= 0.25
        seen |= dict.fromkeys((digits * kept * place).sum(dim=1).tolist())
        seen.pop(0, None)
    numbers = list(seen)[: train + unseen]
    return NumberPairs(numbers[:train]), NumberPairs(numbers[train:])

"""What mere counting gets right of BERT's two tasks: hidden words by their neighbours, pairs by the words they share.

Shape legend: M examples, N tokens of one example, V entries of the vocabulary. The examples are those of
`vitcourse.data.pretraining`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from vitcourse.data.pretraining import IGNORED, SpecialTokens


class WordCounts:
    """Guesses hidden words by how often a word stood in the training text: at all, after its left neighbour, between
    both of its neighbours.

    Args:
        documents: lists of sentences, which are lists of ids.
        vocab_size: V; ids are below it.
    """

    def __init__(self, documents: Iterable[Sequence[Sequence[int]]], vocab_size: int, special: SpecialTokens):
        self.special = special
        self.words = torch.zeros(vocab_size)
        follows = torch.zeros(vocab_size, vocab_size)  # row: a word; column: what came after it
        self.between: dict[tuple[int, int], Counter] = defaultdict(Counter)
        for sentence in (sentence for document in documents for sentence in document):
            # A sentence stands between [CLS] or [SEP] and [SEP]; all count as [SEP] here.
            row = [special.sep, *sentence, special.sep]
            for left, word, right in zip(row, row[1:], row[2:], strict=False):
                self.words[word] += 1
                follows[left, word] += 1
                self.between[left, right][word] += 1
            follows[row[-2], special.sep] += 1
        self.after, self.before = follows, follows.T.clone()
        for table in (self.after, self.before):
            table[:, special.sep] = 0  # it stands beside hidden words, and is none
            table[special.mask] = self.words  # a neighbour that is hidden itself says nothing

    def share_right(self, examples: dict[str, Tensor]) -> dict[str, float]:
        """Share of the [MASK] places whose word is guessed: by "unigram", from the "left", from "both" sides."""
        tokens, labels = examples["tokens"], examples["labels"]
        tokens = tokens.where(tokens != self.special.cls, self.special.sep)
        places = ((labels != IGNORED) & (tokens == self.special.mask)).nonzero().tolist()
        right = dict.fromkeys(("unigram", "left", "both"), 0)
        common = int(self.words.argmax())
        for row, place in places:
            left, word, after = int(tokens[row, place - 1]), int(labels[row, place]), int(tokens[row, place + 1])
            right["unigram"] += word == common
            right["left"] += word == int(self.after[left].argmax())
            right["both"] += word == self._between(left, after)
        return {name: count / max(1, len(places)) for name, count in right.items()}

    def _between(self, left: int, right: int) -> int:
        """The word most often seen between the two, or else the one that suits each of them, taken by itself, best."""
        seen = self.between.get((left, right))
        if seen:
            return seen.most_common(1)[0][0]
        share = self.words / self.words.sum()  # a little of every word, so that one side decides where the other is new
        return int(((self.after[left] + share) * (self.before[right] + share) / self.words.clamp(min=1)).argmax())


def overlap(examples: dict[str, Tensor], special: SpecialTokens) -> Tensor:
    """Share of the different words of B that stand in A too, (M,); a word that is hidden in either cannot count."""
    shares = []
    for tokens, segments in zip(examples["tokens"], examples["segments"], strict=True):
        words = ~torch.isin(tokens, special.ids)
        first, second = (set(tokens[words & (segments == part)].tolist()) for part in (0, 1))
        shares.append(len(first & second) / max(1, len(second)))
    return torch.tensor(shares)


class OverlapRule:
    """Says that B follows A where they share enough words: the threshold that is right most often on ``examples``."""

    def __init__(self, examples: dict[str, Tensor], special: SpecialTokens):
        self.special, wanted = special, examples["next_sentence"]
        shares = overlap(examples, special)
        right = {float(t): ((shares < t).long() == wanted).float().mean().item() for t in shares.unique()}
        self.threshold = max(right, key=right.get)

    def share_right(self, examples: dict[str, Tensor]) -> float:
        """Share of pairs that the rule answers rightly."""
        answers = (overlap(examples, self.special) < self.threshold).long()
        return (answers == examples["next_sentence"]).float().mean().item()


def majority(train: dict[str, Tensor], examples: dict[str, Tensor]) -> float:
    """Share of pairs that are right where the answer more frequent in ``train`` is always given."""
    return (examples["next_sentence"] == train["next_sentence"].mode().values).float().mean().item()

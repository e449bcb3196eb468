"""Examples for BERT's pre-training: pairs of sentences, true or random, with some of their words hidden.

Shape legend: M examples, N tokens of one example.

Source: Devlin et al. 2018, https://arxiv.org/abs/1810.04805, section 3.1 (the two tasks) and appendix A.2. The authors'
program joins sentences until an example is full and cuts at random ends; here A and B are one sentence each, cut at the
ends away from where they meet.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import torch
from torch import Tensor

IGNORED = -100  # the label of a place that no loss looks at: cross entropy's own default

Document = Sequence[Sequence[int]]


@dataclass(frozen=True)
class SpecialTokens:
    """The ids that are no words; the defaults are those of ``bert-base-uncased``.

    Raises:
        ValueError: two of them are the same.
    """

    pad: int = 0
    cls: int = 101
    sep: int = 102
    mask: int = 103

    def __post_init__(self):
        if len(set(astuple(self))) < 4:
            raise ValueError(f"special tokens must be four different ids, got {astuple(self)}")

    @property
    def ids(self) -> Tensor:
        """All four, (4,)."""
        return torch.tensor(astuple(self))


def make_pretraining_examples(
    documents: Sequence[Document],
    vocab_size: int,
    max_length: int = 128,
    special: SpecialTokens = SpecialTokens(),
    generator: torch.Generator | None = None,
    mask_share: float = 0.15,
) -> dict[str, Tensor]:
    """One example for each sentence that another follows: [CLS] A [SEP] B [SEP], words hidden by `mask_tokens`.

    B is the sentence that follows A, or, for half of the examples at random, any sentence of any other document. The
    longer of the two gives way, word by word, until both fit: A at its front, B at its end.

    Args:
        documents: lists of sentences, which are lists of token ids, none of them special.
        vocab_size: ids are 0 to ``vocab_size`` - 1.
        max_length: N, the length of every example; at least 5.
        special: the ids of [PAD], [CLS], [SEP] and [MASK].
        generator: where all chance comes from; the same state gives the same examples.
        mask_share: share of the words that are predicted.

    Returns:
        A dict of what `BertForPreTraining` takes, in the order of the documents:

        - ``tokens`` (M, N), integer: the ids, padded at the end;
        - ``segments`` (M, N), integer: 0 up to the first [SEP] and in the padding, 1 after it;
        - ``mask`` (M, N), boolean: True where there is no padding;
        - ``labels`` (M, N), integer: the word at the predicted places, `IGNORED` elsewhere;
        - ``next_sentence`` (M,), integer: 0 where B follows A, 1 where B is random.

    Raises:
        ValueError: fewer than two documents, no sentence that another follows, an empty document or sentence, a special
            id or one outside the vocabulary among the words, or a ``max_length`` below 5.
    """
    _check(documents, vocab_size, max_length, special)
    places = [(d, s) for d, document in enumerate(documents) for s in range(len(document) - 1)]
    if not places:
        raise ValueError(f"no document has two sentences, got {len(documents)} documents of one sentence")
    next_sentence = (torch.rand(len(places), generator=generator) < 0.5).long()
    shape = (len(places), max_length)
    tokens, segments = torch.full(shape, special.pad), torch.zeros(shape, dtype=torch.long)
    for row, (d, s) in enumerate(places):
        if next_sentence[row]:
            other = _draw(len(documents) - 1, generator)
            document = documents[other + (other >= d)]  # any but document d
            second = document[_draw(len(document), generator)]
        else:
            second = documents[d][s + 1]
        first, second = _truncate(documents[d][s], second, max_length - 3)
        example = [special.cls, *first, special.sep, *second, special.sep]
        tokens[row, : len(example)] = torch.tensor(example)
        segments[row, len(first) + 2 : len(example)] = 1
    mask = tokens != special.pad
    tokens, labels = mask_tokens(tokens, vocab_size, special, generator, mask_share)
    return {"tokens": tokens, "segments": segments, "mask": mask, "labels": labels, "next_sentence": next_sentence}


def mask_tokens(
    tokens: Tensor,
    vocab_size: int,
    special: SpecialTokens = SpecialTokens(),
    generator: torch.Generator | None = None,
    share: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Hides words (section 3.1, "Masked LM"): each is chosen with probability ``share``, special tokens never.

    A chosen word becomes [MASK] in 80 % of the cases, a random word in 10 % (by chance perhaps itself), and stays in
    10 %. The model is asked for it in all three.

    Args:
        tokens: ids of any shape, on the CPU.

    Returns:
        The ids with words hidden, and the labels: the word at the chosen places, `IGNORED` elsewhere.

    Raises:
        ValueError: ``share`` is not in 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"the share of masked words must be in 0 to 1, got {share}")
    words = torch.arange(vocab_size)
    words = words[~torch.isin(words, special.ids)]
    chosen = (torch.rand(tokens.shape, generator=generator) < share) & ~torch.isin(tokens, special.ids)
    fate = torch.rand(tokens.shape, generator=generator)
    random_words = words[torch.randint(len(words), tokens.shape, generator=generator)]
    hidden = torch.where(chosen & (fate < 0.8), special.mask, tokens)
    hidden = torch.where(chosen & (fate >= 0.8) & (fate < 0.9), random_words, hidden)
    return hidden, torch.where(chosen, tokens, IGNORED)


def _draw(count: int, generator: torch.Generator | None) -> int:
    return int(torch.randint(count, (), generator=generator))


def _truncate(first: Sequence[int], second: Sequence[int], room: int) -> tuple[Sequence[int], Sequence[int]]:
    """Both cut to ``room`` words together, always from the longer; the words where they meet are kept."""
    a, b = len(first), len(second)
    while a + b > room:
        a, b = (a - 1, b) if a > b else (a, b - 1)
    return first[len(first) - a :], second[:b]


def _check(documents: Sequence[Document], vocab_size: int, max_length: int, special: SpecialTokens) -> None:
    if max_length < 5:
        raise ValueError(f"max_length must be at least 5 ([CLS], A, [SEP], B, [SEP]), got {max_length}")
    if max(astuple(special)) >= vocab_size:
        raise ValueError(f"special tokens must be below vocab_size = {vocab_size}, got {max(astuple(special))}")
    if len(documents) < 2:
        raise ValueError(f"a random sentence comes from another document, so two are needed, got {len(documents)}")
    for d, document in enumerate(documents):
        if not len(document):
            raise ValueError(f"document {d} is empty: it must have at least one sentence, got 0")
        for s, sentence in enumerate(document):
            where = f"document {d}, sentence {s}"
            if not len(sentence):
                raise ValueError(f"{where} is empty: it must have at least one word, got 0")
            if min(sentence) < 0 or max(sentence) >= vocab_size:
                wrong = min(sentence) if min(sentence) < 0 else max(sentence)
                raise ValueError(f"{where}: token ids must be in 0 to {vocab_size - 1}, got {wrong}")
            if found := set(sentence) & set(astuple(special)):
                raise ValueError(f"{where}: words must not be special tokens {astuple(special)}, got {min(found)}")

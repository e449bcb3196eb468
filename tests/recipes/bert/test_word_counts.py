"""The baselines that count, on texts small enough to count by hand."""

import pytest
import torch

from vitcourse.data.pretraining import IGNORED
from vitcourse.data.text import SPECIAL
from vitcourse.recipes.bert.word_counts import OverlapRule, WordCounts, majority, overlap

PAD, CLS, SEP, MASK = SPECIAL.ids.tolist()
A, B, C, D, E = 5, 6, 7, 8, 9
# After A stands B once and C twice; between A and E stands B; D is the most frequent word.
TEXT = [[[A, B, E], [A, C, D], [A, C, D]], [[D, D, E], [B, D]]]


def gaps(rows, words):
    """Rows with [MASK] at one place each, and the word that is asked for there."""
    tokens = torch.tensor(rows)
    labels = torch.full_like(tokens, IGNORED)
    labels[tokens == MASK] = torch.tensor(words)
    return {"tokens": tokens, "labels": labels}


@pytest.fixture
def counts():
    return WordCounts(TEXT, 10, SPECIAL)


GUESSES = {
    "left says C, both sides say B": ([A, MASK, E], B, {"unigram": 0, "left": 0, "both": 1}),
    "left says C, and so it is": ([A, MASK, D], C, {"unigram": 0, "left": 1, "both": 1}),
    "the most frequent": ([C, MASK, E], D, {"unigram": 1, "left": 1, "both": 1}),
    "never seen between these: what suits both": ([A, MASK, SEP], D, {"unigram": 1, "left": 0, "both": 1}),
    "the left is hidden: what stands before E": ([MASK, MASK, E], D, {"unigram": 1, "left": 1, "both": 1}),
    "at the beginning": ([CLS, MASK, C], A, {"unigram": 0, "left": 1, "both": 1}),
}


@pytest.mark.parametrize("case", GUESSES)
def test_guesses_by_hand(counts, case):
    row, word, right = GUESSES[case]
    examples = gaps([row], [word] * row.count(MASK))
    examples["labels"][0, 0] = IGNORED  # only the middle is asked for
    assert counts.share_right(examples) == right


def test_only_hidden_places_count(counts):
    examples = gaps([[A, MASK, D]], [C])
    examples["labels"][0, 2] = D  # asked for, and kept
    assert counts.share_right(examples) == {"unigram": 0, "left": 1, "both": 1}


def test_a_separator_is_never_guessed(counts):
    assert counts.share_right(gaps([[D, MASK, SEP]], [E]))["left"] in (0, 1)
    assert not counts.after[:, SEP].any()
    assert not counts.before[:, SEP].any()
    assert counts.words[SEP] == 0


def pairs(rows, segments, wanted):
    return {
        "tokens": torch.tensor(rows),
        "segments": torch.tensor(segments),
        "next_sentence": torch.tensor(wanted),
    }


ROWS = [[CLS, A, B, SEP, B, C, SEP], [CLS, A, B, SEP, C, D, SEP], [CLS, A, MASK, SEP, MASK, A, SEP]]
PARTS = [[0, 0, 0, 0, 1, 1, 1]] * 3


def test_overlap_by_hand():
    assert overlap(pairs(ROWS, PARTS, [0, 1, 0]), SPECIAL).tolist() == [0.5, 0, 1]


def test_the_rule_finds_the_threshold():
    train = pairs(ROWS, PARTS, [0, 1, 0])
    rule = OverlapRule(train, SPECIAL)
    assert rule.threshold == 0.5
    assert rule.share_right(train) == 1
    assert rule.share_right(pairs(ROWS, PARTS, [1, 1, 0])) == pytest.approx(2 / 3)


def test_majority_is_that_of_the_training():
    train, test = pairs(ROWS, PARTS, [1, 1, 0]), pairs(ROWS, PARTS, [0, 0, 1])
    assert majority(train, test) == pytest.approx(1 / 3)

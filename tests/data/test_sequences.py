"""Numbers in words: the words, the ids, and what is drawn for training and for the test."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vitcourse.data.sequences import (
    DIGITS,
    END,
    PAD,
    SOURCE_LENGTH,
    START,
    TARGET_LENGTH,
    TENS,
    UNITS,
    VOCABULARY,
    NumberPairs,
    encode,
    in_words,
    number_pairs,
    read,
)
from vitcourse.errors import InputError

WRITTEN_OUT = {
    1: "one",
    13: "thirteen",
    20: "twenty",
    21: "twenty one",
    100: "one hundred",
    110: "one hundred and ten",
    999: "nine hundred and ninety nine",
    1000: "one thousand",
    1001: "one thousand and one",
    1040: "one thousand and forty",
    1100: "one thousand one hundred",
    15_016: "fifteen thousand and sixteen",
    307_040: "three hundred and seven thousand and forty",
    345_678: "three hundred and forty five thousand six hundred and seventy eight",
    900_000: "nine hundred thousand",
}


@pytest.mark.parametrize("number", WRITTEN_OUT)
def test_numbers_in_words(number):
    assert in_words(number) == WRITTEN_OUT[number]


def value(words):
    """The number that words say, read in another way than they are written."""
    total = part = 0
    for word in words:
        if word in UNITS:
            part += UNITS.index(word) + 1
        elif word in TENS:
            part += 10 * TENS.index(word) + 20
        elif word == "hundred":
            part *= 100
        elif word == "thousand":
            total, part = 1000 * part, 0
        else:
            assert word == "and"
    return total + part


@given(st.integers(1, 10**DIGITS - 1))
def test_the_words_say_the_number(number):
    words = in_words(number).split()
    assert value(words) == number
    assert len(words) <= SOURCE_LENGTH
    assert words[0] != "and"
    assert words[-1] != "and"


@pytest.mark.parametrize("number", [0, -3, 10**DIGITS])
def test_a_number_that_cannot_be_written_out_is_refused(number):
    with pytest.raises(InputError, match=f"1 to 999999 can be written out, got {number}"):
        in_words(number)


def test_the_vocabulary_has_every_word_once_and_padding_first():
    assert len(set(VOCABULARY)) == len(VOCABULARY) == 43
    assert [VOCABULARY[index] for index in (PAD, START, END)] == ["<pad>", "<start>", "<end>"]


def test_ids_there_and_back():
    ids = encode(["three", "hundred", "4", "<end>"], 6)
    assert ids.dtype == torch.int64
    assert ids[4:].tolist() == [PAD, PAD]
    assert [VOCABULARY[index] for index in ids[:4]] == ["three", "hundred", "4", "<end>"]
    assert read(ids) == ["three", "hundred", "4"]
    assert read([ids[0], PAD, ids[1]]) == ["three"]
    assert read([START, ids[0]]) == ["<start>", "three"]


@pytest.mark.parametrize(
    ("words", "said"), [(["three", "million"], "no word 'million'"), (["one"] * 4, "4 words are more than 3")]
)
def test_what_cannot_be_encoded_is_refused(words, said):
    with pytest.raises(InputError, match=said):
        encode(words, 3)


def test_a_pair_is_words_and_digits_with_an_end():
    pairs = NumberPairs([307_040, 9])
    assert len(pairs) == 2
    assert pairs.source.shape == (2, SOURCE_LENGTH)
    assert pairs.target.shape == (2, TARGET_LENGTH)
    assert " ".join(read(pairs.source[0])) == WRITTEN_OUT[307_040]
    assert pairs.target[1].tolist() == [VOCABULARY.index("9"), END, *[PAD] * 5]
    assert [VOCABULARY[index] for index in pairs.target[0]] == [*"307040", "<end>"]
    assert all(torch.equal(pairs[1][name], getattr(pairs, name)[1]) for name in ("source", "target"))


def test_no_number_is_drawn_twice():
    train, unseen = number_pairs(3000, 500)
    assert (len(train), len(unseen)) == (3000, 500)
    assert len({*train.numbers, *unseen.numbers}) == 3500
    assert 0 not in {*train.numbers, *unseen.numbers}


def test_the_seed_draws_the_numbers():
    first, again, other = number_pairs(50, 10), number_pairs(50, 10), number_pairs(50, 10, seed=1)
    assert [pairs.numbers for pairs in first] == [pairs.numbers for pairs in again]
    assert not set(first[0].numbers) & set(other[0].numbers)
    # More numbers begin with the same ones: a larger run adds to a smaller.
    assert number_pairs(80, 10)[0].numbers[:50] == first[0].numbers


def test_zeros_are_frequent_and_lengths_differ():
    numbers = number_pairs(4000, 1)[0].numbers
    digits = "".join(map(str, numbers))
    assert 0.2 < digits.count("0") / len(digits) < 0.4
    assert all(digits.count(digit) / len(digits) > 0.05 for digit in "123456789")
    assert {len(str(number)) for number in numbers} >= {3, 4, 5, 6}
    assert sum(number < 100_000 for number in numbers) > 800


@pytest.mark.parametrize("sizes", [(0, 5), (5, 0), (250_000, 1)])
def test_sizes_that_cannot_be_drawn_are_refused(sizes):
    with pytest.raises(InputError, match=f"got {sizes[0]} and {sizes[1]}"):
        number_pairs(*sizes)

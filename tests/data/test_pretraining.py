import math

import pytest
import torch

from vitcourse.bert import (
    IGNORED,
    BertConfig,
    BertForPreTraining,
    SpecialTokens,
    make_pretraining_examples,
    mask_tokens,
)

SPECIAL = SpecialTokens(pad=0, cls=1, sep=2, mask=3)
PAD, CLS, SEP, MASK = 0, 1, 2, 3


def made(documents, vocab_size, max_length=16, seed=0, share=0.15):
    generator = torch.Generator().manual_seed(seed)
    return make_pretraining_examples(documents, vocab_size, max_length, SPECIAL, generator, share)


def books(count=40, sentences=12, words=6):
    """Every word names its document, sentence and place, so that each can be found again."""
    ids = 4 + torch.arange(count * sentences * words)
    return ids.view(count, sentences, words).tolist()


VOCAB = 4 + 40 * 12 * 6


def whole(examples):
    """The tokens before any were hidden."""
    return torch.where(examples["labels"] == IGNORED, examples["tokens"], examples["labels"])


def within(count, trials, p):
    """Four deviations of a binomial: 6 in 100,000 by chance, and the seed is fixed."""
    return abs(count - trials * p) <= 4 * math.sqrt(trials * p * (1 - p))


def parts(row):
    """A row of whole tokens as A and B, after a look at its frame."""
    ids = row.tolist()
    first, last = ids.index(SEP), len(ids) - 1 - ids[::-1].index(SEP)
    assert ids[0] == CLS
    assert ids.count(CLS) == 1
    assert ids.count(SEP) == 2
    assert set(ids[last + 1 :]) <= {PAD}
    assert PAD not in ids[:last]
    return ids[1:first], ids[first + 1 : last]


def test_an_example_by_hand():
    """Two documents; the seed is one where the first pair is true and the second is not."""
    documents = [[[10, 11], [12, 13, 14]], [[20], [21, 22]]]
    examples = next(
        e for e in (made(documents, 30, 10, s, 0.0) for s in range(99)) if e["next_sentence"].tolist() == [0, 1]
    )
    assert examples["tokens"][0].tolist() == [CLS, 10, 11, SEP, 12, 13, 14, SEP, PAD, PAD]
    assert examples["segments"][0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 0, 0]
    assert examples["mask"][0].tolist() == [True] * 8 + [False] * 2
    assert (examples["labels"] == IGNORED).all()
    assert examples["tokens"][1].tolist() in (
        [CLS, 20, SEP, 10, 11, SEP, PAD, PAD, PAD, PAD],
        [CLS, 20, SEP, 12, 13, 14, SEP, PAD, PAD, PAD],
    )


def test_shapes_and_types():
    examples = made(books(), VOCAB)
    kinds = {key: (tuple(value.shape), value.dtype) for key, value in examples.items()}
    long = ((40 * 11, 16), torch.int64)
    assert kinds == {
        "tokens": long, "segments": long, "mask": ((440, 16), torch.bool), "labels": long,
        "next_sentence": ((440,), torch.int64),
    }  # fmt: skip


def test_pairs_are_true_or_from_another_document():
    examples, documents = made(books(), VOCAB), books()
    places = [(d, s) for d in range(40) for s in range(11)]
    sources = set()
    for (d, s), row, is_random in zip(places, whole(examples), examples["next_sentence"], strict=True):
        first, second = parts(row)
        assert first == documents[d][s]
        where = divmod((second[0] - 4) // 6, 12)
        assert second == documents[where[0]][where[1]]
        if is_random:
            assert where[0] != d
            sources.add(where)
        else:
            assert where == (d, s + 1)
    assert within(examples["next_sentence"].sum().item(), 440, 0.5)
    assert len({d for d, _ in sources}) > 35
    assert {s for _, s in sources} == set(range(12))


def test_random_documents_are_drawn_evenly():
    """From three documents, each of the others has half of the chance, the first and the last as well."""
    examples = made(books(3, 1200, 1), VOCAB + 1000, 8)
    random = examples["next_sentence"] == 1
    of = torch.arange(3).repeat_interleave(1199)
    document = (whole(examples)[:, 3] - 4) // 1200
    for d in range(3):
        chosen = document[random & (of == d)]
        for other in {0, 1, 2} - {d}:
            assert within((chosen == other).sum().item(), len(chosen), 0.5)
        assert (chosen != d).all()


def test_segments_and_mask_follow_the_tokens():
    examples = made(books(), VOCAB)
    for row, segments, mask in zip(whole(examples), examples["segments"], examples["mask"], strict=True):
        a, b = (len(part) for part in parts(row))
        assert segments.tolist() == [0] * (a + 2) + [1] * (b + 1) + [0] * (16 - a - b - 3)
        assert mask.tolist() == [True] * (a + b + 3) + [False] * (16 - a - b - 3)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [(9, 3, (4, 3)), (3, 9, (3, 4)), (9, 9, (4, 3)), (6, 6, (4, 3)), (3, 4, (3, 4)), (1, 9, (1, 6))],
)
def test_the_longer_gives_way_and_the_words_where_they_meet_stay(a, b, expected):
    first, second = list(range(10, 10 + a)), list(range(30, 30 + b))
    seeds = (made([[first, second], [first]], 50, 10, seed, 0.0) for seed in range(99))
    examples = next(examples for examples in seeds if not examples["next_sentence"][0])
    left, right = parts(examples["tokens"][0])
    assert (len(left), len(right)) == expected
    assert left == first[a - expected[0] :]
    assert right == second[: expected[1]]


def test_fifteen_percent_are_chosen_and_split_80_10_10():
    documents = [[[4 + (i * 7 + j) % 500 for j in range(60)] for i in range(80)] for _ in range(20)]
    generator = torch.Generator().manual_seed(0)
    examples = make_pretraining_examples(documents, 504, special=SPECIAL, generator=generator)
    assert examples["tokens"].shape == (20 * 79, 128)
    original, tokens, labels = whole(examples), examples["tokens"], examples["labels"]
    words = ~torch.isin(original, SPECIAL.ids)
    chosen = labels != IGNORED
    assert (chosen & ~words).sum() == 0
    count, trials = chosen.sum().item(), words.sum().item()
    assert trials > 180_000
    assert within(count, trials, 0.15)
    masked = chosen & (tokens == MASK)
    assert within(masked.sum().item(), count, 0.8)
    # One in 500 of the random words is the word itself, and looks kept.
    kept = chosen & (tokens == original)
    assert within(kept.sum().item(), count, 0.1 + 0.1 / 500)
    swapped = chosen & ~masked & ~kept
    assert within(swapped.sum().item(), count, 0.1 * 499 / 500)
    assert not torch.isin(tokens[swapped], SPECIAL.ids).any()
    assert within((tokens[swapped] < 254).sum().item(), swapped.sum().item(), 0.5)
    assert torch.equal(tokens[~chosen], original[~chosen])


def test_each_place_is_chosen_alike():
    """No favour to the start of an example, to one of its rows, or to a segment."""
    tokens = torch.full((2000, 50), 9)
    _, labels = mask_tokens(tokens, 20, SPECIAL, torch.Generator().manual_seed(0))
    chosen = labels != IGNORED
    assert all(within(n, 2000, 0.15) for n in chosen.sum(dim=0).tolist())
    both = (chosen[:, 1:] & chosen[:, :-1]).sum().item()
    assert within(both, 2000 * 49, 0.15**2)


def test_special_tokens_are_never_chosen_nor_drawn():
    tokens = torch.arange(6).repeat(5000, 1)
    hidden, labels = mask_tokens(tokens, 6, SPECIAL, torch.Generator().manual_seed(0), 1.0)
    assert torch.equal(hidden[:, :4], tokens[:, :4])
    assert (labels[:, :4] == IGNORED).all()
    assert torch.equal(labels[:, 4:], tokens[:, 4:])
    assert set(hidden[:, 4:].unique().tolist()) == {MASK, 4, 5}
    assert within((hidden[:, 4:] == MASK).sum().item(), 10_000, 0.8)
    assert within((hidden[:, 4] == 5).sum().item(), 5_000, 0.05)


def test_the_same_seed_gives_the_same_examples():
    first, again, other = made(books(), VOCAB), made(books(), VOCAB), made(books(), VOCAB, seed=1)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not any(torch.equal(first[key], other[key]) for key in ("tokens", "labels", "next_sentence"))
    torch.manual_seed(3)
    unasked = torch.rand(1)
    torch.manual_seed(3)
    made(books(), VOCAB)
    assert torch.equal(torch.rand(1), unasked)


def test_the_given_tokens_stay_as_they_are():
    tokens, documents = torch.full((4, 50), 9), books(2, 2)
    mask_tokens(tokens, 20, SPECIAL, share=1.0)
    made(documents, VOCAB, 5)
    assert (tokens == 9).all()
    assert documents == books(2, 2)


def test_a_model_takes_the_examples_and_learns_them():
    config = BertConfig(
        dim=32, num_heads=2, depth=1, vocab_size=4 + 3 * 4 * 5, max_length=16, dropout=0, attn_dropout=0
    )
    model, examples = BertForPreTraining(config), made(books(3, 4, 5), config.vocab_size)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(100):
        output = model(**examples)
        optimiser.zero_grad()
        output.loss.backward()
        optimiser.step()
        losses.append([output.mlm_loss.item(), output.nsp_loss.item()])
    assert losses[0][0] == pytest.approx(math.log(64), rel=0.05)
    assert losses[0][1] == pytest.approx(math.log(2), rel=0.05)
    assert losses[-1][0] < 0.1
    assert losses[-1][1] < 0.1


GOOD = [[[5, 6], [7]], [[8], [9]]]


@pytest.mark.parametrize(
    ("documents", "vocab_size", "max_length", "words"),
    [
        (GOOD[:1], 20, 8, "another document, so two are needed, got 1"),
        ([[[5]], [[6]]], 20, 8, "no document has two sentences, got 2 documents"),
        ([GOOD[0], []], 20, 8, "document 1 is empty"),
        ([GOOD[0], [[8], []]], 20, 8, "document 1, sentence 1 is empty"),
        ([GOOD[0], [[8], [20]]], 20, 8, "document 1, sentence 1: token ids must be in 0 to 19, got 20"),
        ([GOOD[0], [[-8], [9]]], 20, 8, "document 1, sentence 0: token ids must be in 0 to 19, got -8"),
        ([GOOD[0], [[8], [9, MASK]]], 20, 8, r"sentence 1: .* special tokens \(0, 1, 2, 3\), got 3"),
        (GOOD, 20, 4, r"max_length must be at least 5 .*, got 4"),
        (GOOD, 3, 8, "below vocab_size = 3, got 3"),
    ],
)
def test_bad_input_is_named(documents, vocab_size, max_length, words):
    with pytest.raises(ValueError, match=words):
        made(documents, vocab_size, max_length)


def test_a_bad_share_is_named():
    with pytest.raises(ValueError, match=r"in 0 to 1, got 1\.5"):
        made(GOOD, 20, share=1.5)


def test_special_tokens_differ():
    with pytest.raises(ValueError, match=r"four different ids, got \(0, 1, 1, 103\)"):
        SpecialTokens(cls=1, sep=1)

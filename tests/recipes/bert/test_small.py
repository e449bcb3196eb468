"""The small BERT of lesson 04 on a text of a few sentences."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from vitcourse.bert import PreTrainingOutput
from vitcourse.data.pretraining import IGNORED
from vitcourse.data.text import SPECIAL
from vitcourse.recipes.bert import small

CHAPTER = """The {a} cat sat on the warm mat all day. The {b} dog ran to the cold river at night.

The {a} cat saw the {b} dog from the warm mat. The {b} dog did not see the {a} cat at all.
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    file = tmp_path_factory.mktemp("text") / "tale.txt"
    cats, dogs = ("black", "old", "big", "red", "sad", "shy", "fat"), ("white", "young")
    names = [(a, b) for a in cats for b in dogs]
    file.write_text("\n\n\n".join(CHAPTER.format(a=a, b=b) for a, b in names), encoding="utf-8")
    return small.read_corpus(file)


def test_what_is_held_out_is_not_trained_on(corpus):
    assert len(corpus.train) == 12
    assert len(corpus.held_out) == 2
    assert "The big cat" in corpus.held_out[0].sentences[0]
    assert corpus.held_out[0] not in corpus.train


def test_pairs_repeat_with_other_words_hidden(corpus):
    one, three = (corpus.pairs(corpus.train, rounds, 0.4, seed=0) for rounds in (1, 3))
    assert {name: len(column) for name, column in three.items()} == dict.fromkeys(three, 108)
    assert all(torch.equal(one[name], three[name][:36]) for name in one)
    assert not torch.equal(three["tokens"][:36], three["tokens"][36:72])
    assert torch.equal(corpus.test_pairs()["tokens"], corpus.test_pairs()["tokens"])


def test_the_start_follows_from_the_seed():
    first, again, other = (dict(small.build(seed).named_parameters()) for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    word = "bert.embeddings.word.weight"
    assert not torch.equal(first[word], other[word])
    assert first[word].std().item() == pytest.approx(small.START, rel=0.05)
    query, key, value = first["bert.encoder.layers.0.attn.qkv.weight"].chunk(3)
    assert torch.equal(query, key)
    assert not torch.equal(query, value)
    position = first["bert.embeddings.position.weight"]
    near = (position[1:] * position[:-1]).sum(dim=1)
    far = (position[8:] * position[:-8]).sum(dim=1)
    assert near.min() > far.max()


def test_the_loss_is_the_models_own(corpus):
    model = small.build(0, corpus.tokenizer.get_vocab_size()).double()
    batch = corpus.pairs(corpus.train, 1, 0.4, seed=0)
    expected = model(**batch)
    found = small.pretraining_loss(model, batch)
    torch.testing.assert_close(found["loss"], expected.loss)
    torch.testing.assert_close(found["mlm"], expected.mlm_loss)
    torch.testing.assert_close(found["nsp"], expected.nsp_loss)


def test_always_hidden_changes_asked_places_alone(corpus):
    before = corpus.pairs(corpus.train, 4, 0.4, seed=0)
    after = small.always_hidden(before)
    asked = before["labels"] != IGNORED
    assert (after["tokens"][asked] == SPECIAL.mask).all()
    assert torch.equal(after["tokens"][~asked], before["tokens"][~asked])
    assert (before["tokens"][asked] != SPECIAL.mask).any()
    assert after["labels"] is before["labels"]


@pytest.mark.parametrize("mixed", [True, False])
def test_it_is_trained_on_the_examples_of_its_seed(corpus, monkeypatch, mixed):
    given = []
    monkeypatch.setattr(small, "fit", lambda model, dataset, *_, **__: given.append(dataset))
    small.pretrain(corpus, training=replace(small.TRAINING, seed=3), rounds=2, mixed=mixed)
    examples = corpus.pairs(corpus.train, 2, small.HIDDEN, seed=3)
    expected = examples if mixed else small.always_hidden(examples)
    assert all(torch.equal(given[0].columns[name], expected[name]) for name in expected)
    assert len(given[0]) == len(expected["tokens"])


class Answers(nn.Module):
    """Fills every gap with the same word and says that every B is random."""

    def __init__(self, word, size):
        super().__init__()
        self.mlm, self.word, self.size = nn.Linear(1, 1), word, size  # where its weights are says where it runs

    def forward(self, tokens, segments, mask):
        logits = torch.zeros(*tokens.shape, self.size)
        logits[..., self.word] = 1
        return PreTrainingOutput(logits, torch.tensor([[0.0, 1.0]]).expand(len(tokens), 2))


def test_judge_by_hand():
    mask, word, other = SPECIAL.mask, 6, 7
    examples = {
        "tokens": torch.tensor([[2, mask, mask, 3, 0], [2, word, other, 3, other]]),
        "labels": torch.tensor([[IGNORED, word, other, IGNORED, IGNORED], [IGNORED, word, word, IGNORED, other]]),
        "next_sentence": torch.tensor([1, 0]),
    }
    examples |= {"segments": torch.zeros(2, 5, dtype=torch.long), "mask": examples["tokens"] != 0}
    model = Answers(word, 9).train()
    assert small.judge(model, examples) == {"hidden": 0.5, "swapped": 1.0, "kept": 0.5, "nsp": 0.5}
    assert model.training


def test_looks_by_hand(monkeypatch):
    """Two heads: one reads the left neighbour, one shares its attention out over all six tokens."""
    tokens = torch.zeros(1, small.LENGTH, dtype=torch.long)
    tokens[0, :6] = torch.tensor([2, SPECIAL.mask, 7, 8, SPECIAL.mask, 3])
    weights = torch.zeros(1, 2, small.LENGTH, small.LENGTH)
    weights[0, 0, [1, 4], [0, 3]] = 1
    weights[0, 1, :, :6] = 1 / 6
    name = "bert.encoder.layers.0.attn.weights"
    monkeypatch.setattr(small, "intermediates", lambda *_: (None, {name: weights}))
    examples = {"tokens": tokens, "segments": tokens * 0, "mask": tokens != 0}
    left, all_alike = small.looks(Answers(6, 9), examples, reach=2)
    assert left == [0, 1, 0, 0, 0]
    assert all_alike == pytest.approx([1 / 6] * 5)


def test_it_learns_and_at_rate_0_it_does_not(corpus):
    quick, steps = replace(small.TRAINING, lr=3e-3), []
    model = small.pretrain(corpus, training=quick, rounds=25, on_step=lambda model, step: steps.append(step))
    assert steps == list(range(len(steps)))
    assert len(steps) == 1 + -(-36 * 25 // 16)
    examples = corpus.pairs(corpus.train, 10, 0.15, seed=1)
    assert small.judge(model, examples)["hidden"] > 0.4
    idle = small.pretrain(corpus, training=replace(quick, lr=0.0), rounds=1)
    assert small.judge(idle, examples)["hidden"] < 0.2
    assert not model.training

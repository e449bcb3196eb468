"""The two tasks of the small BERT."""

from dataclasses import replace

import pytest
import torch

from vitcourse.data.pretraining import SpecialTokens
from vitcourse.data.text import SPECIAL, Document, train_wordpiece
from vitcourse.recipes.bert import small, tuning
from vitcourse.recipes.bert.word_counts import WordCounts

THINGS = {
    "sea": ["ship", "wave", "fish", "port", "sail", "tide"],
    "wood": ["tree", "leaf", "bird", "root", "moss", "deer"],
    "town": ["road", "shop", "wall", "gate", "roof", "lamp"],
}


@pytest.fixture(scope="module")
def corpus():
    documents = {
        title: [
            Document(title, [f"{verb} {one} and {two} there every day now." for two in things if two != one])
            for one in things
            for verb in ("We saw the", "They know that")
        ]
        for title, things in THINGS.items()
    }
    train = [document for one in documents.values() for document in one[:-2]]
    held_out = [document for one in documents.values() for document in one[-2:]]
    return small.Corpus(train_wordpiece(train, 300), train, held_out)


@pytest.fixture(scope="module")
def model(corpus):
    return small.build(0, corpus.tokenizer.get_vocab_size())


def test_rows_are_sentences_between_cls_and_sep(corpus):
    row, long = tuning.rows(corpus, ["We saw the ship.", "We saw the ship and " * 20])
    assert row[0] == long[0] == SPECIAL.cls
    words = row[(row != SPECIAL.pad).nonzero()[1:-1, 0]]
    assert corpus.tokenizer.decode(words.tolist()) == "we saw the ship ."
    assert row[len(words) + 1] == SPECIAL.sep
    assert not row[len(words) + 2 :].any()
    assert long[-1] == SPECIAL.sep


def test_topics_are_the_titles(corpus):
    train, test = tuning.topics(corpus, each=7)
    assert train["label"].bincount().tolist() == [7, 7, 7]
    assert len(test["label"]) == sum(len(document.sentences) for document in corpus.held_out)
    for part in (train, test):
        for tokens, label in zip(part["tokens"], part["label"], strict=True):
            text = corpus.tokenizer.decode(tokens.tolist())
            title = list(THINGS)[label]
            assert any(thing in text for thing in THINGS[title])
    assert torch.equal(train["tokens"], tuning.topics(corpus, each=7)[0]["tokens"])
    assert not torch.equal(train["tokens"], tuning.topics(corpus, each=7, seed=1)[0]["tokens"])


def test_one_word_of_each_sentence_is_wrong(corpus):
    train, test = tuning.wrong_words(corpus, sentences=20, copies=2)
    right = tuning.rows(corpus, [s for d in corpus.train for s in d.sentences]).tolist()
    for tokens, label in zip(train["tokens"].tolist(), train["label"].tolist(), strict=True):
        near = [row for row in right if sum(a != b for a, b in zip(row, tokens, strict=True)) == 1]
        assert any(row[label] != tokens[label] for row in near)
    assert len(train["label"]) == 20
    assert len(test["label"]) == 2 * sum(len(document.sentences) for document in corpus.held_out)
    assert not torch.equal(test["tokens"][: len(test["tokens"]) // 2], test["tokens"][len(test["tokens"]) // 2 :])
    assert not torch.isin(test["tokens"][torch.arange(len(test["label"])), test["label"]], SPECIAL.ids).any()


def test_only_words_are_suspected(corpus, model):
    tokens = tuning.wrong_words(corpus, sentences=4)[0]["tokens"]
    scores = tuning.WordHead(model.bert)(tokens)
    assert torch.equal(scores == -torch.inf, torch.isin(tokens, SPECIAL.ids))


def test_tuning_learns_and_leaves_the_model_alone(corpus, model, monkeypatch):
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    tasks = {"topics": tuning.topics(corpus, each=40), "wrong words": tuning.wrong_words(corpus, sentences=60)}
    monkeypatch.setattr(tuning, "TUNING", replace(tuning.TUNING, epochs=12, lr=3e-3))
    found = tuning.tuned(model, tasks)
    assert found["topics"] > 0.8
    assert found["wrong words"] > 0.4
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    monkeypatch.setattr(tuning, "TUNING", replace(tuning.TUNING, epochs=1, lr=0.0))
    idle = tuning.tuned(model, tasks)
    assert idle["topics"] < 0.6
    assert idle["wrong words"] < 0.3


def test_the_rarest_place_by_hand():
    counts = WordCounts([[[5, 6, 7], [5, 6, 7], [8, 9]]], 10, SpecialTokens(0, 2, 3, 4))
    task = {"tokens": torch.tensor([[2, 5, 8, 7, 3, 0], [2, 5, 6, 9, 3, 0]]), "label": torch.tensor([2, 3])}
    assert tuning.rarest_place(counts, task) == 1
    assert tuning.rarest_place(counts, task | {"label": torch.tensor([2, 2])}) == 0.5

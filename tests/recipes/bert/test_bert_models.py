"""The models that fill gaps in a page: kept at a few moments, and what is kept is a whole model."""

import json

import torch

from tests.recipes.bert.test_bert_text import CHAPTER
from vitcourse import results
from vitcourse.recipes.bert import bert_models, small


def test_the_moments_are_recorded_and_give_models_back(tmp_path, monkeypatch):
    text = tmp_path / "tale.txt"
    text.write_text("\n\n\n".join(CHAPTER.format(n=f"{n}th") for n in range(13)), encoding="utf-8")
    corpus = small.read_corpus(text)
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(small, "read_corpus", lambda: corpus)
    monkeypatch.setattr(small, "ROUNDS", 16)
    monkeypatch.setattr(bert_models, "MOMENTS", (0.0, 1.0))
    said = []
    content = json.loads(bert_models.record(None, said.append).read_text())
    assert [row["steps"] for row in content["rows"]] == list(map(int, content["models"]))
    assert len(said) == len(content["models"]) == 2
    assert content["words"][:5] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    start, end = (bert_models.from_page(packed) for packed in content["models"].values())
    assert start.config.vocab_size == len(content["words"])
    assert not torch.equal(start.mlm.bias, end.mlm.bias)


def test_eight_bits_cost_nothing_that_is_seen():
    recorded = results.load("bert_models")
    assert len(recorded["models"]) == len(bert_models.MOMENTS)
    assert all(abs(row["hidden"] - row["hidden_in_8_bits"]) < 0.005 for row in recorded["rows"])
    assert recorded["rows"][-1]["hidden_in_8_bits"] > 0.27  # the bound of lesson 04
    assert max(len(packed["bytes"]) for packed in recorded["models"].values()) < 300_000

"""The models that write numbers in a page: kept at a few moments, and what is kept is a whole model."""

import json
from dataclasses import replace

import torch

from vitcourse import results
from vitcourse.recipes.transformer import number_models, number_words


def test_the_moments_are_recorded_and_give_models_back(folder, monkeypatch):
    monkeypatch.setattr(number_words, "TRAIN", 64)
    monkeypatch.setattr(number_words, "UNSEEN", 8)
    monkeypatch.setattr(number_models, "TRAINING", replace(number_words.TRAINING, epochs=2))
    monkeypatch.setattr(number_models, "KEPT", (0, 2))
    said = []
    content = json.loads(number_models.record(None, said.append).read_text())
    assert list(content["models"]) == ["0", "2"]
    assert [row["epoch"] for row in content["rows"]] == [0, 1, 2]
    assert len(said) == 3
    start, end = (number_models.from_page(packed) for packed in content["models"].values())
    assert not torch.equal(start.source_embed.weight, end.source_embed.weight)


def test_eight_bits_cost_nothing_that_is_seen():
    recorded = results.load("number_models")
    assert len(recorded["models"]) == len(number_models.KEPT)
    assert all(abs(row["exact"] - row["exact_in_8_bits"]) < 0.005 for row in recorded["rows"])
    assert recorded["rows"][-1]["exact_in_8_bits"] > 0.99
    assert max(len(packed["bytes"]) for packed in recorded["models"].values()) < 300_000

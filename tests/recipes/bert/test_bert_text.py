"""The recorded run of lesson 04, on sizes that take seconds."""

import json
from dataclasses import replace

import pytest

from vitcourse import results
from vitcourse.recipes.bert import bert_text, small, tuning

CHAPTER = "The {n} cat sat on the warm mat all day. It did not move until the {n} evening came."


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "tale.txt"
    ends = ("black", "old", "big", "red", "sad", "shy", "fat", "new", "odd", "wet", "dry", "hot", "cold")
    file.write_text("\n\n\n".join(CHAPTER.format(n=n) for n in ends), encoding="utf-8")
    return file


def test_the_run_is_recorded(file, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(bert_text, "SEEDS", (0, 1))
    monkeypatch.setattr(small, "ROUNDS", 2)
    monkeypatch.setattr(tuning, "TUNING", replace(tuning.TUNING, epochs=1))
    said = []
    content = json.loads(bert_text.record(file, said.append).read_text())
    assert len(said) == 8
    assert [one["seed"] for one in content["seeds"]] == [0, 1]
    assert content["text"]["train"] == 11
    for one in content["seeds"]:
        assert set(one["right"]) == {"both ways", "left to right", "always hidden"}
        assert all(set(shares) == {"hidden", "swapped", "kept", "nsp"} for shares in one["right"].values())
        assert set(one["tuned"]) == {"pre-trained", "fresh", "counting"}
        assert [len(head) for head in one["looks"]] == [9, 9]
    assert content["seeds"][0]["right"] != content["seeds"][1]["right"]
    assert content["longer"]["rounds"] == 6
    assert content["longer"]["right"] != content["seeds"][0]["right"]["both ways"]
    assert set(content["counted"]) == {"unigram", "left", "both", "majority", "overlap"}
    assert content["model"]["depth"] == small.MODEL.depth


def test_left_to_right_hides_the_future():
    assert bert_text.WAYS["left to right"]["config"] == replace(small.MODEL, is_causal=True)
    assert not small.MODEL.is_causal


def test_always_hidden_neither_swaps_nor_keeps():
    assert bert_text.WAYS["always hidden"] == {"mixed": False}
    assert bert_text.WAYS["both ways"] == {}

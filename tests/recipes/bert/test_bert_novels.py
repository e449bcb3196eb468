"""The recorded run on a larger text, on sizes that take seconds."""

import json
from dataclasses import replace

from tests.recipes.bert.test_bert_text import CHAPTER
from vitcourse import results
from vitcourse.recipes.bert import bert_novels


def test_the_run_is_recorded(tmp_path, monkeypatch):
    ends = ("black", "old", "big", "red", "sad", "shy", "fat", "new", "odd", "wet", "dry", "hot", "cold")
    for title in ("one", "other"):
        text = "\n\n\n".join(CHAPTER.format(n=f"{title} {n}") for n in ends)
        (tmp_path / f"{title}.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(bert_novels, "TUNING_SEEDS", (0, 1))
    monkeypatch.setattr(bert_novels, "ROUNDS", 4)
    monkeypatch.setattr(bert_novels, "LABELLED", (4, 12))
    monkeypatch.setattr(bert_novels, "TUNING", replace(bert_novels.TUNING, epochs=1))
    said = []
    content = json.loads(bert_novels.record(tmp_path, said.append).read_text())
    assert content["text"]["titles"] == 2
    steps = content["training"]["steps"]
    assert [content["curve"][place]["step"] for place in (0, -1)] == [0, steps]
    assert set(content["right"]) == {"hidden", "swapped", "kept", "nsp"}
    assert set(content["counted"]) == {"unigram", "left", "both", "majority", "overlap"}
    assert [one["seed"] for one in content["tuned"]] == [0, 1]
    for one in content["tuned"]:
        assert set(one["pre-trained"]) == set(one["fresh"]) == {"4", "12", "topics"}
        assert one["pre-trained"] != one["fresh"]
        assert 0 <= one["counting"] <= 1
    assert content["model"]["depth"] == 2
    assert any("fine-tuned" in line for line in said)

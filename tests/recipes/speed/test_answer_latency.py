"""The recorded run of latencies at a small size: all ways answer alike, and all numbers are there."""

import torch

from vitcourse.recipes.speed import answer_latency


def test_one_row_at_a_small_size(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda model: model)  # takes a minute
    row = answer_latency.measured("resnet18", 32, rounds=2, seconds=0)
    assert set(row["milliseconds"]) == {"eager", "compiled", "onnxruntime"}
    assert all(value > 0 for value in row["milliseconds"].values())
    assert set(row["to_eager"]) == {"compiled", "onnxruntime"}
    assert max(row["apart"].values()) <= 1e-4
    assert set(row["megabytes"]) == {"model.onnx", "model.pt2"}
    assert row["megabytes"]["model.onnx"] > 40  # 11.2 million weights and two heads, in float32

"""The recorded run on the speed of the loop, on sizes that take seconds. No speed is asserted here."""

import json

import pytest

from vitcourse import results
from vitcourse.asl import ClassificationBBoxTransformer
from vitcourse.recipes.speed import loop_speed
from vitcourse.vit import VisionTransformer, ViTConfig

TINY = ViTConfig(image_size=32, patch_size=8, num_classes=0, dim=16, depth=1, num_heads=2)


def test_every_way_is_timed_in_every_round(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(loop_speed, "MODELS", {"tiny": lambda: ClassificationBBoxTransformer(VisionTransformer(TINY))})
    for name, value in {"BATCH": 4, "STEPS": 2, "ROUNDS": 2}.items():
        monkeypatch.setattr(loop_speed, name, value)
    monkeypatch.setattr(loop_speed, "LOOPS", {k: v for k, v in loop_speed.LOOPS.items() if not v["workers"]})
    clock = iter(range(0, 10_000, 2))
    monkeypatch.setattr(loop_speed.time, "perf_counter", lambda: float(next(clock)))
    content = json.loads(loop_speed.record(None, lambda line: None).read_text())
    rows = {row["way"]: row for row in content["rows"]}
    assert list(rows) == ["model alone", "batches", "images one by one", "no augmentation"]
    assert rows["model alone"]["images_per_second"] == {"median": 4, "least": 4, "greatest": 4}  # 8 images in 2 s
    assert rows["model alone"]["share"]["median"] == 1
    for row in rows.values():
        shares, speeds = row["share"], row["images_per_second"]
        assert speeds["median"] == 4  # by the same clock
        assert shares["median"] == pytest.approx(speeds["median"] / 4)
        assert shares["least"] <= shares["median"] <= shares["greatest"]
    assert [row["way"] for row in content["kernels"]] == list(loop_speed.KERNELS)
    assert {row["of"] for row in content["kernels"]} == {"float32"}

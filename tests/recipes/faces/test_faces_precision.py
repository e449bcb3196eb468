"""The recorded run of lesson 12's model and its forms, on sizes that take seconds."""

import json
from dataclasses import replace

import pytest
import torch

from vitcourse import results
from vitcourse.faces import train_faces
from vitcourse.recipes.faces import faces_precision as recipe


@pytest.fixture
def tiny(monkeypatch):
    """Two people, of 32 pixels, and four strangers."""
    sizes = {"PEOPLE": 2, "SIZE": 32, "EACH": {"train": 6, "valid": 2, "test": 2}, "STRANGERS": 4, "OF_EACH": 1}
    for name, value in sizes.items():
        monkeypatch.setattr(recipe, name, value)
    vit = replace(recipe.RUN.vit, image_size=32, depth=2)
    run = replace(recipe.RUN, vit=vit, training=replace(recipe.RUN.training, epochs=12, batch_size=6))
    monkeypatch.setattr(recipe, "RUN", run)
    return run


def test_parts_hold_other_pictures_of_the_same_people_and_strangers_are_others(tiny):
    parts = recipe.faces(0, tests=3)
    assert [len(part) for part in parts.values()] == [12, 4, 6, 4]
    assert parts["test"].labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert parts["strangers"].labels.tolist() == [2, 3, 4, 5]
    images = torch.cat([part.images for part in parts.values()]).flatten(1)
    assert len(images.unique(dim=0)) == 26
    assert not torch.equal(recipe.faces(1, tests=3)["valid"].images, parts["valid"].images)


def test_all_forms_of_a_trained_model_are_measured(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    for name, value in {"SEEDS": (0,), "TESTS": 5, "ROUNDS": 2, "SECONDS": 0}.items():
        monkeypatch.setattr(recipe, name, value)
    (row,) = json.loads(recipe.record(None, lambda line: None).read_text())["rows"]
    assert len(row["log"]) == len(row["plain_log"]) == 12
    assert row["log"] != row["plain_log"]
    assert row["plain_log"][-1]["loss"] < 0.9 * row["plain_log"][0]["loss"]
    assert set(row["open_set"]) >= {"named", "refused", "rejected"}
    forms = row["forms"]
    assert list(forms) == ["float32", "bfloat16", "onnxruntime", "int8"]
    assert forms["onnxruntime"]["otherwise"] == 0  # the same numbers in another program
    assert forms["bfloat16"]["megabytes"] == pytest.approx(forms["float32"]["megabytes"] / 2, abs=0.001)
    assert forms["int8"]["megabytes"] < 0.7 * forms["onnxruntime"]["megabytes"]
    assert all(form["milliseconds"] > 0 for form in forms.values())
    assert {name for name, form in forms.items() if "to_full" in form} == {"bfloat16", "onnxruntime", "int8"}


def test_nothing_is_learned_at_rate_0(tiny):
    still = replace(tiny, training=replace(tiny.training, lr=0.0, epochs=3))
    _, log, _ = train_faces(still, recipe.faces(0))
    assert log[-1]["valid_accuracy"] == log[0]["valid_accuracy"]
    assert log[-1]["loss"] > 0.9 * log[0]["loss"]

"""The programs behind book/results, on sizes that take seconds."""

import importlib
import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from vitcourse import results
from vitcourse.asl import runs
from vitcourse.data.asl import synthesise
from vitcourse.recipes import RECIPES, asl_real, asl_rendered, sign_backbone


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path / "book" / "results")
    return tmp_path


def test_sign_backbone_leaves_weights_that_load(folder, monkeypatch):
    weights = folder / "assets" / "sign_backbone.safetensors"
    monkeypatch.setattr(sign_backbone, "PRETRAINED", weights)
    monkeypatch.setattr(runs, "PRETRAINED", weights)
    monkeypatch.setattr(sign_backbone, "TRAIN", 52)
    monkeypatch.setattr(sign_backbone, "HELD_OUT", 26)
    monkeypatch.setattr(sign_backbone, "TRAINING", replace(sign_backbone.TRAINING, epochs=2))
    said = []
    file = sign_backbone.record(None, said.append)
    content = json.loads(file.read_text())
    assert file == folder / "book" / "results" / "sign_backbone.json"
    assert [entry["epoch"] for entry in content["log"]] == [1, 2]
    assert len(said) == 3
    state = load_file(weights)
    assert {tensor.dtype for tensor in state.values()} == {torch.float16}
    assert weights.stat().st_size < 8 * 2**20
    backbone = runs.sign_backbone()
    torch.testing.assert_close(backbone.pos_embed, state["pos_embed"].float())


def test_close_ups_of_train_and_held_out_are_different_pictures(monkeypatch):
    monkeypatch.setattr(sign_backbone, "TRAIN", 26)
    train, held_out = sign_backbone.CloseUps(26, 0), sign_backbone.CloseUps(26, 26)
    assert torch.equal(train.labels, held_out.labels)
    assert not (train.images == held_out.images).flatten(1).all(dim=1).any()


def test_asl_real_records_every_run_and_seed(folder, monkeypatch):
    synthesise(folder / "signs", train=26, valid=26, test=0, size=32)
    quick = {
        title: replace(run, image_size=32, training=replace(run.training, epochs=1))
        for title, run in asl_real.RUNS.items()
        if run.backbone == "vit"
    }
    monkeypatch.setattr(asl_real, "RUNS", quick)
    monkeypatch.setattr(asl_real, "SEEDS", (0, 1))
    content = json.loads(asl_real.record(folder / "signs", lambda line: None).read_text())
    assert [(row["title"], row["seed"]) for row in content["rows"]] == [(title, s) for title in quick for s in (0, 1)]
    assert all(set(row["valid"]) >= {"accuracy", "loss", "iou50", "iou75", "iou90"} for row in content["rows"])
    assert content["data"]["name"] == "an export that the course does not know"
    assert (content["data"]["train"], content["data"]["valid"]) == (26, 26)
    assert content["rows"][0]["train"] != content["rows"][1]["train"]


def test_asl_rendered_needs_no_data(folder, monkeypatch):
    monkeypatch.setattr(asl_rendered, "PICTURES", asl_rendered.PICTURES | {"train": 26, "valid": 26})
    quick = {title: replace(run, training=replace(run.training, epochs=1)) for title, run in asl_rendered.RUNS.items()}
    monkeypatch.setattr(asl_rendered, "RUNS", quick)
    monkeypatch.setattr(asl_rendered, "SEEDS", (0,))
    content = json.loads(asl_rendered.record(None, lambda line: None).read_text())
    assert [row["title"] for row in content["rows"]] == ["pretrained", "from scratch"]


@pytest.mark.parametrize("recipe", [asl_real, asl_rendered])
def test_the_two_starts_differ_in_nothing_else(recipe):
    pretrained, scratch = sorted(recipe.RUNS.values(), key=lambda run: run.backbone, reverse=True)
    assert (pretrained.backbone, scratch.backbone) == ("vit-signs", "vit")
    assert replace(pretrained, backbone="vit") == scratch


def test_every_recipe_is_there_to_be_called():
    for name in RECIPES:
        assert callable(importlib.import_module(f"vitcourse.recipes.{name}").record)

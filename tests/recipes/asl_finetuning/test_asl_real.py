"""The trainings from several starts, on sizes that take seconds."""

import json
from dataclasses import replace

import pytest
import torch

from vitcourse.asl import trainer
from vitcourse.data.asl import synthesise
from vitcourse.recipes.asl_finetuning import asl_real, asl_rendered


@pytest.fixture
def small_real(folder, monkeypatch):
    """The recipe on few rendered signs that lie where the photos would."""
    synthesise(folder / "signs", train=78, valid=26, test=0, size=32)
    quick = {title: replace(run, training=replace(run.training, epochs=1)) for title, run in asl_real.RUNS.items()}
    monkeypatch.setattr(asl_real, "RUNS", quick)
    monkeypatch.setattr(asl_real, "SEEDS", (0, 1))
    small = tuple(one | {"image_size": one["image_size"] // 2} for one in asl_real.TRIES)
    monkeypatch.setattr(asl_real, "TRIES", small)
    return folder / "signs"


def test_asl_real_records_every_run_and_seed(small_real):
    content = json.loads(asl_real.record(small_real, lambda line: None).read_text())
    assert [(row["title"], row["seed"]) for row in content["rows"]] == [
        (title, seed) for title in asl_real.RUNS for seed in (0, 1)
    ]
    for name in ("valid", "valid_with_mirror"):
        assert all(set(row[name]) >= {"accuracy", "loss", "iou50", "iou75", "iou90"} for row in content["rows"])
    assert content["rows"][0]["valid"]["loss"] != content["rows"][0]["valid_with_mirror"]["loss"]
    assert content["data"]["name"] == "an export that the course does not know"
    assert content["hold_out"] == {"share": 0.2, "train": 78, "kept": 52, "held_out": 26, "valid": 26}
    assert content["rows"][0]["train"] != content["rows"][1]["train"]


def test_asl_real_chooses_on_the_hold_out_and_reads_valid_once(small_real, monkeypatch):
    fit, calls = trainer.fit_signs, []

    def watched(model, run, train, judged, *rest, **options):
        log = fit(model, run, train, judged, *rest, **options)
        calls.append((run, len(train), None if judged is None else len(judged)))
        if judged is not None:  # the second is the best
            log[-1]["held_out_score"] = float(len(calls) == 2)
        return log

    monkeypatch.setattr(trainer, "fit_signs", watched)
    content = json.loads(asl_real.record(small_real, lambda line: None).read_text())
    assert [count for _, *count in calls] == [[52, 26]] * 3 + [[78, None]] * 4
    assert content["settings"] == asl_real.TRIES[1]
    chosen = [{name: getattr(run, name) for name in asl_real.TRIES[1]} for run, *_ in calls]
    assert chosen == [*asl_real.TRIES, *[asl_real.TRIES[1]] * 4]
    assert not any(name.startswith("valid") for row in content["rows"] for name in row["log"][0])


@pytest.fixture
def small_rendered(folder, monkeypatch):
    monkeypatch.setattr(asl_rendered, "PICTURES", asl_rendered.PICTURES | {"train": 78, "valid": 26})
    for name in ("RUNS", "HEADS"):
        quick = {
            title: replace(one, training=replace(one.training, epochs=1)) if name == "RUNS" else replace(one, epochs=2)
            for title, one in getattr(asl_rendered, name).items()
        }
        monkeypatch.setattr(asl_rendered, name, quick)
    last = replace(asl_rendered.AFTERWARDS, training=replace(asl_rendered.AFTERWARDS.training, epochs=1))
    monkeypatch.setattr(asl_rendered, "AFTERWARDS", last)
    monkeypatch.setattr(asl_rendered, "SEEDS", (0,))
    monkeypatch.setattr(asl_rendered, "MOMENTS", (0, 1))


def test_asl_rendered_records_every_way_and_reads_valid_at_the_end_alone(small_rendered):
    content = json.loads(asl_rendered.record(None, lambda line: None).read_text())
    titles = ["wide heads", asl_rendered.AFTER, "one matrix", *asl_rendered.RUNS]
    assert [row["title"] for row in content["rows"]] == titles
    assert not any(name.startswith("valid") for row in content["rows"] for name in row["log"][0])
    heads, after, *_ = content["rows"]
    assert heads["valid"] != after["valid"]
    assert list(content["opening"]) == ["0", "1", "end"]
    assert all(len(one["boxes"]) == len(one["letters"]) == 6 for one in content["opening"].values())
    assert content["opening"]["0"] != content["opening"]["end"]


def test_heads_of_one_matrix_begin_with_the_usual_answer():
    boxes = torch.rand(5, 4)
    model = asl_rendered.two_heads(boxes)
    logits, found = model.eval()(torch.randn(2, 3, 96, 96))
    torch.testing.assert_close(found, boxes.mean(dim=0).expand(2, 4))
    assert logits.unique().numel() == 1
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert {name.split(".")[0] for name in trained} == {"classifier", "bounding_box"}


@pytest.mark.parametrize("recipe", [asl_real, asl_rendered])
def test_the_two_starts_differ_in_nothing_else(recipe):
    scratch = recipe.RUNS["from scratch" if recipe is asl_rendered else "ViT, from scratch"]
    assert scratch.backbone == "vit"
    assert replace(scratch, backbone="vit-signs") in recipe.RUNS.values()

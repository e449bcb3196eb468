"""The results table, on sizes that take seconds: what is chosen on what, and what is written."""

import json
import math
from dataclasses import replace
from statistics import stdev

import pytest
import torch
from torchvision.models import resnet18
from transformers import ViTModel

from tests.asl.test_model import THEIRS
from vitcourse.asl import SignRun, trainer
from vitcourse.asl.parts import Parts
from vitcourse.asl.table import PUBLISHED, compared_table, interval
from vitcourse.data.asl import Copy, load
from vitcourse.errors import InputError
from vitcourse.recipes.asl_data import photos
from vitcourse.recipes.asl_finetuning import asl_table, asl_table_in21k, asl_table_real
from vitcourse.recipes.asl_finetuning import rows as table_rows
from vitcourse.recipes.asl_finetuning.rows import HOLD_OUT, Row, all_rows, five_rows
from vitcourse.training import TrainingConfig

QUICK = TrainingConfig(epochs=1, batch_size=32, lr=1e-3)
VIT = SignRun("vit", image_size=32, classification_divisor=1.0, training=QUICK)
RESNET = SignRun("resnet18", image_size=32, classification_divisor=1.0, training=QUICK)


@pytest.fixture(scope="module")
def parts(export):
    return Parts(export)


def settings_of(row):
    return {name: row[name] for name in ("title", "published", "chosen_on", "valid_read")}


def test_the_rendered_table_holds_six_rows_of_every_seed(folder, monkeypatch):
    for name, value in {
        "PICTURES": asl_table.PICTURES | {"train": 78, "valid": 26, "size": 32},
        "SEEDS": (0, 1),
        "VIT": VIT,
        "RESNET": VIT,  # any backbone will do here
        "RATES": (1e-3,),
        "DIVISORS": (10.0, 30.0),
    }.items():
        monkeypatch.setattr(asl_table, name, value)
    said = []
    content = json.loads(asl_table.record(None, said.append).read_text())
    assert len(content["rows"]) == 12
    assert {row["published"] for row in content["rows"]} == set(PUBLISHED)
    assert {row["seed"] for row in content["rows"]} == {0, 1}
    assert content["hold_out"] == {"share": 0.2, "train": 78, "kept": 52, "held_out": 26, "valid": 26}
    assert len(said) == 3 + 3 + 3 + 3 + 2 + 2  # tries, and one more seed
    for row in content["rows"]:
        boxes = row["title"] != "ViT, letters only"
        assert set(row["valid"]) == {"accuracy", "loss", *(("iou50", "iou75", "iou90", "mean_iou") if boxes else ())}
        assert isinstance(row["cpu_seconds"], float)
        assert row["epochs"] == row["epoch"] == 1
        assert row["parameters"] > 1e6
    divisor = {row["title"]: row["settings"].get("classification_divisor") for row in content["rows"]}
    assert divisor["ViT, without C"] is None
    assert divisor["ViT, C, sigmoid"] in (10.0, 30.0)
    assert len({divisor[title] for title in divisor if ", C, " in title}) == 1
    table = compared_table(content["rows"])
    assert all(f"{name} (published)" in table for name in PUBLISHED)
    assert table.count("<tr>") == 1 + 5 + 6


def scripted(monkeypatch, parts, scores):
    """Trainings that are not done: each gives the score that its settings have; says what was measured on what."""
    reads = []
    which = {count: name for name, count in parts.counts(HOLD_OUT).items()}

    def fit_signs(model, run, train, judged, *_, **options):
        name = "held_out" if run.hold_out else "valid"
        reads.append((name, which[len(train)], which[len(judged)], run))
        value = scores(run)
        return [{"epoch": 1, f"{name}_score": value - 0.1}, {"epoch": 2, f"{name}_score": value}]

    def evaluate(model, part):
        reads.append(("measured", which[len(part)]))
        return {"accuracy": 0.5, "loss": 1.0, "iou50": 1.0, "iou75": 0.5, "iou90": 0.1, "mean_iou": 0.7}

    monkeypatch.setattr(trainer, "fit_signs", fit_signs)
    monkeypatch.setattr(table_rows, "evaluate", evaluate)
    return reads


def test_everything_is_chosen_on_the_hold_out(parts, monkeypatch):
    scores = {0.1: 0.3, 0.01: 0.6, 0.001: 0.2}
    reads = scripted(monkeypatch, parts, lambda run: scores[run.training.lr] + 0.01 * run.classification_divisor)
    tries = tuple({"lr": rate} for rate in scores)
    rows = [
        Row("first", "ResNet-18", VIT, tries),
        Row("second", "ResNet-18", VIT, tuple({"classification_divisor": c} for c in (2.0, 5.0, 3.0)), like="first"),
        Row("as the project", "ResNet-18", VIT, like="second", on_valid=True),
    ]
    content = all_rows(rows, parts, (4, 5, 6), lambda line: None)
    chosen = [choice["settings"] for choice in content["choices"] if choice["chosen"]]
    assert chosen == [{"lr": 0.01}] + 2 * [{"lr": 0.01, "classification_divisor": 5.0}]
    assert [row["settings"] for row in content["rows"][::3]] == chosen
    assert [row["seed"] for row in content["rows"]] == [4, 5, 6] * 3
    trained = [entry for entry in reads if entry[0] != "measured"]
    honest, practice = trained[:-3], trained[-3:]
    assert len(honest) == 3 + 2 + 3 + 2
    assert all(entry[:3] == ("held_out", "kept", "held_out") for entry in honest)
    assert all(entry[:3] == ("valid", "train", "valid") for entry in practice)
    assert {entry[3].training.choose for entry in practice} == {"valid_score"}
    # Valid is read once for each recorded run, and for no try that was given up.
    assert [entry[1] for entry in reads if entry[0] == "measured"] == ["kept", "valid"] * 6 + ["train", "valid"] * 3
    assert [row["valid_read"] for row in content["rows"]] == [1] * 6 + [VIT.training.epochs + 1] * 3
    assert content["rows"][-1]["chosen_on"] == "valid, as the project did"
    assert all(row["epoch"] == 2 for row in content["rows"])


def test_a_plateau_watches_what_the_row_is_chosen_on(parts, monkeypatch):
    reads = scripted(monkeypatch, parts, lambda run: 0.5)
    for on_valid in (False, True):
        table_rows.train_row(Row("x", "ResNet-18", VIT, on_valid=on_valid), table_rows.PLATEAU, 0, parts)
    watched = [entry[3].training for entry in reads]
    assert [config.monitor for config in watched] == [config.choose for config in watched]
    assert [config.monitor for config in watched] == ["held_out_score", "valid_score"]


def test_the_rows_are_the_projects():
    rows = five_rows(VIT, RESNET, (1e-3, 3e-4), (1e-2,), (10.0, 100.0))
    assert [row.published for row in rows] == [*PUBLISHED, list(PUBLISHED)[-1]]
    runs = {row.title: row.run for row in rows}
    assert runs["ViT, letters only"].task == "letters"
    assert [runs[name].box_sigmoid for name in ("ViT, without C", "ViT, C, sigmoid", "ViT, C, no sigmoid")] == [1, 1, 0]
    assert rows[0].tries == ({"lr": 1e-3}, {"lr": 3e-4}, {"lr": 1e-3} | table_rows.PLATEAU)
    assert rows[3].tries == ({"classification_divisor": 10.0}, {"classification_divisor": 100.0})
    assert [row.on_valid for row in rows] == [False] * 5 + [True]
    assert rows[5].run == rows[4].run


def test_the_real_table_parts_no_copies(folder, export, monkeypatch):
    train = load(export, "train")
    pair = [Copy(train.files[0], train.files[1], 0.9, False)]
    monkeypatch.setattr(photos, "copies_within", lambda dataset, say: pair)
    seen = {}

    def rows_of(rows, parts, seeds, say):
        seen.update(copies=parts.copies, rows=rows, seeds=seeds)
        return {"rows": []}

    monkeypatch.setattr(asl_table_real, "all_rows", rows_of)
    content = json.loads(asl_table_real.record(export, lambda line: None).read_text())
    assert seen["copies"] == pair
    assert content["data"]["name"] == "an export that the course does not know"
    assert len(seen["seeds"]) >= 3
    assert all(row.run.training == asl_table_real.TRAINING for row in seen["rows"])
    for recipe in (asl_table_real, asl_table_in21k):
        with pytest.raises(InputError, match="--data"):
            recipe.record(None)


def test_the_table_of_the_projects_models_runs_on_local_weights(folder, export, monkeypatch):
    """The code path of ViT-B/16 and ResNet-18, through ``from_pretrained`` and a file of weights, on small ones."""
    ViTModel(THEIRS).save_pretrained(folder / "vit")
    torch.save(resnet18().state_dict(), folder / "resnet18.pth")
    monkeypatch.setenv("VITCOURSE_VIT", str(folder / "vit"))
    monkeypatch.setenv("VITCOURSE_RESNET", str(folder / "resnet18.pth"))
    vit, _ = asl_table_in21k.runs()
    assert (vit.frozen_layers, vit.training.epochs) == (6, 10)
    monkeypatch.setattr(asl_table_in21k, "TRAINING", replace(asl_table_in21k.TRAINING, epochs=1))
    monkeypatch.setattr(asl_table_in21k, "FROZEN", 2)
    for name in ("RATES", "RESNET_RATES", "DIVISORS"):
        monkeypatch.setattr(asl_table_in21k, name, (10.0,) if name == "DIVISORS" else (1e-4,))
    monkeypatch.setattr(asl_table_in21k, "SEEDS", (0,))
    monkeypatch.setattr(photos, "copies_within", lambda dataset, say: [])
    small = asl_table_in21k.runs
    monkeypatch.setattr(asl_table_in21k, "runs", lambda: (small()[0], replace(small()[1], image_size=32)))
    content = json.loads(asl_table_in21k.record(export, lambda line: None).read_text())
    assert [row["backbone"] for row in content["rows"]][:2] == [
        str(folder / "vit"),
        f"resnet18:{folder / 'resnet18.pth'}",
    ]
    assert {row["image_size"] for row in content["rows"]} == {32}


def test_the_names_without_local_weights(monkeypatch):
    for name in ("VITCOURSE_VIT", "VITCOURSE_RESNET"):
        monkeypatch.delenv(name, raising=False)
    vit, resnet = asl_table_in21k.runs()
    assert (vit.backbone, resnet.backbone) == ("google/vit-base-patch16-224-in21k", "resnet18-imagenet")


def test_an_interval_by_hand():
    """Of 1, 2, 3: mean 2, deviation 1, and Student's t of two degrees of freedom over the root of 3.

    At 97.5% that t is sqrt(2) 0.95 / sqrt(1 - 0.95²), and of one degree of freedom it is tan(0.475 pi).
    """
    middle, half = interval([1.0, 2.0, 3.0])
    assert middle == 2.0
    assert half == pytest.approx(2**0.5 * 0.95 / (1 - 0.95**2) ** 0.5 / 3**0.5)
    assert interval([1.0, 3.0])[1] == pytest.approx(math.tan(0.475 * math.pi))
    assert interval([0.5, 0.5])[1] == 0
    assert interval(range(40))[1] == pytest.approx(1.96 * stdev(range(40)) / 40**0.5, rel=0.04)  # nearly a normal
    with pytest.raises(ValueError, match="at least 2 values, got 1"):
        interval([1.0])

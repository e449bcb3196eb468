"""``vitcourse train asl`` with its choices of loss, schedule and hold-out, and what it refuses."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from PIL import Image
from torchvision.models import resnet18

from vitcourse.asl.runs import RUN
from vitcourse.data.asl import load, synthesise
from vitcourse.training import CHECKPOINT, LOG, WEIGHTS
from vitcourse.training.description import UnfinishedNote, described
from vitcourse.training.export import OnnxModel

pytestmark = pytest.mark.trains
QUICK = ["--backbone", "vit", "--epochs", "2", "--image-size", "32", "--batch-size", "26"]


@pytest.fixture(scope="module")
def signs(tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "signs"
    synthesise(out, train=78, valid=26, test=0, size=32, seed=1)
    return out


def log_of(folder):
    return [json.loads(line) for line in (folder / LOG).read_text().splitlines()]


def test_a_run_that_holds_out_does_not_read_valid(command, signs, tmp_path):
    """Chosen and slowed down on photos held out of train; the valid split may be missing altogether."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "train").symlink_to(signs / "train")
    out = tmp_path / "run"
    options = ["--hold-out", "0.2", "--schedule", "plateau", "--box-loss", "giou", "--balance", "uncertainty"]
    status, printed, error = command(
        "train", "asl", "--data", data, "--out", out, *QUICK, *options, "--accumulate", "2"
    )
    assert status == 0, error
    assert "photos held out of train" in printed
    log = log_of(out)
    assert {"held_out_score", "letter_weight", "box_weight"} <= set(log[0])
    assert not [name for name in log[0] if name.startswith("valid")]
    run = json.loads((out / RUN).read_text())["settings"]
    assert (run["training"]["choose"], run["training"]["monitor"]) == ("held_out_score", "held_out_score")
    assert (run["box_loss"], run["balance"], run["hold_out"]) == ("giou", "uncertainty", 0.2)
    status, printed, _ = command("evaluate", out, "--data", signs, "--json")
    assert (status, json.loads(printed)["notes"]) == (0, [])
    printed = command("evaluate", out, "--data", signs, "--split", "train")[1]
    assert "the run was trained on 52 of these 78 images; how it does on others" in printed
    assert "loss" in torch.load(out / CHECKPOINT, weights_only=True)


def test_frozen_layers_without_augmentation(command, signs, tmp_path, monkeypatch):
    """What the frozen layers give is computed once, and the run is one like any other."""
    from vitcourse.asl import trainer as recipe

    made = []
    real = recipe.FrozenFeatures
    monkeypatch.setattr(recipe, "FrozenFeatures", lambda *options: made.append(options[2]) or real(*options))
    arguments = ["train", "asl", "--data", signs, *QUICK, "--freeze", "4"]
    assert command(*arguments, "--out", tmp_path / "augmented")[0] == 0
    assert made == []
    assert command(*arguments, "--out", tmp_path / "cached", "--no-augment")[0] == 0
    assert made == [4]
    assert {RUN, WEIGHTS, CHECKPOINT, LOG} == {path.name for path in (tmp_path / "cached").iterdir()}
    augmented, cached = (log_of(tmp_path / name) for name in ("augmented", "cached"))
    assert cached[1]["loss"] < cached[0]["loss"]
    assert cached[0]["loss"] != pytest.approx(augmented[0]["loss"], rel=1e-4)  # other images, and nothing else


def test_a_preset_gives_way_to_options_and_trains_on_tight_boxes(command, signs, tmp_path, monkeypatch):
    """As the recorded run, but for what is said otherwise; and it can be resumed."""
    from vitcourse.asl import parts, trainer

    seen, real = [], trainer.fit
    tight = load(signs, "train").boxes * 0.5 + 0.25
    monkeypatch.setattr(parts, "tighten", lambda *_, **options: SimpleNamespace(boxes=tight))
    monkeypatch.setattr(trainer, "fit", lambda model, items, *r, **o: seen.append(items) or real(model, items, *r, **o))
    out = tmp_path / "run"
    arguments = ["train", "asl", "--data", signs, "--out", out, *QUICK, "--preset", "reach", "--box-loss", "l1"]
    status, _, error = command(*arguments)
    assert status == 0, error
    run = json.loads((out / RUN).read_text())["settings"]
    assert {name: run[name] for name in ("box_head", "labels", "strong", "box_loss")} == {
        **{"box_head": "sides", "labels": "tight", "strong": True, "box_loss": "l1"},
    }
    assert (run["training"]["epochs"], run["training"]["precision"], run["image_size"]) == (2, "bf16", 32)
    assert seen[0].images.shape == (78, 3, 48, 48)
    assert seen[0].boxes is tight
    assert command(*arguments, "--resume", "--epochs", "3")[0] == 0
    assert [entry["epoch"] for entry in log_of(out)] == [1, 2, 3]
    photo = next((signs / "valid").glob("*.jpg"))
    once, twice = (command("predict", out, photo, "--json", *more)[1] for more in ([], ["--second-look"]))
    assert json.loads(once)["box"] != json.loads(twice)["box"]


def test_letters_alone(command, signs, tmp_path):
    status, _, _ = command("train", "asl", "--data", signs, "--out", tmp_path / "run", *QUICK, "--task", "letters")
    assert status == 0
    entry = log_of(tmp_path / "run")[0]
    assert entry["loss"] == pytest.approx(entry["classification"])
    assert entry["valid_score"] == entry["valid_accuracy"]


@pytest.mark.parametrize("existing", [False, True])
def test_a_training_that_fails_at_once_leaves_nothing(command, signs, tmp_path, existing):
    out = tmp_path / "runs" / "run"
    if existing:
        out.mkdir(parents=True)
        (out / "notes.txt").write_text("mine")
    status, _, error = command("train", "asl", "--data", signs, "--out", out, *QUICK, "--lr", "1e30")
    assert status == 2
    assert "try a lower lr" in error.splitlines()[-1]
    assert [path.name for path in out.iterdir()] == ["notes.txt"] if existing else not out.exists()


def test_a_model_without_its_checkpoint_is_left_alone(command, signs, tmp_path):
    out = tmp_path / "run"
    out.mkdir()
    (out / WEIGHTS).write_bytes(b"a model")
    status, _, error = command("train", "asl", "--data", signs, "--out", out, *QUICK)
    assert status == 2
    assert "a trained model in it already; name another folder" in error
    assert [path.name for path in out.iterdir()] == [WEIGHTS]


def test_a_run_is_not_resumed_on_other_data(command, signs, tmp_path):
    other, out = tmp_path / "other", tmp_path / "run"
    synthesise(other, train=78, valid=26, test=0, size=32, seed=2)
    assert command("train", "asl", "--data", signs, "--out", out, *QUICK)[0] == 0
    status, _, error = command("train", "asl", "--data", other, "--out", out, *QUICK, "--resume")
    assert status == 2
    assert "another data" in error
    assert command("train", "asl", "--data", signs, "--out", out, *QUICK, "--resume")[0] == 0


def test_a_resume_names_what_differs_and_both_values(command, signs, tmp_path):
    out = tmp_path / "run"
    arguments = ["train", "asl", "--data", signs, "--out", out, "--resume"]
    assert command(*arguments[:-1], *QUICK)[0] == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    status, _, error = command(*arguments, *QUICK, "--batch-size", "13", "--lr", "0.01", "--no-augment")
    assert status == 2
    assert len(error.strip().splitlines()) == 1
    for words in ("training.batch_size: 26 in the run, 13 now", "training.lr: 0.001 in the run, 0.01 now"):
        assert words in error
    assert "augment: True in the run, False now" in error
    assert "epochs" not in error
    status, _, error = command(*arguments, *QUICK, "--epochs", "1", "--image-size", "48")
    assert "training.epochs: 2 in the run, 1 now, and a run can only be made longer" in error
    assert "image_size: 32 in the run, 48 now" in error
    assert "backbone_config.image_size: 32 in the run, 48 now" in error
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_other_workers_and_more_epochs_go_on_with_a_run(command, signs, tmp_path):
    out = tmp_path / "run"
    arguments = ["train", "asl", "--data", signs, "--out", out]
    assert command(*arguments, *QUICK)[0] == 0
    first = log_of(out)
    assert command(*arguments, *QUICK, "--epochs", "4", "--workers", "1", "--resume")[0] == 0
    assert log_of(out)[:2] == first
    assert [entry["epoch"] for entry in log_of(out)] == [1, 2, 3, 4]
    assert log_of(out)[3]["lr"] == pytest.approx(0.0, abs=1e-9)
    assert json.loads((out / RUN).read_text())["settings"]["training"]["epochs"] == 4
    status, _, error = command(*arguments, *QUICK, "--resume")
    assert status == 2
    assert "training.epochs: 4 in the run, 2 now" in error


def test_a_training_that_was_broken_off_is_told_wherever_its_model_is_used(command, signs, tmp_path, monkeypatch):
    """One that had ended, and was made longer: ``run.json`` is still that of the shorter one."""
    from vitcourse.training import loop

    out, save = tmp_path / "run", loop.save

    def breaks_off(folder, parts, config, log, best):
        save(folder, parts, config, log, best)
        if len(log) == 3:
            raise KeyboardInterrupt

    arguments = ["train", "asl", "--data", signs, "--out", out]
    assert command(*arguments, *QUICK)[0] == 0
    monkeypatch.setattr(loop, "save", breaks_off)
    status, _, error = command(*arguments, *QUICK, "--epochs", "5", "--resume")
    assert (status, error.splitlines()[-1]) == (130, "error: interrupted")
    told = "its training was broken off after epoch 3 of 5; `vitcourse train ... --resume` goes on with it"
    for used in (
        ["predict", out, next((signs / "valid").glob("*.jpg")), "--json"],
        ["evaluate", out, "--data", signs, "--json"],
        ["export", out, "--out", tmp_path],
        ["predict", tmp_path / "model.onnx", next((signs / "valid").glob("*.jpg")), "--json"],
    ):
        with pytest.warns(UnfinishedNote) as noted:
            status, printed, _ = command(*used)
        assert status == 0
        assert [str(one.message) for one in noted] == [f"{used[1]}: {told}"]
        assert used[0] == "export" or json.loads(printed)
    metrics = described(out).metrics
    assert metrics["valid_accuracy"] == log_of(out)[2]["valid_accuracy"]
    assert metrics.items() <= OnnxModel(tmp_path / "model.onnx").description.metrics.items()


def test_predict_holds_one_photo_at_a_time(command, signs, tmp_path, monkeypatch):
    """The pixels of each are gone when the next is decoded; what is drawn in the end are small copies."""
    import weakref

    from vitcourse.data import images
    from vitcourse.figures import plots

    assert command("train", "asl", "--data", signs, "--out", tmp_path / "run", *QUICK, "--epochs", "1")[0] == 0
    held, drawn = [], []

    def decode(image, **options):
        assert not [pixels for pixels in held if pixels() is not None]
        pixels = torch.zeros(3, 300, 400, dtype=torch.uint8)
        held.append(weakref.ref(pixels))
        return pixels

    real = plots.sign_grid
    monkeypatch.setattr(images, "decode", decode)
    monkeypatch.setattr(
        plots, "sign_grid", lambda shown, *rest, **more: drawn.extend(shown) or real(shown, *rest, **more)
    )
    photos = [tmp_path / f"{i}.jpg" for i in range(40)]
    status, printed, _ = command("predict", tmp_path / "run", *photos, "--out", tmp_path / "overlay.png")
    assert status == 0
    assert [line.split(":")[0] for line in printed.splitlines()[:40]] == [str(photo) for photo in photos]
    assert len(held) == len(drawn) == 40
    assert {tuple(image.shape) for image in drawn} == {(3, 135, 180)}
    assert all(image.untyped_storage().nbytes() == 3 * 135 * 180 for image in drawn)


def test_photos_without_a_box_are_skipped_when_asked_and_said(command, signs, tmp_path):
    data, out = tmp_path / "data", tmp_path / "run"
    shutil.copytree(signs, data)
    for split, count in (("train", 7), ("valid", 1)):
        for i in range(count):
            Image.new("RGB", (32, 32)).save(data / split / f"bare{i}.jpg")
    arguments = ["train", "asl", "--data", data, "--out", out, *QUICK, "--epochs", "1"]
    status, _, error = command(*arguments)
    assert status == 2
    assert len(error.strip().splitlines()) == 1
    assert "7 photos have no box (bare0.jpg, bare1.jpg, bare2.jpg, bare3.jpg, bare4.jpg and 2 more)" in error
    assert not out.exists()
    status, printed, error = command(*arguments, "--background", "skip")
    assert status == 0, error
    skipped = [line for line in printed.splitlines() if "skipped" in line]
    assert [line.partition(": ")[0] for line in skipped] == [str(data / "train"), str(data / "valid")]
    assert "7 photos have no box" in skipped[0]
    assert "1 photo has no box (bare0.jpg) and is skipped" in skipped[1]
    assert command("evaluate", out, "--data", data)[0] == 2
    status, printed, _ = command("evaluate", out, "--data", data, "--background", "skip")
    assert status == 0
    assert [line for line in printed.splitlines() if "skipped" in line] == skipped
    status, printed, _ = command("evaluate", out, "--data", data, "--background", "skip", "--json")
    measured = json.loads(printed)
    assert measured["notes"] == skipped
    assert (measured["splits"]["train"]["images"], measured["splits"]["valid"]["images"]) == (78, 26)


def test_a_photo_is_upright_for_every_command(command, signs, tmp_path):
    """The same photos, stored lying down with the camera's note: the same training, measures and prediction."""
    data, found = tmp_path / "data", {}
    shutil.copytree(signs, data)
    for file in data.rglob("*.jpg"):
        Image.open(file).save(file.with_suffix(".png"))
        file.unlink()
    for file in data.rglob("*.csv"):
        file.write_text(file.read_text().replace(".jpg,", ".png,"))
    for stored in ("upright", "lying"):
        if stored == "lying":
            note = Image.Exif()
            note[0x0112] = 6
            for file in data.rglob("*.png"):
                with Image.open(file) as image:
                    image.transpose(Image.Transpose.ROTATE_90).save(file, exif=note)
        out, image = tmp_path / stored, next(iter(sorted((data / "valid").glob("*.png"))))
        assert command("train", "asl", "--data", data, "--out", out, *QUICK, "--no-augment")[0] == 0
        measured = json.loads(command("evaluate", out, "--data", data, "--json")[1])["splits"]
        found[stored] = [entry["loss"] for entry in log_of(out)], measured, command("predict", out, image)[1]
    assert found["lying"] == found["upright"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--background", "keep"], "background must be one of refuse, skip, got 'keep'"),
        (["--schedule", "plateau"], "give it a share, as 0.2"),
        (["--schedule", "step"], "schedule must be one of cosine"),
        (["--hold-out", "1.5"], "hold_out must be a share in [0, 1), got 1.5"),
        (["--hold-out", "0.01"], "leaves one side empty"),
        (["--box-loss", "iou"], "box_loss must be one of mse"),
        (["--balance", "none"], "balance must be one of constant"),
        (["--task", "boxes"], "task must be one of both"),
        (["--box-head", "corners"], "box_head must be one of mean, sides"),
        (["--labels", "loose"], "labels must be one of exported, tight"),
        (["--strong", "--no-augment"], "strong is a way to augment"),
        (["--preset", "best"], "--preset must be one of reach, got 'best'"),
        (["--accumulate", "0"], "'--accumulate'"),
        (["--clip", "inf"], "clip must be a finite number"),
        (["--warmup", "1"], "warmup must be a share"),
        (["--workers", "1000"], "workers must be at most 64"),
        (["--image-size", "100000"], "image_size must be 0 to 1024"),
        (["--backbone", "resnet18:no.pth"], "no.pth: there is no such file"),
        (["--backbone", "resnet18:DATA/README.dataset.txt"], "README.dataset.txt: no weights of a ResNet-18"),
        (["--freeze", "7", "--no-augment"], "6 layers, 7 cannot"),
        (["-C", "nan"], "the constant C must be above 0, got nan"),
        pytest.param(
            ["--precision", "fp16"],
            "fp16 needs a GPU",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="fp16 works on this machine"),
        ),
    ],
)
def test_bad_options_are_one_line(command, signs, tmp_path, options, words):
    options = [option.replace("DATA", str(signs)) for option in options]
    status, _, error = command("train", "asl", "--data", signs, "--out", tmp_path / "out", *QUICK, *options)
    assert status == 2
    assert len(error.strip().splitlines()) == 1, error
    assert words in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_another_kind_is_one_line(command, signs, tmp_path):
    """A resumed run names the file at fault, and its bytes stay."""
    out = tmp_path / "run"
    assert command("train", "asl", "--data", signs, "--out", out, *QUICK)[0] == 0
    for content in (b"", b"not a checkpoint", (out / CHECKPOINT).read_bytes()[:-500]):
        (out / CHECKPOINT).write_bytes(content)
        before = {path.name: path.read_bytes() for path in out.iterdir()}
        status, _, error = command("train", "asl", "--data", signs, "--out", out, *QUICK, "--resume")
        assert status == 2
        assert "checkpoint.pt: it is not a checkpoint of this model" in error.splitlines()[-1]
        assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_table_without_its_data_is_one_line(command):
    for name in ("asl_table_real", "asl_table_in21k"):
        status, _, error = command("record", name)
        assert status == 2
        assert len(error.strip().splitlines()) == 1
        assert "--data" in error


def test_a_resnet_with_weights_of_a_file(command, signs, tmp_path):
    file = tmp_path / "resnet18.pth"
    torch.save(resnet18().state_dict(), file)
    arguments = ["--data", signs, "--out", tmp_path / "run", "--backbone", f"resnet18:{file}", "--image-size", 32]
    assert command("train", "asl", *arguments, "--epochs", 1, "--hold-out", "0.2")[0] == 0
    image = next((signs / "valid").glob("*.jpg"))
    file.unlink()
    status, printed, _ = command("predict", tmp_path / "run", image)
    assert status == 0
    assert str(image) in printed

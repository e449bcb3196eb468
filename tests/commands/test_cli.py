"""The command as its user meets it: what it prints, what it leaves, and how it refuses what cannot be used."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from vitcourse import cli, results
from vitcourse.asl.runs import RUN
from vitcourse.data.exports.roboflow import CSV_NAME
from vitcourse.training import CHECKPOINT, LOG, WEIGHTS

pytestmark = pytest.mark.trains
QUICK = ["--backbone", "vit", "--epochs", "1", "--image-size", "32", "--batch-size", "26"]


@pytest.fixture(scope="module")
def signs(tmp_path_factory):
    """A small rendered export."""
    from vitcourse.data.asl import synthesise

    out = tmp_path_factory.mktemp("data") / "signs"
    synthesise(out, train=52, valid=26, test=0, size=32, seed=1)
    return out


@pytest.fixture(scope="module")
def run(signs, tmp_path_factory):
    """A run of one epoch on it, made by the command in a process of its own."""
    out = tmp_path_factory.mktemp("runs") / "first"
    arguments = ["train", "asl", "--data", signs, "--out", out, *QUICK]
    subprocess.run([sys.executable, "-m", "vitcourse", *map(str, arguments)], check=True, capture_output=True)
    return out


@pytest.mark.parametrize(
    "name",
    [
        *("doctor", "synth", "inspect", "train asl", "train faces", "evaluate", "predict", "export", "serve"),
        *("crop faces", "render faces", "fetch faces", "record"),
    ],
)
def test_every_command_has_help_with_an_example(command, name):
    status, out, _ = command(*name.split(), "--help")
    assert status == 0
    assert f"Example: vitcourse {name}" in " ".join(out.split())


def test_the_command_alone_shows_its_help(command):
    status, out, error = command()
    assert status == 2
    assert all(name in out + error for name in ("doctor", "synth", "train", "evaluate", "predict", "record"))


def test_doctor_names_the_machine(command):
    status, out, _ = command("doctor")
    assert status == 0
    assert "everything imports" in out
    assert "torchvision" in out


def test_synth_writes_the_counts_asked_for(command, tmp_path):
    out = tmp_path / "signs"
    status, printed, _ = command("synth", out, "--train", 3, "--valid", 2, "--test", 1, "--size", 32)
    assert status == 0
    assert "wrote 6 images" in printed
    assert {s: len(list((out / s).glob("*.jpg"))) for s in ("train", "valid", "test")} == {
        "train": 3,
        "valid": 2,
        "test": 1,
    }


@pytest.mark.parametrize("form", ["csv", "coco", "yolo", "voc"])
def test_synth_writes_the_form_asked_for(command, tmp_path, form):
    from vitcourse.data.asl import load
    from vitcourse.data.exports.roboflow import form_of

    status, _, _ = command("synth", tmp_path, "--train", 3, "--valid", 2, "--test", 1, "--size", 32, "--form", form)
    assert status == 0
    assert form_of(tmp_path / "train") == form
    assert [len(load(tmp_path, split)) for split in ("train", "valid", "test")] == [3, 2, 1]


def test_a_path_is_printed_as_it_is(command, tmp_path):
    out = tmp_path / "signs [final] :smile:"
    status, printed, _ = command("synth", out, "--train", "1", "--valid", "0", "--test", "0", "--size", "32")
    assert status == 0
    assert f"wrote 1 images to {out}" in printed


def test_train_leaves_a_run(run):
    assert {RUN, WEIGHTS, CHECKPOINT, LOG} <= {path.name for path in run.iterdir()}
    assert json.loads((run / RUN).read_text())["settings"]["image_size"] == 32


def test_evaluate_prints_the_seeds_table(command, run, signs):
    status, out, _ = command("evaluate", run, "--data", signs)
    assert status == 0
    for word in ("train", "valid", "accuracy", "loss", "IoU 50%", "IoU 75%", "IoU 90%", "26 images of valid"):
        assert word in out


def test_evaluate_gives_json(command, run, signs):
    status, out, _ = command("evaluate", run, "--data", signs, "--split", "valid", "--json")
    assert status == 0
    measured = json.loads(out)["splits"]  # the progress bars are on standard error
    assert set(measured) == {"train", "valid"}
    assert set(measured["valid"]) == {"accuracy", "loss", "iou50", "iou75", "iou90", "mean_iou", "images"}
    assert all(0 <= measured["valid"][name] <= 1 for name in ("accuracy", "iou50", "iou75", "iou90", "mean_iou"))


def test_predict_names_and_draws(command, run, signs, tmp_path):
    images = sorted((signs / "valid").glob("*.jpg"))[:3]
    status, out, _ = command("predict", run, *images, "--out", tmp_path / "overlay.png")
    assert status == 0
    assert all(str(image) in out for image in images)
    assert (tmp_path / "overlay.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["overlay.png"]


def test_a_run_is_resumed_and_not_overwritten(command, run, signs, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    before = (copy / WEIGHTS).read_bytes()
    status, _, error = command("train", "asl", "--data", signs, "--out", copy, *QUICK)
    assert status == 2
    assert "there is a run in it already" in error
    assert (copy / WEIGHTS).read_bytes() == before
    status, _, _ = command("train", "asl", "--data", signs, "--out", copy, *QUICK, "--resume")
    assert status == 0
    assert (copy / WEIGHTS).read_bytes() == before


def broken(signs, tmp_path, fault):
    """A copy of the export with one fault in it; returns the copy and the words that must name the fault."""
    data = tmp_path / "data"
    shutil.copytree(signs, data)
    annotations = data / "valid" / CSV_NAME
    header, first, *rest = annotations.read_text().splitlines()
    name, _, _, letter, *_ = first.split(",")
    if fault == "missing folder":
        shutil.rmtree(data)
        return data, ["no such folder"]
    if fault == "empty folder":
        shutil.rmtree(data)
        data.mkdir()
        return data, ["no split 'train'"]
    if fault == "no annotations":
        annotations.unlink()
        return data, [CSV_NAME]
    if fault == "missing image":
        (data / "valid" / name).unlink()
        return data, [f"row 2: the image {name} is missing"]
    if fault == "truncated image":
        whole = (data / "valid" / name).read_bytes()
        (data / "valid" / name).write_bytes(whole[:-200])
        return data, [f"row 2: {name} is truncated"]
    row = {
        "box outside": f"{name},32,32,{letter},1,1,35,20",
        "inverted box": f"{name},32,32,{letter},20,1,10,20",
        "not a number": f"{name},32,32,{letter},1,1,x,20",
        "unknown letter": f"{name},32,32,?,1,1,10,20",
    }[fault]
    annotations.write_text("\n".join([header, row, *rest]) + "\n")
    words = {"box outside": "xmax 35 > width 32", "inverted box": "inverted", "not a number": "xmax must be a number"}
    return data, ["row 2", words.get(fault, "unknown letter '?'")]


@pytest.mark.parametrize(
    "fault",
    [
        *("missing folder", "empty folder", "no annotations", "missing image", "truncated image"),
        *("box outside", "inverted box", "not a number", "unknown letter"),
    ],
)
def test_bad_data_is_one_line_and_leaves_nothing(command, signs, run, tmp_path, fault):
    data, words = broken(signs, tmp_path, fault)
    out = tmp_path / "run"
    for arguments in (["train", "asl", "--data", data, "--out", out, *QUICK], ["evaluate", run, "--data", data]):
        status, printed, error = command(*arguments)
        assert status == 2, printed
        assert len(error.strip().splitlines()) == 1
        assert "Traceback" not in error
        assert error.startswith("error: ")
        if arguments[0] == "train" or fault != "empty folder":
            assert all(word in error for word in words), error
        assert not out.exists()


@pytest.mark.parametrize("fault", ["missing", "not a run", "bad json", "other weights", "no safetensors"])
def test_a_checkpoint_that_is_none_is_one_line(command, run, signs, tmp_path, fault):
    folder = tmp_path / "run"
    shutil.copytree(run, folder)
    if fault == "missing":
        shutil.rmtree(folder)
    elif fault == "not a run":
        (folder / RUN).write_text('{"backbone": "vit"}')
    elif fault == "bad json":
        (folder / RUN).write_text("{")
    elif fault == "other weights":
        settings = json.loads((folder / RUN).read_text())
        settings["settings"]["backbone_config"]["depth"] = 2
        (folder / RUN).write_text(json.dumps(settings))
    else:
        (folder / WEIGHTS).write_bytes(b"not safetensors")
    image = next((signs / "valid").glob("*.jpg"))
    out = tmp_path / "overlay.png"
    for arguments in (["predict", folder, image, "--out", out], ["evaluate", folder, "--data", signs]):
        status, _, error = command(*arguments)
        assert status == 2
        assert len(error.strip().splitlines()) == 1
        assert str(folder) in error
        assert "Traceback" not in error
        assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--precision", "fp8"], "'fp8'"),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--backbone", "no/such-model"], "no/such-model"),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--backbone", "vit", "--image-size", "33"], "33 and 16"),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--image-size", "90"], "90 and 16"),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--freeze", "7"], "6 layers, 7 cannot"),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "-C", "0"], "got 0"),
        (["predict", "RUN", "DATA/no.jpg"], "no.jpg"),
        (["predict", "RUN", "DATA/README.dataset.txt"], "README.dataset.txt: the image cannot be decoded"),
        (["predict", "RUN", "DATA/no.jpg", "--out", "overlay.doc"], "must end in .png"),
        (["evaluate", "RUN", "--data", "DATA", "--split", "vald"], "no split 'vald' in it (found: test, train, valid)"),
        (["evaluate", "RUN", "--data", "DATA", "--top", "3"], "--top is for runs of faces, and "),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--seed", "-1"], "seed must be 0 to 99999"),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--lr", "inf"], "lr must be a finite number"),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--epochs", "0"], "'--epochs'"),
        (["train", "asl", "--data", "DATA"], "Missing option '--out'"),
        (["train", "asl", "--data", "DATA", "--out", "DATA/README.dataset.txt/x", *QUICK], "a file stands in the way"),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--backbone", "RUN"], "is no checkpoint of a ViTModel"),
        (["train", "asl", "--data", "DATA", "--out", "OUT", "--resume", *QUICK], "there is no such file or folder"),
        (["predict", "RUN", "IMAGE", "--out", "DATA/README.dataset.txt/x.png"], "README.dataset.txt"),
        (["synth", "DATA/README.dataset.txt/x"], "README.dataset.txt"),
        (["noise"], "No such command 'noise'"),
        (["synth", "DATA"], "not an empty folder"),
        (["synth", "OUT", "--size", "8"], "8"),
        (["synth", "OUT", "--form", "tfrecord"], "form must be one of csv, coco, yolo, voc, got 'tfrecord'"),
        (["record", "nothing"], "asl_real"),
        (["record", "asl_real"], "--data"),
    ],
)
def test_bad_options_are_one_line(command, run, signs, tmp_path, arguments, words):
    image = next((signs / "valid").glob("*.jpg"))
    places = {"DATA": str(signs), "OUT": str(tmp_path / "out"), "RUN": str(run), "IMAGE": str(image)}
    for name, place in places.items():
        arguments = [argument.replace(name, place, 1) for argument in arguments]
    status, _, error = command(*arguments)
    assert status == 2
    assert len(error.strip().splitlines()) == 1, error
    assert words in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("change", [["--no-box-sigmoid"], ["-C", "100"], ["--seed", "1"], ["--backbone", "resnet18"]])
def test_a_run_is_not_resumed_as_another(command, run, signs, tmp_path, change):
    """Two of these leave the weights' names as they are: only run.json can tell."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    status, _, error = command("train", "asl", "--data", signs, "--out", copy, *QUICK, *change, "--resume")
    assert status == 2
    assert "another" in error
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before


def test_a_loss_that_runs_away_is_one_line(command, signs, tmp_path):
    status, _, error = command("train", "asl", "--data", signs, "--out", tmp_path / "out", *QUICK, "--lr", "1e30")
    assert status == 2
    assert "try a lower lr" in error.splitlines()[-1]
    assert "Traceback" not in error


def test_an_error_of_the_package_keeps_its_traceback(monkeypatch):
    """Only bad input becomes one line; a fault of ours must not be hidden."""
    monkeypatch.setattr(sys, "argv", ["vitcourse", "doctor"])
    monkeypatch.setattr("vitcourse.commands.doctor.report", lambda console: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_results_are_written_with_their_provenance(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path / "book" / "results")
    results.write("trial", {"rows": [1]}, 1.26)
    content = results.load("trial")
    assert content["rows"] == [1]
    assert content["seconds"] == 1.3
    assert set(content["provenance"]) == {"device", "threads", "python", "versions", "commit"}
    with pytest.raises(results.InputError, match="recorded: trial"):
        results.load("other")


def test_who_reads_no_more_ends_the_command_quietly(command, monkeypatch):
    """What is printed at the end meets a closed pipe, as in ``vitcourse evaluate … --json | head -1``."""
    read, write = os.pipe()
    os.close(read)
    monkeypatch.setattr(cli, "app", lambda **_: print("a line"))
    with os.fdopen(write, "w") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        status, _, error = command("evaluate")
    assert (status, error) == (1, "")

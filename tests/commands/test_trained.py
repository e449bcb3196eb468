"""What is done with a trained model: predictions of any number of files, and files that run without the course."""

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import onnx
import pytest
import torch
from PIL import Image
from safetensors.torch import save

from tests.commands.serving import asked, picture
from vitcourse.asl import SignRun, load_run
from vitcourse.asl.answers import Answers
from vitcourse.asl.runs import new_model, save_run
from vitcourse.commands.answering import load
from vitcourse.data.images import decode
from vitcourse.errors import CheckpointError
from vitcourse.training import WEIGHTS
from vitcourse.training.description import RUN, Description, described, preprocessing
from vitcourse.training.export import ONNX, PROGRAM, OnnxModel, export

pytestmark = pytest.mark.starts_programs  # PyTorch traces the model
SIZE = 32


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder of a model that was never trained; nothing but what a finished run needs is in it."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("runs") / "signs"
    model, made = new_model(SignRun("vit", SIZE))
    save_run(made, folder, [{"epoch": 1, "valid_accuracy": 0.25, "seconds": 1.0}])
    (folder / WEIGHTS).write_bytes(save({name: part.contiguous() for name, part in model.state_dict().items()}))
    return folder


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported")
    return export(Answers(_model(run)).eval(), described(run), out), out


def _model(run):
    return load_run(run)[0].cpu()


@pytest.fixture
def photos(tmp_path):
    """Three photos with names as they occur."""
    folder = tmp_path / "photos"
    folder.mkdir()
    files = [folder / name for name in ("Zoë 1.png", "two\nlines.jpg", "[red]3.webp")]
    for number, file in enumerate(files):
        Image.effect_noise((50, 40), 60 + number).convert("RGB").save(file)
    return files


def piped(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(content))))


def test_each_file_gets_a_line(command, run, photos):
    status, out, _ = command("predict", run, *photos, "--top", 2)
    assert status == 0
    first, second, third = out.splitlines()
    assert first.startswith(f"{photos[0]}: ")
    assert second.startswith(repr(str(photos[1])))
    assert "two\\nlines" in second
    assert third.startswith(f"{photos[2]}: ")
    assert first.count("%") == 2
    assert ", box " in first


@pytest.mark.parametrize(("end", "options"), [("\n", []), ("\r\n", []), ("\0", ["--null"])])
def test_names_come_from_a_pipe_and_answers_as_json(command, run, photos, monkeypatch, end, options):
    wanted = photos if end == "\0" else [photos[0], photos[2]]
    piped(monkeypatch, end.join([*map(str, wanted), ""]).encode())
    status, out, _ = command("predict", run, "-", "--json", "--top", 3, *options)
    assert status == 0
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["file"] for line in lines] == [str(file) for file in wanted]
    for line in lines:
        assert line["size"] == [50, 40]
        shares = [one["share"] for one in line["top"]]
        assert len(shares) == 3
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) < 1
        assert len(line["box"]) == 4


def test_a_file_that_cannot_be_read_does_not_stop_the_others(command, run, photos, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_text("hello")
    status, out, error = command("predict", run, photos[0], broken, tmp_path / "none.png", photos[2], "--json")
    assert status == 2
    assert ["top" in json.loads(line) for line in out.splitlines()] == [True, False, False, True]
    assert [line.partition(" the image")[0] for line in error.splitlines()] == [
        f"error: {broken}:",
        f"error: {tmp_path / 'none.png'}:",
    ]


@pytest.mark.parametrize(("place", "words"), [("file/x.png", "file: a file stands in the way"), ("x.png", "a folder")])
def test_a_picture_that_cannot_be_written_is_said_before_the_work(command, run, photos, tmp_path, place, words):
    (tmp_path / "file").write_text("")
    (tmp_path / "x.png").mkdir()
    status, out, error = command("predict", run, photos[0], "--out", tmp_path / place)
    assert (status, out, len(error.splitlines())) == (2, "", 1)
    assert words in error


def test_a_run_is_used_from_another_folder_by_a_fresh_process(run, photos, tmp_path):
    copy = tmp_path / "elsewhere" / "copied"
    shutil.copytree(run, copy)
    assert {file.name for file in copy.iterdir()} == {RUN, WEIGHTS}
    asked = [sys.executable, "-m", "vitcourse", "predict", str(copy), str(photos[0]), "--json", "--top", "26"]
    found = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=tmp_path, env=os.environ).stdout
    for one, other in zip(json.loads(found)["top"], load(run)(decode(photos[0]), 26)["top"], strict=True):
        assert one["label"] == other["label"]
        assert one["share"] == pytest.approx(other["share"], abs=1e-6)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_the_server_answers_until_it_is_told_to_end(run, sign):
    asked_for = [sys.executable, "-m", "vitcourse", "serve", str(run), "--port", "0"]
    with subprocess.Popen(asked_for, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        address = re.search(r"http://127\.0\.0\.1:\d+/", serving.stdout.readline())[0]
        status, answer, _ = asked(address, "POST", "/predict", picture(), Content_Type="image/png")
        serving.send_signal(sign)
        _, error = serving.communicate(timeout=900)
    assert (status, answer["size"]) == (200, [40, 20])
    assert (serving.returncode, error) == (0, "")


def test_both_files_answer_as_the_model_does(run, exported):
    apart, out = exported
    assert set(apart) == {ONNX, PROGRAM}
    assert max(apart.values()) <= 1e-4
    program = torch.export.load(out / PROGRAM).module()
    model, file = Answers(_model(run)).eval(), OnnxModel(out / ONNX)
    for count in (1, 2, 5):
        images = torch.randint(0, 256, (count, 3, SIZE, SIZE), dtype=torch.uint8)
        with torch.no_grad():
            expected = model(images)
        for answered in (file(images), program(images)):
            for one, other in zip(answered, expected, strict=True):
                torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


def test_the_command_exports_and_predicts_with_the_file(command, run, exported, photos, tmp_path):
    status, out, error = command("export", run, "--out", tmp_path / "exported")
    assert status == 0, error
    assert str(tmp_path / "exported" / ONNX) in out
    assert {file.name for file in (tmp_path / "exported").iterdir()} == {ONNX, PROGRAM}
    answers = [json.loads(command("predict", one, photos[0], "--json")[1]) for one in (run, exported[1] / ONNX)]
    assert answers[0]["top"][0]["label"] == answers[1]["top"][0]["label"]
    assert answers[1]["box"] == pytest.approx(answers[0]["box"], abs=1e-4)


def small():
    """A model that gives logits alone, as one of faces does, and its description."""
    model = Answers(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 2))).eval()
    return model, Description("faces", ["Zoë", "Bo"], preprocessing(8), {}, {})


def test_a_file_that_would_answer_otherwise_is_not_written(tmp_path, monkeypatch):
    true = OnnxModel.__call__
    monkeypatch.setattr(OnnxModel, "__call__", lambda self, images: tuple(part + 2e-4 for part in true(self, images)))
    with pytest.raises(CheckpointError, match=r"model\.onnx: it would answer otherwise than the model, by 0\.0002"):
        export(*small(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def foreign(file):
    """An ONNX file that somebody else made."""
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
    graph = onnx.helper.make_graph([node], "g", ends[:1], ends[1:])
    onnx.save(onnx.helper.make_model(graph, ir_version=10, opset_imports=[onnx.helper.make_opsetid("", 20)]), file)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("text", "model.onnx: it is not an ONNX file that can be run, or it is damaged"),
        ("empty", "model.onnx: it is not an ONNX file"),
        ("cut", "model.onnx: it is not an ONNX file"),
        ("foreign", "model.onnx: it is an ONNX file that `vitcourse export` did not write"),
        ("weights cut", "model.safetensors: it does not hold the weights of this run (it is cut off: "),
        ("voices", "run.json: it describes a run of 'voices'; known are signs, faces"),
        ("missing", "run.json: there is no such file; is this the folder of a run?"),
    ],
)
def test_what_is_no_model_is_one_line(command, run, exported, photos, tmp_path, fault, words):
    place = tmp_path / ONNX
    if fault == "text":
        place.write_text("hello")
    elif fault == "empty":
        place.write_bytes(b"")
    elif fault == "cut":
        place.write_bytes((exported[1] / ONNX).read_bytes()[:-5000])
    elif fault == "foreign":
        foreign(place)
    else:
        place = tmp_path / "run"
        shutil.copytree(run, place)
        if fault == "weights cut":
            (place / WEIGHTS).write_bytes((run / WEIGHTS).read_bytes()[:-1000])
        elif fault == "missing":
            (place / RUN).unlink()
        else:
            content = json.loads((place / RUN).read_text()) | {"kind": fault}
            (place / RUN).write_text(json.dumps(content))
    for arguments in (["predict", place, photos[0]], ["serve", place]):
        status, _, error = command(*arguments)
        assert (status, len(error.strip().splitlines())) == (2, 1)
        assert words in error


def test_a_model_without_boxes_is_drawn_and_exported_too(tmp_path):
    model, faces = small()
    assert max(export(model, faces, tmp_path).values()) <= 1e-4
    answering = load(tmp_path / ONNX)
    assert answering.description == faces
    answer = answering(torch.zeros(3, 20, 10, dtype=torch.uint8), 5)
    assert {one["label"] for one in answer["top"]} == {"Zoë", "Bo"}
    assert "box" not in answer

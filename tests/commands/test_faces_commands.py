"""``vitcourse train faces`` and what follows it: predict, export, and the lines that refuse."""

import json
import shutil

import pytest
import torch
from PIL import Image

from vitcourse.asl import SignRun
from vitcourse.asl.runs import save_run
from vitcourse.commands.trained import Drawing
from vitcourse.data.images import decode
from vitcourse.faces import load_run
from vitcourse.training import WEIGHTS
from vitcourse.training.description import RUN
from vitcourse.training.setup import SEED

pytestmark = pytest.mark.trains


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    from vitcourse.data.faces import synthesise

    out = tmp_path_factory.mktemp("data") / "faces"
    synthesise(out, people=3, images=5, size=32, seed=1)
    (out / "person1").rename(out / "Zoë\nAna")
    return out


@pytest.fixture(scope="module")
def trained(people, tmp_path_factory):
    """A run folder that was moved: what lay beside it is gone."""
    import sys

    from vitcourse import cli

    first, folder = tmp_path_factory.mktemp("runs") / "faces", tmp_path_factory.mktemp("moved") / "run"
    arguments = ["train", "faces", "--data", people, "--out", first, "--epochs", 1, "--num-parallel", 2]
    before, sys.argv = sys.argv, ["vitcourse", *map(str, arguments), "--block", "parallel_layer_scale_init"]
    try:
        with pytest.raises(SystemExit) as ended:
            cli.main()
    finally:
        sys.argv = before
    assert ended.value.code == 0
    shutil.move(first, folder)
    return folder


def test_an_unknown_face_in_an_overlay_has_no_share():
    drawing, pixels = Drawing(2), torch.zeros(3, 16, 16, dtype=torch.uint8)
    for unknown in (False, True):
        drawing.add(pixels, {"unknown": unknown, "top": [{"label": "Ann", "share": 0.4}]})
    assert drawing.titles == ["Ann  40%", "unknown"]


def test_a_run_names_people_and_says_when_it_does_not_know_somebody(command, people, trained, tmp_path):
    told = json.loads((trained / RUN).read_text())
    assert told["labels"] == ["Zoë\nAna", "person2", "person3"]
    vit = told["settings"]["vit"]
    assert (vit["block"], vit["num_parallel"]) == ("parallel_layer_scale_init", 2)
    picture = people / "person2" / "1.png"
    for threshold, unknown in ((0.0, False), (1.1, True)):
        run = tmp_path / f"run{unknown}"
        shutil.copytree(trained, run)
        (run / RUN).write_text(json.dumps(told | {"metrics": told["metrics"] | {"threshold": threshold}}))
        status, printed, _ = command("predict", run, picture, "--json", "--top", 2)
        answer = json.loads(printed)
        assert (status, answer["unknown"], len(answer["top"])) == (0, unknown, 2)
        (line,) = command("predict", run, picture, "--top", 3)[1].splitlines()
        assert ("unknown; the likeliest: " in line) == unknown
        assert r"'Zoë\nAna' (" in line
    (run / RUN).write_text(json.dumps(told | {"metrics": {"threshold": "high"}}))
    status, _, error = command("predict", run, picture)
    assert (status, "its metrics are no numbers: threshold" in error) == (2, True)


def test_the_preset_of_the_project_trains_is_saved_and_answers(command, tmp_path):
    """160 pixels, width 192, depth 12: one epoch on a few people."""
    assert command("render", "faces", tmp_path / "faces", "--people", 2, "--images", 3, "--size", 160)[0] == 0
    options = ["--data", tmp_path / "faces", "--preset", "seed", "--epochs", 1]
    status, printed, error = command("train", "faces", *options, "--out", tmp_path / "run")
    assert (status, "validation accuracy" in printed) == (0, True), error
    model, run = load_run(tmp_path / "run")
    assert (run.vit, run.training.epochs, run.training.lr) == (SEED.model, 1, 3e-3)
    assert (model.blocks[11].attn.qkv.weight.shape, model.head.out_features) == ((576, 192), 2)
    status, printed, _ = command("predict", tmp_path / "run", tmp_path / "faces" / "person2" / "3.png", "--json")
    assert (status, json.loads(printed)["size"]) == (0, [160, 160])


@pytest.mark.starts_programs  # PyTorch traces the model
def test_a_run_is_exported_with_its_people_and_its_threshold(command, people, trained, tmp_path):
    from vitcourse.commands.answering import load

    assert command("export", trained, "--out", tmp_path)[0] == 0
    pixels = decode(people / "person3" / "2.png")
    one, other = (load(path)(pixels, 3) for path in (trained, tmp_path / "model.onnx"))
    assert one["unknown"] == other["unknown"]
    assert [answer["label"] for answer in one["top"]] == [answer["label"] for answer in other["top"]]
    for mine, theirs in zip(one["top"], other["top"], strict=True):
        assert mine["share"] == pytest.approx(theirs["share"], abs=1e-4)


def test_a_run_of_signs_is_no_run_of_faces_and_the_reverse(command, people, trained, tmp_path):
    from vitcourse.errors import CheckpointError

    save_run(SignRun("vit", 32), tmp_path / "signs")
    (tmp_path / "signs" / WEIGHTS).write_bytes(b"")
    with pytest.raises(CheckpointError, match="describes a run of 'signs', and one of 'faces' is wanted"):
        load_run(tmp_path / "signs")
    status, _, error = command("train", "faces", "--data", people, "--out", tmp_path / "signs", "--resume")
    assert (status, "a run of 'signs', and one of 'faces' is wanted" in error) == (2, True)


def test_a_run_is_judged_on_the_pictures_that_were_set_apart_for_it(command, people, trained):
    status, printed, error = command("evaluate", trained, "--data", people, "--split", "test", "--json", "--top", 2)
    assert status == 0, error
    splits = json.loads(printed)["splits"]
    assert {name: one["images"] for name, one in splits.items()} == {"train": 9, "test": 3}
    test = splits["test"]
    assert 0 <= test["accuracy"] <= test["top2"] <= 1
    assert test["named"] + test["misnamed"] + test["refused"] == pytest.approx(1)
    assert "rejected" not in test  # there are no strangers
    status, printed, _ = command("evaluate", trained, "--data", people)
    assert (status, all(word in printed for word in ("3 pictures of valid", "train", "top5", "refused"))) == (0, True)


@pytest.mark.parametrize(("split", "counted"), [("all", "9 of these 15 images"), ("train", "these images")])
def test_pictures_that_a_run_was_trained_on_are_told(command, people, trained, split, counted):
    printed = command("evaluate", trained, "--data", people, "--split", split, "--json")[1]
    (note,) = json.loads(printed)["notes"]
    assert note == f"{people}: the run was trained on {counted}; how it does on others, another split says"
    assert list(json.loads(printed)["splits"]) == [split]


def test_whom_a_run_does_not_know_is_a_stranger_to_it(command, people, trained, tmp_path):
    """person2 has other pictures there, and the others' names are not the run's."""
    from vitcourse.data.faces import synthesise

    synthesise(tmp_path / "new", people=4, images=2, size=32, seed=7)
    (tmp_path / "new" / "person3").rename(tmp_path / "new" / "nobody")
    status, printed, error = command("evaluate", trained, "--data", tmp_path / "new", "--split", "all", "--json")
    assert status == 0, error
    (measured,) = json.loads(printed)["splits"].values()
    assert json.loads(printed)["notes"] == []
    assert (measured["images"], measured["strangers"]) == (2, 6)
    assert {"rejected", "auroc", "accuracy", "top5", "loss"} <= set(measured)
    shutil.rmtree(tmp_path / "new" / "person2")
    status, printed, _ = command("evaluate", trained, "--data", tmp_path / "new", "--split", "all", "--json")
    assert set(json.loads(printed)["splits"]["all"]) == {"images", "strangers", "rejected"}


def test_what_a_run_of_faces_cannot_be_judged_on_is_one_line(command, people, trained, tmp_path):
    from vitcourse.data.faces import synthesise

    synthesise(tmp_path / "other", people=3, images=5, size=32, seed=2)
    (tmp_path / "empty").mkdir()
    for data, options, words in (
        (people, ["--split", "tset"], "--split of faces must be one of train, valid, test, all, got 'tset'"),
        (people, ["--background", "skip"], f"--background is for runs of signs, and {trained} is one of faces"),
        (
            tmp_path / "other",
            [],
            "other: its train is not what the run was trained on; --split all judges every picture",
        ),
        (tmp_path / "empty", [], "one folder for each of two people or more is expected"),
        (tmp_path / "none", ["--split", "all"], "there is no such folder"),
    ):
        status, printed, error = command("evaluate", trained, "--data", data, *options)
        assert (status, printed, error.count("error: ")) == (2, "", 1), error
        assert words in error.splitlines()[-1]  # a bar may stand before it


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--preset", "huge"], "--preset must be one of cpu, seed, got 'huge'"),
        (["--model", "vgg"], "model must be one of vit, resnet18, deit3, got 'vgg'"),
        (["--block", "wide"], "block must be one of"),
        (["--block", "parallel", "--model", "deit3"], "deit3 has blocks of its own"),
        (["--block", "parallel", "--num-parallel", "5"], "is no multiple of num_parallel 5"),
        (["--block", "block", "--num-parallel", "2"], "only a parallel block has branches"),
        (["--start", "signs", "--model", "resnet18"], "takes no other model or block"),
        (["--mix", "1"], "mix must be in [0, 1), got 1.0"),
        (["--valid", "0"], "there are no validation pictures"),
        (["--lr", "nan"], "'--lr'"),
        (["--least", "4"], "too few pictures, near copies counted once, for 4 in each of train, valid, test"),
        (["--data", "EMPTY"], "one folder for each of two people or more is expected"),
        (["--data", "NOWHERE"], "there is no such folder"),
        (["--data", "ONE"], "one folder for each of two people or more is expected"),
        (["--data", "SINGLE"], "too few pictures"),
        (["--data", "TEXT"], "1.jpg"),
        (["--out", "FILE"], "a file stands in the way of this folder"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_used_is_one_line(command, people, tmp_path, arguments, words):
    places = {name: tmp_path / name for name in ("EMPTY", "ONE", "SINGLE", "TEXT", "NOWHERE", "FILE")}
    places["EMPTY"].mkdir()
    for name, folders, count in (("ONE", 1, 3), ("SINGLE", 2, 1), ("TEXT", 2, 1)):
        for person in range(folders):
            (places[name] / f"p{person}").mkdir(parents=True)
            for index in range(count):
                Image.effect_noise((8, 8), 9 + 10 * person + index).save(places[name] / f"p{person}" / f"{index}.png")
    (places["TEXT"] / "p0" / "1.jpg").write_text("no picture")
    places["FILE"].write_text("")
    out = [] if "--out" in arguments else ["--out", tmp_path / "out"]
    data = [] if "--data" in arguments else ["--data", people]
    status, _, error = command("train", "faces", *data, *out, *[places.get(one, one) for one in arguments])
    assert status == 2
    assert len(error.strip().splitlines()) == 1
    assert words in error
    assert not (tmp_path / "out").exists()


def test_faces_are_rendered_by_the_command(command, tmp_path):
    options = ["--people", 2, "--images", 2, "--size", 32]
    status, printed, _ = command("render", "faces", tmp_path / "faces", *options)
    assert (status, "wrote 4 pictures of 2 people" in printed) == (0, True)
    assert command("render", "faces", tmp_path / "faces", *options)[0] == 2

"""``vitcourse inspect``: what it says of a set, and how it refuses what is none."""

import json
import shutil

import pytest
from matplotlib import image as pictures


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """Seven photos in two copies, boxed as exporters do; and in valid five others and a copy that leaked."""
    from vitcourse.data.asl import synthesise

    out = tmp_path_factory.mktemp("data") / "signs"
    synthesise(out, train=7, valid=5, test=0, size=64, seed=1, form="yolo", copies=2, hulls=True)
    leaked = sorted((out / "train" / "images").iterdir())[0]
    shutil.copy(leaked, out / "valid" / "images")
    shutil.copy(out / "train" / "labels" / f"{leaked.stem}.txt", out / "valid" / "labels")
    return out


def test_it_tells_what_a_set_holds(command, export):
    status, out, _ = command("inspect", export, "--json")
    assert status == 0
    found = json.loads(out)
    assert found["form"] == "yolo"
    train, valid = found["splits"]["train"], found["splits"]["valid"]
    assert (train["images"], train["photos"], train["copies"]) == (14, 7, [2, 2])
    assert (valid["images"], valid["photos"]) == (6, 6)
    assert sum(train["letters"].values()) == 14
    assert train["sizes"] > 1
    assert train["largest"][0] <= valid["largest"][0] == 64
    assert train["boxes"]["width"] > 0
    assert "7 photos" in train["labels"]["why"]
    assert valid["labels"]["hulls"] is None
    assert len(found["between"]["train and valid"]["photos_in_both"]) == 1
    assert found["between"]["train and valid"]["twins"] >= 1
    assert found["blind"]["judged_on"] == "valid"
    assert set(found["splits"]) == {"train", "valid"}  # test is empty


def test_it_says_so_in_words_and_draws(command, export, tmp_path):
    status, out, _ = command("inspect", export, "--out", tmp_path / "signs.png")
    assert status == 0
    said = " ".join(out.split())
    for words in ("1 photos are in both by name", "an answer that never looks gets", "no photo has two copies"):
        assert words in said
    assert "train: no image of" in said
    drawn = pictures.imread(tmp_path / "signs.png")
    assert drawn.shape[0] > 400
    assert drawn[..., :3].std() > 0.05


def test_a_set_that_is_none_is_refused_in_one_line(command, export, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare" / "train").mkdir(parents=True)
    broken = shutil.copytree(export, tmp_path / "broken")
    next((broken / "train" / "labels").iterdir()).write_text("11 0.5 0.5")
    for name, word in (
        ("none", "no such folder"),
        ("empty", "train"),
        ("bare", "holds an image"),
        ("broken", "values"),
    ):
        status, out, error = command("inspect", tmp_path / name)
        assert (status, out) == (2, "")
        assert word in error
        assert str(tmp_path / name) in error
        assert len(error.strip().splitlines()) == 1
    status, _, error = command("inspect", export, "--out", "signs.doc")
    assert status == 2
    assert "signs.doc" in error


def test_synth_writes_copies(command, tmp_path):
    status, said, _ = command("synth", tmp_path / "a", "--train", 2, "--valid", 1, "--test", 0, "--size", 32, "--hulls")
    assert status == 0
    assert f"wrote 7 images to {tmp_path / 'a'}" in said
    assert (tmp_path / "a" / "truth.json").is_file()
    status, said, _ = command(
        "synth", tmp_path / "b", "--train", 2, "--valid", 0, "--test", 0, "--size", 32, "--copies", 2
    )
    assert "wrote 4 images" in said
    status, _, error = command("synth", tmp_path / "c", "--copies", -1)
    assert status == 2
    assert "-1" in error

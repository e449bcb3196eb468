"""A rendered data set: laid out as an export, the same from the same seed, written whole or not at all."""

import csv
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from vitcourse.data import synthesis
from vitcourse.data.letters import LETTERS
from vitcourse.data.synthesis import synthesise
from vitcourse.errors import InputError
from vitcourse.hands.signs import render

ROW = re.compile(r"([A-Z]\d+)_jpg\.rf\.[0-9a-f]{32}\.jpg")


def read(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


COUNTS = {"train": 60, "valid": 26, "test": 7}


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    out = tmp_path_factory.mktemp("signs") / "set"
    heard = []
    synthesise(out, **COUNTS, size=40, seed=3, progress=lambda done, total: heard.append((done, total)))
    return out, heard


def rows(folder: Path, split: str) -> list[dict[str, str]]:
    with (folder / split / "_annotations.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_layout_is_that_of_an_export(export):
    out, heard = export
    assert sorted(path.name for path in out.iterdir()) == ["README.dataset.txt", "test", "train", "valid"]
    assert heard == [(done, 93) for done in range(1, 94)]
    for split, count in COUNTS.items():
        header, *lines = (out / split / "_annotations.csv").read_text().splitlines()
        assert header == "filename,width,height,class,xmin,ymin,xmax,ymax"
        assert len(lines) == count
        table = rows(out, split)
        files = {row["filename"] for row in table}
        assert files == {path.name for path in (out / split).glob("*.jpg")}
        for row in table:
            with Image.open(out / split / row["filename"]) as image:
                assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (40, 40))
            assert (row["width"], row["height"]) == ("40", "40")
            low, high = (int(row["xmin"]), int(row["ymin"])), (int(row["xmax"]), int(row["ymax"]))
            assert all(0 <= a < b <= 40 for a, b in zip(low, high, strict=True))


def test_letters_are_balanced_and_shuffled(export):
    out, _ = export
    for split, count in COUNTS.items():
        letters = [row["class"] for row in rows(out, split)]
        times = [letters.count(letter) for letter in LETTERS]
        assert sum(times) == count
        assert max(times) - min(times) <= 1
        assert letters != sorted(letters)


def test_no_picture_and_no_source_name_is_in_two_splits(export):
    out, _ = export
    sources = [ROW.fullmatch(row["filename"]).group(1) for split in COUNTS for row in rows(out, split)]
    assert len(set(sources)) == len(sources) == 93
    pictures = [data for name, data in read(out).items() if name.endswith(".jpg")]
    assert len(set(pictures)) == 93
    for split in COUNTS:
        for row in rows(out, split):
            assert row["filename"].startswith(row["class"])


def test_written_pictures_are_the_rendered_ones(export):
    out, _ = export
    table = rows(out, "valid")
    letters = torch.tensor([LETTERS.index(row["class"]) for row in table])
    _, boxes = render(letters, seed=3, size=40, first=synthesis.SPLIT_STRIDE)
    written = torch.tensor([[int(row[edge]) for edge in ("xmin", "ymin", "xmax", "ymax")] for row in table])
    assert torch.equal(written[:, :2], (boxes[:, :2] * 40).floor().long())
    assert torch.equal(written[:, 2:], (boxes[:, 2:] * 40).ceil().long())


def test_same_seed_writes_the_same_files(export, tmp_path):
    again = tmp_path / "again"
    again.mkdir()  # an empty folder is as good as none
    synthesise(again, **COUNTS, size=40, seed=3)
    assert read(again) == read(export[0])
    synthesise(tmp_path / "other", train=3, valid=0, test=0, size=40, seed=4)
    assert not set(read(tmp_path / "other").values()) & {v for k, v in read(again).items() if k.endswith("jpg")}


def test_readme_tells_how_it_was_made(export):
    text = (export[0] / "README.dataset.txt").read_text()
    assert "train=60, valid=26, test=7, size=40, seed=3" in text
    assert re.search(r"vitcourse \d+\.\d+", text)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError("disk full")])
def test_an_interrupted_writing_leaves_nothing(tmp_path, failure):
    def stop(done: int, total: int) -> None:
        if done == 12:
            raise failure

    with pytest.raises(BaseException, match=r"disk full|^$"):
        synthesise(tmp_path / "set", train=10, valid=4, test=0, size=32, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", ["here", "link"])
def test_an_empty_folder_that_is_there_is_filled(tmp_path, monkeypatch, way):
    (tmp_path / "set").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "set")
    monkeypatch.chdir(tmp_path / "set")
    synthesise("." if way == "here" else tmp_path / "link", train=1, valid=1, test=0, size=32)
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == [
        "README.dataset.txt",
        "test",
        "train",
        "valid",
    ]
    assert Path.cwd() == tmp_path / "set"


def test_a_folder_in_use_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    (tmp_path / "file").write_text("keep")
    for used in ("mine", "file"):
        with pytest.raises(InputError, match=re.escape(str(tmp_path / used))):
            synthesise(tmp_path / used, train=1, valid=0, test=0, size=32)
    assert read(tmp_path) == {"file": b"keep", "mine/notes.txt": b"keep"}


@pytest.mark.parametrize(
    "wrong", [{"train": -1}, {"valid": -2}, {"test": -3}, {"size": 16}, {"size": 10**6}, {"seed": -5}]
)
def test_synthesise_names_bad_numbers(tmp_path, wrong):
    (value,) = wrong.values()
    with pytest.raises(InputError, match=str(value)):
        synthesise(tmp_path / "set", **({"train": 1, "valid": 0, "test": 0} | wrong))
    assert list(tmp_path.iterdir()) == []

"""The recorded runs of lesson 12, on sizes that take seconds."""

import json
from dataclasses import replace

import pytest

from vitcourse.data.faces import synthesise
from vitcourse.errors import DataError
from vitcourse.faces.models import BLOCKS
from vitcourse.recipes.faces import compare, faces_orl, faces_rendered


@pytest.fixture
def small(folder, monkeypatch):
    run = compare.RUN
    monkeypatch.setattr(compare, "RUN", replace(run, training=replace(run.training, epochs=1)))
    monkeypatch.setattr(compare, "SEEDS", (0,))
    monkeypatch.setattr(compare, "TUNING", {"epochs": 1})
    monkeypatch.setattr(compare, "STRANGERS", 1)
    monkeypatch.setattr(faces_rendered, "PEOPLE", 3)
    return folder


def test_a_record_goes_on_where_it_was_stopped(small, monkeypatch):
    made, real = [], compare.train_faces

    def stopped(run, parts):
        made.append(run)
        if len(made) == 3:
            raise KeyboardInterrupt
        return real(run, parts)

    monkeypatch.setattr(compare, "train_faces", stopped)
    with pytest.raises(KeyboardInterrupt):
        faces_rendered.record(say=lambda line: None)
    said = []
    content = json.loads(faces_rendered.record(say=said.append).read_text())
    titles = list(compare.runs(compare.RUN))
    assert len(made) == len(titles) + 1 + 1  # one with strangers, and the one that was stopped; none was made twice
    assert [row["title"] for row in content["rows"]] == titles
    assert len(said) == len(titles) + 1
    assert not (small / "_build" / "faces_rendered.json").exists()
    assert content["pictures"] == {"train": 15, "valid": 3, "test": 12}
    assert set(content["eigenfaces"]) == {"valid", "test"}
    assert content["seconds"] == pytest.approx(compare.spent(content), abs=0.1)
    (asked,) = content["open_set"]
    assert asked["pictures"] == {"train": 10, "valid": 2, "test": 8, "strangers": 10}
    assert asked["named"] + asked["misnamed"] + asked["refused"] == pytest.approx(1, abs=1e-3)


def test_the_folder_of_real_faces_is_read_and_its_names_are_not_kept(small, monkeypatch):
    monkeypatch.setattr(compare, "runs", lambda base: {block: base.with_block(block) for block in BLOCKS})
    synthesise(small / "orl", people=3, images=10, size=32)
    file = faces_orl.record(small / "orl", lambda line: None)
    assert json.loads(file.read_text())["people"] == 3
    assert "person" not in file.read_text()
    with pytest.raises(DataError, match="there is no such folder"):
        faces_orl.record(small / "nowhere", lambda line: None)


def test_the_cumulative_accuracy_is_the_mean_so_far():
    log = [{"loss": 1.0, "accuracy": share, "valid_accuracy": 0.5} for share in (0.0, 0.5, 1.0)]
    assert compare.curve(log)["cumulative"] == [0.0, 0.25, 0.5]

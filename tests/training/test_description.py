"""What a run folder says of its model, and what it is refused for."""

import json

import pytest

from vitcourse.errors import CheckpointError
from vitcourse.training.description import RUN, Description, describe, described, measures, preprocessing

FACES = Description("faces", ["Zoë", "Ana Maria"], preprocessing(64), {"epoch": 2, "valid_accuracy": 0.5}, {"depth": 1})
LOG = [
    {"epoch": 1, "loss": 2.0, "valid_accuracy": 0.5, "seconds": 1.0},
    {"epoch": 2, "loss": 1.0, "valid_accuracy": 0.25, "seconds": 1.0},
]


def test_it_comes_back_as_it_was(tmp_path):
    describe(FACES, tmp_path / "run")
    assert described(tmp_path / "run") == described(tmp_path / "run", "faces") == FACES


def test_the_measures_are_those_of_the_kept_epoch():
    assert measures(LOG) == {"epoch": 2, "loss": 1.0, "valid_accuracy": 0.25}
    assert measures(LOG, "valid_accuracy") == {"epoch": 1, "loss": 2.0, "valid_accuracy": 0.5}
    assert measures([]) == {}


def test_another_kind_is_refused(tmp_path):
    describe(FACES, tmp_path)
    with pytest.raises(CheckpointError, match="it describes a run of 'faces', and one of 'signs' is"):
        described(tmp_path, "signs")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (None, "it lacks labels"),
        ({"labels": []}, "two names or more"),
        ({"labels": ["a", 1]}, "two names or more"),
        ({"labels": ["a", "a"]}, "labels twice: a"),
        ({"labels": {"a": 1}}, "its labels:"),
        ({"metrics": 1}, "its metrics: 1"),
        ({"metrics": {"threshold": "high"}}, "its metrics are no numbers: threshold"),
        ({"preprocessing": {}}, "a size of None"),
        ({"preprocessing": preprocessing(64) | {"size": True}}, "a size of True"),
        ({"preprocessing": preprocessing(64) | {"mean": [0.4] * 3}}, r"mean \[0\.4"),
        ({"preprocessing": preprocessing(64) | {"crop": 0.9}}, r"crop 0\.9"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_saying_how(tmp_path, change, words):
    describe(FACES, tmp_path)
    content = json.loads((tmp_path / RUN).read_text())
    content = content | change if change else {name: part for name, part in content.items() if name != "labels"}
    (tmp_path / RUN).write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=words) as caught:
        described(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_list_is_no_description(tmp_path):
    (tmp_path / RUN).write_text("[]")
    with pytest.raises(CheckpointError, match="it lacks kind, labels, preprocessing, metrics, settings"):
        described(tmp_path)

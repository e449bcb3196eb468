"""What the tests of recorded runs share."""

import pytest

from vitcourse import results
from vitcourse.data.asl import synthesise


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Recorded runs are written below it."""
    monkeypatch.setattr(results, "FOLDER", tmp_path / "book" / "results")
    return tmp_path


@pytest.fixture(scope="session")
def export(tmp_path_factory):
    """A small rendered export."""
    out = tmp_path_factory.mktemp("data") / "signs"
    synthesise(out, train=78, valid=40, test=0, size=32, seed=3)
    return out

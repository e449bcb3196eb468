"""A small export on disk that tests may break."""

import pytest

from tests.data.exports.sample import write_export


@pytest.fixture
def export(tmp_path):
    """A function that writes one split of an export; a row is (name, letter, box in pixels)."""
    return lambda rows=None, split="train", size=(40, 32), form="csv": write_export(
        tmp_path / "export", rows, split, size, form
    )

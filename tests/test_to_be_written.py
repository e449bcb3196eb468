"""What a skeleton of `vitcourse new` left to write: a test for each file, which passes when nothing is left in it."""

import pytest

from tests.helpers import ROOT, unwritten

LEFT = unwritten(ROOT)

if LEFT:  # a test without a case would be a skipped one

    @pytest.mark.parametrize("file", LEFT)
    def test_to_be_written(file):
        pytest.fail(f"{file}:\n" + "\n".join(LEFT[file]), pytrace=False)


def test_what_is_left_to_write_is_named_with_its_line(tmp_path):
    for name, text in {
        "lessons/01_one/one.ipynb": "a\n# TO BE WRITTEN: b",
        "vitcourse/checks/one/two.py": "done",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert unwritten(tmp_path) == {"lessons/01_one/one.ipynb": ["line 2: # TO BE WRITTEN: b"]}

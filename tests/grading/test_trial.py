"""The walls are tried before they are needed."""

import os

import pytest

from vitcourse.grading.handle import KernelDiedError
from vitcourse.grading.keeper import Keeper
from vitcourse.grading.limits import Limits, MissingLimitError
from vitcourse.grading.master import COURSE
from vitcourse.grading.trial import NAMES, try_limits


def test_walls_that_stand_are_accepted(keeper, tmp_path):
    try_limits(keeper, str(tmp_path), os.geteuid())


def test_a_student_beside_the_course_cannot_be_seen(keeper):
    """The folder that holds the package is there, with nothing but the package in it."""
    try_limits(keeper, str(COURSE / "pyproject.toml"), os.geteuid())
    with pytest.raises(MissingLimitError, match="a file system of its own"):
        try_limits(keeper, str(COURSE / "vitcourse"), os.geteuid())


def test_a_kernel_without_walls_is_refused(tmp_path):
    with (
        Keeper(Limits(memory_gb=0.1, processes=8), isolated=False) as keeper,
        pytest.raises(MissingLimitError, match="it did not hold") as missing,
    ):
        try_limits(keeper, str(tmp_path), os.geteuid())
    assert missing.value.limit in NAMES.values()


@pytest.mark.parametrize("word", NAMES)
def test_a_limit_that_did_not_hold_is_named(word):
    with pytest.raises(MissingLimitError) as missing:
        try_limits(Pretence({"kind": "stream", "name": "stdout", "text": f"{word}\n"}), "/x", 1000)
    assert missing.value.limit == NAMES[word]


@pytest.mark.parametrize("output", [{"kind": "error", "name": "OSError", "text": "strange", "trace": ""}, None])
def test_what_cannot_be_tried_is_not_trusted(output):
    with pytest.raises(MissingLimitError, match=r"strange|gone"):
        try_limits(Pretence(output), "/x", 1000)


class Pretence:
    """A keeper whose kernel puts out what it is told, or dies."""

    limits = Limits()

    def __init__(self, output):
        self.output = output

    def start(self):
        return self

    def ask(self, _request, _seconds):
        if self.output is None:
            raise KernelDiedError("gone")
        return {"outputs": [self.output]}

    def close(self):
        pass

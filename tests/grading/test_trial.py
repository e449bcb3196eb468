"""The walls are tried before they are needed."""

import pytest

from vitcourse.grading.master import COURSE
from vitcourse.grading.walled import trial
from vitcourse.grading.walled.handle import KernelDiedError
from vitcourse.grading.walled.launcher import Launcher
from vitcourse.grading.walled.limits import Limits, MissingLimitError
from vitcourse.grading.walled.trial import NAMES, try_walls

OVER = KernelDiedError("it held more than 0.1 GB of memory")


def test_walls_that_stand_are_accepted_and_the_limits_stay(launcher, tmp_path):
    before = launcher.limits
    try_walls(launcher, str(tmp_path))
    assert launcher.limits is before


def test_a_student_beside_the_course_cannot_be_seen(launcher, monkeypatch):
    """The folder that holds the package is there, with nothing but the package in it."""
    monkeypatch.setattr(trial, "HOARD", "raise SystemExit('more than 1 GB of memory')")
    try_walls(launcher, str(COURSE / "pyproject.toml"))
    with pytest.raises(MissingLimitError, match="a file system of its own"):
        try_walls(launcher, str(COURSE / "vitcourse"))


def test_a_kernel_without_walls_is_refused_and_every_wall_is_found_missing(tmp_path, monkeypatch):
    found = []
    monkeypatch.setattr(trial, "_must_hold", lambda broken, _reason: found.extend(broken))
    monkeypatch.setattr(trial, "HOARD", "raise SystemExit('more than 1 GB of memory')")
    with Launcher(Limits(memory_gb=0.1, processes=8, disk_mb=8), isolated=False) as launcher:
        try_walls(launcher, str(tmp_path))
    assert {"network", "files", "folder", "processes-seen", "filter", "namespaces", "keyring"} <= {*found}
    assert {*found} <= {*NAMES}


@pytest.mark.parametrize("word", NAMES)
def test_a_limit_that_did_not_hold_is_named(word):
    text = {"kind": "stream", "name": "stdout", "text": f"{word}\n"}
    for answers in ([[text], OVER], [[], [text]]):
        with pytest.raises(MissingLimitError, match=NAMES[word]):
            try_walls(Pretence(answers), "/x")


@pytest.mark.parametrize(
    "answers",
    [
        [[{"kind": "error", "name": "OSError", "text": "strange", "trace": ""}], OVER],
        [KernelDiedError("gone"), OVER],
        [[], KernelDiedError("gone")],
        [[], []],
    ],
)
def test_what_cannot_be_tried_is_not_trusted(answers):
    with pytest.raises(MissingLimitError, match=r"strange|gone|it did not hold"):
        try_walls(Pretence(answers), "/x")


class Pretence:
    """A launcher whose kernels put out what they are told, or die."""

    limits = Limits()

    def __init__(self, answers):
        self.answers = list(answers)

    def start(self):
        return self

    def ask(self, _request, _seconds):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"outputs": answer}

    def close(self):
        pass

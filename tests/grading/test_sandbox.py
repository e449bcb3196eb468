"""The box: what can be read in it, and what a machine says that has none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vitcourse.grading.master import COURSE
from vitcourse.grading.walled import readable as readables
from vitcourse.grading.walled import sandbox
from vitcourse.grading.walled.limits import Limits, MissingLimitError
from vitcourse.grading.walled.readable import readable


def test_what_is_readable_is_named_once_and_the_course_is_not():
    paths, links = readable()
    assert Path("/usr") in paths
    assert COURSE / "vitcourse" in paths
    assert not {COURSE, *COURSE.parents} & {*paths, *links}
    for path in paths:
        assert not {*path.parents} & {*paths}
    assert all(path in {*paths} or {*path.parents} & {*paths} for path in links.values())


def test_a_folder_under_another_name_is_found_under_both(tmp_path, monkeypatch):
    """An environment in a linked folder, and a part of it that is looked for by itself."""
    (tmp_path / "true" / "lib").mkdir(parents=True)
    (tmp_path / "name").symlink_to(tmp_path / "true")
    for prefix in ("prefix", "base_prefix"):
        monkeypatch.setattr(sys, prefix, str(tmp_path / "name"))
    monkeypatch.setattr(readables.site, "getsitepackages", lambda: [str(tmp_path / "name" / "lib")])
    monkeypatch.setattr(readables, "SYSTEM", ())
    paths, links = readable()
    assert {*paths} == {COURSE / "vitcourse", tmp_path / "true"}
    assert links == {tmp_path / "name": tmp_path / "true"}


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs by their text: nothing else is on the path."""
    monkeypatch.setenv("PATH", f"{tmp_path}")

    def programs(**texts):
        for name, text in texts.items():
            (tmp_path / name.replace("_", "-")).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name.replace("_", "-")).chmod(0o755)

    return programs


def test_without_the_program_the_words_say_how_to_get_it(programs):
    with pytest.raises(MissingLimitError, match=r"walls \(the program bwrap is missing: apt install bubblewrap, dnf"):
        sandbox.bubblewrap()
    assert sandbox.state().startswith("missing (the program bwrap is missing: apt install bubblewrap")


@pytest.mark.parametrize("said", ["No permissions to create new namespace", "Unknown option --disable-userns"])
def test_where_the_box_does_not_stand_the_words_say_why_and_what_to_do(programs, said):
    programs(bwrap=f"echo first >&2; echo 'bwrap: {said}' >&2; exit 1")
    words = sandbox.state()
    assert words.startswith(f"missing (bwrap: {said}; bubblewrap 0.8 or newer is needed; where the system forbids")
    assert "kernel.apparmor_restrict_unprivileged_userns=0" in words
    assert "a container" in words
    assert "\n" not in words


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_where_there_is_no_linux_the_words_say_where_there_is_one(monkeypatch, system):
    monkeypatch.setattr(sandbox.sys, "platform", system)
    assert (
        sandbox.state()
        == f"missing (this is {system}; the walls need Linux: WSL on Windows, a virtual machine on macOS)"
    )


def test_where_systemd_counts_the_box_is_in_a_group_of_its_own(programs, tmp_path):
    limits = Limits(memory_gb=0.5, processes=24)
    assert sandbox.cgroup(limits) == []  # there is no such program
    programs(systemd_run="exit 1")
    assert sandbox.cgroup(limits) == []  # nobody answers it
    programs(systemd_run=f'echo "$@" > {tmp_path}/asked')
    words = sandbox.cgroup(limits)
    assert words[0] == str(tmp_path / "systemd-run")
    assert (tmp_path / "asked").read_text().split() == [*words[1:], "true"]
    assert f"--property=MemoryMax={3 * 2**30}" in words
    assert "--property=TasksMax=56" in words


def test_doctor_says_whether_there_are_walls(command, monkeypatch):
    monkeypatch.setattr(sandbox, "state", lambda: "missing (a [reason])")
    assert command("doctor")[1].splitlines()[-1] == "walls for `vitcourse grade`: missing (a [reason])"


def test_the_folder_that_the_grader_is_started_in_is_not_readable(tmp_path):
    """As ``python -m vitcourse`` has it on its path, and a class lies there."""
    (tmp_path / "sitecustomize.py").touch()
    program = "from vitcourse.grading.walled.readable import readable; print(*readable()[0], sep='\\n')"
    (tmp_path / "started.py").write_text(program, encoding="utf-8")
    words = [sys.executable, "-m", "started"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "also")}
    (tmp_path / "also").mkdir()
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    paths = [Path(line) for line in done.stdout.splitlines()]
    assert not any(path == tmp_path or tmp_path in path.parents or path in tmp_path.parents for path in paths)
    assert Path(sys.prefix).resolve() in paths or Path(sys.prefix).resolve().parent in paths

"""The recorded run on threads that wait, on one step of few pictures. No time is asserted here."""

import json
import os

from vitcourse import results
from vitcourse.recipes.speed import waiting_threads
from vitcourse.threads import WAITING


def test_every_way_is_timed_alone_and_beside_busy_programs(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    ways = {name: waiting_threads.WAYS[name] for name in ("as PyTorch comes", "a short wait")}
    for name, value in {"STEPS": 1, "ROUNDS": 2, "WAYS": ways}.items():
        monkeypatch.setattr(waiting_threads, name, value)
    few = "from vitcourse.recipes.speed import waiting_threads as run; run.BATCH = 2; run.serve()"
    monkeypatch.setattr(waiting_threads, "SERVER", few)
    said = []
    content = json.loads(waiting_threads.record(None, said.append).read_text())
    assert [(row["way"], row["busy_programs"]) for row in content["rows"]] == [
        (way, programs) for programs in (0, os.cpu_count()) for way in waiting_threads.WAYS
    ]
    assert len(said) == len(content["rows"])
    for row in content["rows"]:
        assert row["seconds"]["least"] <= row["seconds"]["median"] <= row["seconds"]["greatest"]
        assert (row["ratio"]["median"] == 1.0) == (row["way"] == "as PyTorch comes")


def test_ratios_are_taken_round_by_round():
    times = {"as PyTorch comes": [1.0, 10.0, 4.0], "a short wait": [0.5, 5.0, 2.0]}
    found = waiting_threads.row("a short wait", 2, times)
    assert found["ratio"] == {"median": 0.5, "least": 0.5, "greatest": 0.5}
    assert found["seconds"]["median"] == 2.0
    assert found["settings"] == WAITING


def test_busy_programs_end_with_the_block(monkeypatch):
    started = []
    real = waiting_threads.subprocess.Popen

    def popen(*arguments, **options):
        started.append(real(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(waiting_threads.subprocess, "Popen", popen)
    with waiting_threads.busy(2):
        assert [program.poll() for program in started] == [None, None]
    assert all(program.poll() is not None for program in started)

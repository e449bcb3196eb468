import itertools
import math

import pytest
import torch

from vitcourse import timing
from vitcourse.timing import LEAST, MOST_CALLS, interleaved, peak_bytes, ratio, shortest


def test_programs_take_turns_in_changing_order():
    calls = []
    programs = {name: lambda name=name: calls.append(name) for name in "abc"}
    seen = []
    times = interleaved(programs, rounds=4, seconds=0, on_round=lambda done, total: seen.append((done, total)))
    assert "".join(calls[6:]) == "abc" + "acb" + "cab" + "cba"  # six calls to warm up
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {len(values) for values in times.values()} == {4}


def test_all_make_the_same_number_of_calls_and_times_are_of_one(monkeypatch):
    counts, now = {"slow": 0, "quick": 0}, [0.0]

    def program(name, pause):
        def run():
            counts[name] += 1
            now[0] += pause

        return run

    monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0])
    programs = {"slow": program("slow", 0.25), "quick": program("quick", 0.125)}
    times = interleaved(programs, rounds=3, seconds=1.0)
    assert counts == {"slow": 2 + 3 * 4, "quick": 2 + 3 * 4}  # four calls of the slow one are a second
    assert times == {"slow": [0.25] * 3, "quick": [0.125] * 3}


def test_ratio_is_taken_round_by_round():
    """A machine that slows down for some rounds slows both: the ratio does not change."""
    times = {"ours": [1.0, 10.0, 2.0], "theirs": [2.0, 20.0, 4.0]}
    assert ratio(times, "ours", "theirs") == {"median": 0.5, "quartiles": [0.5, 0.5]}
    assert ratio({"ours": [3.0], "theirs": [2.0]}, "ours", "theirs")["median"] == 1.5


def test_no_rounds_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        interleaved({"a": lambda: None}, rounds=0)


@pytest.mark.parametrize("steps", [[0.0], [-7.0, 3.0], [1e-12], [40.0, -90.0, 2.0]])
def test_a_clock_that_stands_still_or_jumps_harms_nothing(monkeypatch, steps):
    """As many calls as ever, on one thread, and numbers that can be drawn on a logarithmic axis or divided by."""
    now, ticks, calls, threads = [0.0], itertools.cycle(steps), [], []

    def clock():
        now[0] += next(ticks)
        return now[0]

    monkeypatch.setattr(timing.time, "perf_counter", clock)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    took = shortest({name: lambda name=name: calls.append(name) for name in "ab"}, rounds=3)
    assert sorted(calls) == ["a"] * 5 + ["b"] * 5
    assert list(took) == ["a", "b"]
    assert all(LEAST <= seconds < math.inf for seconds in took.values())
    assert threads == [1, 3]
    calls.clear()
    times = interleaved({"a": lambda: calls.append("a"), "b": int}, rounds=2, seconds=100)
    assert len(calls) <= 2 + 2 * MOST_CALLS
    assert ratio(times, "a", "b")["median"] > 0


def test_the_shortest_round_counts(monkeypatch):
    times = {"a": [3.0, 1.0, 2.0], "b": [5.0, 9.0, 4.0]}
    monkeypatch.setattr(timing, "interleaved", lambda *_: times)
    assert shortest({"a": int, "b": int}, rounds=3) == {"a": 1.0, "b": 4.0}


def test_the_peak_is_what_is_held_at_one_time():
    """Ten tensors of 4 kB one after the other are two at a time: the new one is made before the old one goes."""
    held = torch.ones(1000)  # from before: not counted

    def one_by_one():
        x = held
        for _ in range(10):
            x = x + 1
        return x

    scalars = 100  # the 1 becomes a tensor for a moment
    assert 0 <= peak_bytes(one_by_one) - 2 * 4000 < scalars
    assert 0 <= peak_bytes(lambda: [held + 1 for _ in range(10)]) - 10 * 4000 < scalars

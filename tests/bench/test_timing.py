import pytest

from vitcourse.bench import timing
from vitcourse.bench.timing import interleaved, ratio


def test_programs_take_turns_in_changing_order():
    calls = []
    programs = {name: lambda name=name: calls.append(name) for name in "abc"}
    seen = []
    times = interleaved(programs, rounds=4, seconds=0, on_round=lambda done, total: seen.append((done, total)))
    assert "".join(calls[6:]) == "abc" + "acb" + "cab" + "cba"  # six calls to warm up
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {len(values) for values in times.values()} == {4}


def test_all_make_the_same_number_of_calls_and_times_are_of_one(monkeypatch):
    counts, now = {"slow": 0, "quick": 0}, 0.0
    monkeypatch.setattr(timing.time, "perf_counter", lambda: now)

    def program(name, pause):
        def run():
            nonlocal now
            counts[name] += 1
            now += pause

        return run

    programs = {"slow": program("slow", 0.01), "quick": program("quick", 0.001)}
    times = interleaved(programs, rounds=3, seconds=0.05)
    assert counts == {"slow": 2 + 3 * 5, "quick": 2 + 3 * 5}
    assert times["slow"] == pytest.approx([0.01] * 3)
    assert times["quick"] == pytest.approx([0.001] * 3)


def test_ratio_is_taken_round_by_round():
    """A machine that slows down for some rounds slows both: the ratio does not change."""
    times = {"ours": [1.0, 10.0, 2.0], "theirs": [2.0, 20.0, 4.0]}
    assert ratio(times, "ours", "theirs") == {"median": 0.5, "quartiles": [0.5, 0.5]}
    assert ratio({"ours": [3.0], "theirs": [2.0]}, "ours", "theirs")["median"] == 1.5


def test_no_rounds_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        interleaved({"a": lambda: None}, rounds=0)

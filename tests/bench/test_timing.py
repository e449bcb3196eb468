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


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves when told to."""

    class Clock:
        now = 0.0

        def perf_counter(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


def test_all_make_the_same_number_of_calls_and_times_are_of_one(clock):
    counts = {"slow": 0, "quick": 0}

    def program(name, pause):
        def run():
            counts[name] += 1
            clock.now += pause

        return run

    programs = {"slow": program("slow", 0.01), "quick": program("quick", 0.001)}
    times = interleaved(programs, rounds=3, seconds=0.05)
    assert counts["slow"] == counts["quick"] == 2 + 3 * 5
    assert times["slow"] == pytest.approx([0.01] * 3)
    assert times["quick"] == pytest.approx([0.001] * 3)


@pytest.mark.parametrize(("step", "calls"), [(0.0, 1), (-1.0, 1), (1e-12, 1000), (5e-324, 1000)])
def test_a_clock_that_stands_or_is_set_back_decides_no_number_of_calls(clock, step, calls):
    count = 0

    def program():
        nonlocal count
        count += 1
        clock.now += step
        assert count <= 2 + 2 * calls

    interleaved({"a": program}, rounds=2, seconds=0.3)
    assert count == 2 + 2 * calls


def test_ratio_is_taken_round_by_round():
    """A machine that slows down for some rounds slows both: the ratio does not change."""
    times = {"ours": [1.0, 10.0, 2.0], "theirs": [2.0, 20.0, 4.0]}
    assert ratio(times, "ours", "theirs") == {"median": 0.5, "quartiles": [0.5, 0.5]}
    assert ratio({"ours": [3.0], "theirs": [2.0]}, "ours", "theirs")["median"] == 1.5


def test_no_rounds_is_refused():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        interleaved({"a": lambda: None}, rounds=0)

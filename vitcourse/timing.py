"""What programs take: time, against each other and fairly (in turn, in changing order, over many rounds); memory."""

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

Program = Callable[[], object]
LEAST = 1e-6  # seconds: less is no time of a call but a clock that stood still or was set back
MOST_CALLS = 1000  # of a program in a round, whatever a clock says of one


def interleaved(
    programs: dict[str, Program],
    rounds: int = 9,
    seconds: float = 0.3,
    device: torch.device | None = None,
    on_round: Callable[[int, int], None] | None = None,
) -> dict[str, list[float]]:
    """Seconds per call of every program, one number a round, none below `LEAST`.

    In each round all programs run after one another, so that a machine that slows down slows all of them. The first
    place goes round, and every other round runs backwards. All make the same number of calls.

    Args:
        programs: what is timed, without arguments.
        rounds: how often each is timed.
        seconds: about how long the slowest runs in a round, in `MOST_CALLS` calls at most; 0 for one call.
        device: where the programs compute; on CUDA the clock waits for it.
        on_round: called with the rounds done and their number.

    Raises:
        ValueError: fewer than one round.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    once = {name: _timed(program, 2, device) for name, program in programs.items()}  # also warms up
    calls = max(1, min(MOST_CALLS, round(seconds / max(once.values()))))
    times: dict[str, list[float]] = {name: [] for name in programs}
    names = list(programs)
    for index in range(rounds):
        first = index % len(names)
        order = names[first:] + names[:first]
        for name in reversed(order) if index % 2 else order:
            times[name].append(_timed(programs[name], calls, device))
        if on_round is not None:
            on_round(index + 1, rounds)
    return times


def shortest(programs: dict[str, Program], rounds: int = 5, device: torch.device | None = None) -> dict[str, float]:
    """Seconds of one call of every program: the shortest of several rounds of `interleaved`, on one CPU thread.

    Other work on the machine adds to a time, so the shortest is the one that it disturbed least. To be shown, not to be
    asserted. Whatever the clock does, each number is `LEAST` or more, and every program is called 2 + ``rounds`` times.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times = interleaved(programs, rounds, 0, device)
    finally:
        torch.set_num_threads(threads)
    return {name: min(values) for name, values in times.items()}


def ratio(times: dict[str, list[float]], of: str, to: str) -> dict[str, float]:
    """How ``of`` compares with ``to``, round by round: the median of the ratios, and their quartiles."""
    ratios = [mine / theirs for mine, theirs in zip(times[of], times[to], strict=True)]
    lower, median, upper = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return {"median": round(median, 4), "quartiles": [round(lower, 4), round(upper, 4)]}


def peak_bytes(program: Program, device: torch.device | None = None) -> int:
    """The most bytes that tensors hold at one time while a program works, its result included.

    On a CPU they are counted by PyTorch's profiler as its allocator is asked for them, and on one thread, because each
    thread would bring a buffer of its own: other work on the machine does not change them.
    """
    if device is not None and device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        program()
        return torch.cuda.max_memory_allocated(device) - before
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # else the profiler prints notes on the machine
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        activities = [torch.profiler.ProfilerActivity.CPU]
        with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
            program()
    finally:
        torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "trace.json")
        profile.export_chrome_trace(str(file))
        events = json.loads(file.read_text(encoding="utf-8"))["traceEvents"]
    changes = [event["args"] for event in events if event.get("name") == "[memory]"]
    # Each change says what is held after it, so no order is needed.
    before = min(change["Total Allocated"] - change["Bytes"] for change in changes)
    return max(change["Total Allocated"] for change in changes) - before


def _timed(program: Program, calls: int, device: torch.device | None) -> float:
    _wait(device)
    start = time.perf_counter()
    for _ in range(calls):
        program()
    _wait(device)
    return max(LEAST, (time.perf_counter() - start) / calls)


def _wait(device: torch.device | None) -> None:
    if device is not None and device.type == "cuda":
        torch.cuda.synchronize(device)

"""A learner's function is stopped when its time is up, also one that swallows exceptions, and nobody else is."""

import contextlib
import signal
import sys
import threading
import time

import pytest
import torch

from vitcourse.checks import guard
from vitcourse.checks.guard import Rules
from vitcourse.checks.timer import Limit, TimeIsUp

QUICK = Rules(seconds=0.1)


def plain_loop():
    while True:
        pass


def loop_that_swallows_exceptions():
    while True:
        try:
            time.sleep(0.001)
        except Exception:
            continue


def loop_that_swallows_everything():
    while True:
        try:
            while True:
                sum(range(100))
        except:  # noqa: E722
            pass


def loop_with_finally():
    while True:
        try:
            sum(range(100))
        finally:
            continue  # noqa: B012 - that it silences exceptions is the point


def loop_with_suppress():
    while True:
        with contextlib.suppress(BaseException):
            while True:
                sum(range(100))


def nested_swallowing():
    while True:
        try:
            try:
                while True:
                    sum(range(100))
            except BaseException:
                loop_that_swallows_everything()
        except BaseException:
            pass


def loop_in_torch():
    x = torch.randn(3, 3)
    while True:
        torch.nn.functional.softmax(x @ x, dim=-1)


def loop_in_torch_that_swallows_everything():
    while True:
        with contextlib.suppress(BaseException):
            loop_in_torch()


LOOPS = [
    plain_loop,
    loop_that_swallows_exceptions,
    loop_that_swallows_everything,
    loop_with_finally,
    loop_with_suppress,
    nested_swallowing,
    loop_in_torch,
    loop_in_torch_that_swallows_everything,
]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: loop.__name__)
def test_a_loop_is_ended(loop):
    before = signal.getsignal(signal.SIGALRM), sys.gettrace(), sys.getprofile()
    outcome = guard.call(loop, rules=QUICK)
    assert outcome.failure == "endless-loop"
    assert (signal.getsignal(signal.SIGALRM), sys.gettrace(), sys.getprofile()) == before


@pytest.mark.parametrize("loop", [plain_loop, loop_that_swallows_exceptions, loop_in_torch], ids=lambda f: f.__name__)
def test_a_loop_is_ended_in_another_thread(loop):
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(guard.call(loop, rules=QUICK)), daemon=True)
    thread.start()
    thread.join(60)
    assert [outcome.failure for outcome in outcomes] == ["endless-loop"]


def test_modes_are_left_clean_after_many_stops():
    """A stop in the middle of torch's own bookkeeping must not leave a mode on for the rest of the session."""
    for _ in range(8):
        assert guard.call(loop_in_torch, rules=Rules(seconds=0.02)).failure == "endless-loop"
    for _ in range(2):
        assert guard.call(loop_in_torch_that_swallows_everything, rules=Rules(seconds=0.02)).failure == "endless-loop"
    assert torch.overrides._get_current_function_mode_stack() == []
    assert torch.utils._python_dispatch._get_current_dispatch_mode_stack() == []


def test_a_slow_function_that_ends_in_time_is_left_alone():
    start = time.monotonic()
    assert guard.call(lambda: time.sleep(0.2) or 3, rules=QUICK).value == 3  # it sleeps, and does not compute
    assert time.monotonic() - start >= 0.2


def test_a_function_that_sleeps_for_ever_is_ended_too():
    start = time.monotonic()
    assert guard.call(lambda: time.sleep(100), rules=QUICK).failure == "endless-loop"
    assert time.monotonic() - start < 10


def test_the_timer_of_somebody_else_goes_on():
    """pytest-timeout uses the same timer: its limit must hold after a check as before."""
    handler, timer = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    rung = []
    signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        guard.call(lambda: 1, rules=QUICK)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.3
        time.sleep(0.5)
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)
    assert rung == [True]


def test_code_that_must_not_be_interrupted_is_not():
    done = []

    def first_here_then_elsewhere():
        stop = time.process_time() + 0.2
        while time.process_time() < stop:  # in this file: not interrupted
            pass
        done.append(True)
        exec(compile("while True: pass", "elsewhere", "exec"))

    with pytest.raises(TimeIsUp), Limit(0.05, own_files=(__file__,)):
        first_here_then_elsewhere()
    assert done == [True]


def test_an_import_is_not_broken_off(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text("import time\ntime.sleep(1)\nname = 'whole'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def imports():
        import slow_to_import

        assert slow_to_import.name == "whole"
        plain_loop()

    assert guard.call(imports, rules=QUICK).failure == "endless-loop"
    assert sys.modules.pop("slow_to_import").name == "whole"

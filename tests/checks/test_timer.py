"""A learner's function is stopped when its time is up, also one that swallows exceptions, and nobody else is."""

import contextlib
import functools
import itertools
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
import torch

from vitcourse.checks.engine import guard, timer
from vitcourse.checks.engine.guard import Rules
from vitcourse.checks.engine.timer import Limit, TimeIsUp

pytestmark = pytest.mark.runs_into_limits
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


def waits_for_a_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


WAITS = [
    lambda: time.sleep(10**6),
    waits_for_a_lock,
    lambda: subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE).wait(),
    lambda: subprocess.run([sys.executable, "-c", "import time; time.sleep(10**6)"]),
]


@pytest.mark.parametrize("wait", WAITS, ids=["sleep", "lock", "pipe", "process"])
def test_a_function_that_waits_for_ever_is_ended_too(wait, monkeypatch):
    monkeypatch.setattr(timer, "Limit", functools.partial(Limit, wall=0.2))
    outcome = guard.call(wait, rules=Rules(seconds=1000))
    assert (outcome.failure, outcome.detail) == ("endless-loop", "0.2 seconds of waiting")


def test_a_loop_of_short_waits_is_ended_in_another_thread():
    def naps():
        while True:
            time.sleep(0.001)

    found = []

    def limited():
        with pytest.raises(TimeIsUp), Limit(1000, wall=0.2) as limit:
            naps()
        found.append(limit.reason)

    thread = threading.Thread(target=limited, daemon=True)
    thread.start()
    thread.join(60)
    assert found == ["0.2 seconds of waiting"]


def test_waiting_is_not_computing():
    """Nor is it, on a busy machine, to wait for the processor."""
    assert guard.call(lambda: time.sleep(1) or 3, rules=QUICK).value == 3


@pytest.fixture
def busy_threads():
    """Threads of the session that compute all the time, as a server or a training in the background does."""
    done = threading.Event()

    def compute():
        while not done.is_set():
            sum(range(1000))

    threads = [threading.Thread(target=compute, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    yield
    done.set()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("in_main_thread", [True, False])
def test_what_other_threads_compute_does_not_count(busy_threads, in_main_thread):
    outcomes = []

    def waits_while_they_compute():
        start = sum_of_all()
        while sum_of_all() < start + 0.5:  # five times the limit, in the other threads
            time.sleep(0.05)
        return "whole"

    def sum_of_all():
        return time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)

    def call():
        outcomes.append(guard.call(waits_while_they_compute, rules=QUICK))

    if in_main_thread:
        call()
    else:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    assert [outcome.value for outcome in outcomes] == ["whole"]


def test_a_tick_that_comes_while_another_is_judged_is_let_pass(monkeypatch):
    """Else each waits for the next, and none comes to its end, where other threads leave little time to judge one."""
    may_raise, at_once, judged = timer.Limit._may_raise, [], []

    def slowly(limit, frame):
        at_once.append(frame)
        judged.append(len(at_once))
        end = time.monotonic() + (3 * timer.TICK if len(judged) < 8 else 0)
        while time.monotonic() < end:
            pass
        at_once.pop()
        return may_raise(limit, frame)

    monkeypatch.setattr(timer.Limit, "_may_raise", slowly)
    assert guard.call(plain_loop, rules=QUICK).failure == "endless-loop"
    assert set(judged) == {1}


@pytest.fixture
def wild_clocks(monkeypatch):
    """Python's clocks run at random rates from 1 to 50, and jump."""
    rng = random.Random(0)
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        true, jumps = getattr(time, name), itertools.accumulate(iter(lambda: rng.uniform(0, 1000), None))
        monkeypatch.setattr(time, name, lambda true=true, jumps=jumps: rng.uniform(1, 50) * true() + next(jumps))


@pytest.mark.parametrize("in_main_thread", [True, False])
def test_a_clock_that_goes_wrong_ends_nothing(wild_clocks, in_main_thread):
    def looks_at_every_clock():
        seen = [time.time(), time.monotonic(), time.process_time(), time.thread_time()]
        time.sleep(0.3)  # long enough for the timer to look, had it one of these
        return len(seen)

    outcomes = []
    call = functools.partial(lambda: outcomes.append(guard.call(looks_at_every_clock, rules=QUICK)))
    if in_main_thread:
        call()
    else:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
    assert [outcome.value for outcome in outcomes] == [4]
    assert guard.call(plain_loop, rules=QUICK).failure == "endless-loop"


def test_the_timer_of_somebody_else_goes_on():
    """pytest-timeout uses the same timer: its limit must hold after a check as before."""
    handler, timer = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    rung = []
    signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    signal.setitimer(signal.ITIMER_REAL, 1000, 500)
    try:
        assert guard.call(plain_loop, rules=QUICK).failure == "endless-loop"
        left, interval = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left < 1000 - QUICK.seconds
        assert interval == 500
        signal.raise_signal(signal.SIGALRM)
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)
    assert rung == [True]


def test_a_timer_that_was_due_meanwhile_rings_afterwards():
    handler, timer = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    rung = threading.Event()
    signal.signal(signal.SIGALRM, lambda *_: rung.set())
    signal.setitimer(signal.ITIMER_REAL, QUICK.seconds / 2)
    try:
        assert guard.call(plain_loop, rules=QUICK).failure == "endless-loop"
        assert rung.wait(60)
    finally:
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, *timer)


def test_code_that_must_not_be_interrupted_is_not():
    done = []

    def first_here_then_elsewhere():
        stop = time.thread_time() + 0.2
        while time.thread_time() < stop:  # in this file: not interrupted
            pass
        done.append(True)
        exec(compile("while True: pass", "elsewhere", "exec"))

    with pytest.raises(TimeIsUp), Limit(0.05, own_files=(__file__,)):
        first_here_then_elsewhere()
    assert done == [True]


def test_an_import_is_not_broken_off(tmp_path, monkeypatch):
    source = "import time\nstop = time.thread_time() + 0.3\nwhile time.thread_time() < stop: pass\nname = 'whole'\n"
    (tmp_path / "slow_to_import.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def imports(then):
        import slow_to_import

        assert slow_to_import.name == "whole"
        time.sleep(0.3)  # the timer looks again
        return then()

    for then, failure in ((plain_loop, "endless-loop"), (lambda: 1, None)):  # and it does not count
        outcome = guard.call(functools.partial(imports, then), rules=QUICK)
        assert outcome.failure == failure
        assert sys.modules.pop("slow_to_import").name == "whole"

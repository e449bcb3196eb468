"""A limit on the processor time of a learner's function, which also ends loops that swallow every exception.

What counts is what the thread of the function has computed, by the kernel's clock of that thread: a busy machine, or
another thread of the session, takes nothing away from it. Only what waits and does not compute is limited by the time
on the wall, and that limit is wide.

On the main thread a timer signal raises `TimeIsUp` inside the function, which ends a sleep as well. Elsewhere, and on
platforms without timer signals, a second thread raises it. Nothing can end one long call into C, and the second thread
ends neither a sleep nor a loop around a bare ``except``.
"""

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

TICK = 0.05  # seconds between two attempts once the time is up
SOON = 1e-5  # seconds: about as long as the interpreter needs to leave one ``except`` block
WALL = 900.0  # seconds for a function that does not compute, but sleeps or waits
POLITE = 2  # attempts before it is taken for a function that swallows them


class TimeIsUp(BaseException):
    """Raised inside a learner's function that has used up its time; ``except Exception`` lets it pass."""


class Limit:
    """``with Limit(seconds, own_files): function()`` raises `TimeIsUp` once the time is up.

    Args:
        seconds: of processor time of the thread that runs the function. Imports are free: one that is met at work
            when the time is up starts the count again.
        own_files: code that must not be interrupted: nothing is raised while a function of these files is running.
        wall: seconds until a function ends that waits for something.
    """

    def __init__(self, seconds: float, own_files: tuple[str, ...] = (), wall: float = WALL):
        self.seconds, self.own_files, self.wall = seconds, {__file__, *own_files}, wall
        self.active, self.judging, self.attempts = False, False, 0
        self.thread: threading.Thread | None = None
        in_main_thread = threading.current_thread() is threading.main_thread()
        self.by_signal = in_main_thread and hasattr(signal, "setitimer")

    @property
    def reason(self) -> str:
        """Which of the two limits was met."""
        if self.waited_too_long:
            return f"{self.wall:g} seconds of waiting"
        return f"{self.seconds:g} seconds of computing"

    def __enter__(self) -> "Limit":
        self.trace, self.clock = sys.gettrace(), _processor_clock(read_elsewhere=not self.by_signal)
        self.started, self.computed, self.waited_too_long = _now(), self.clock(), False
        self.active = True
        if self.by_signal:
            self.handler = signal.signal(signal.SIGALRM, self._on_signal)
            first = max(min(self.seconds, self.wall), SOON)  # 0 would set no timer
            self.other_delay, self.other_interval = signal.setitimer(signal.ITIMER_REAL, first, TICK)
        else:
            self.done = threading.Event()
            self.thread = threading.Thread(target=self._watch, args=(threading.get_ident(),), daemon=True)
            self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        while self.active or self.thread:  # a last exception from the second thread may arrive in here
            with contextlib.suppress(TimeIsUp):
                self._stop()

    def _stop(self) -> None:
        self.active = False
        if self.by_signal:
            signal.setitimer(signal.ITIMER_REAL, 0)
            if self.attempts:
                sys.settrace(self.trace)
            signal.signal(signal.SIGALRM, self.handler or signal.SIG_DFL)  # None: set by C code, not to be had back
            if self.other_delay:  # somebody else's timer (a test runner's) goes on as if we had not been here
                left = self.other_delay - (_now() - self.started)
                signal.setitimer(signal.ITIMER_REAL, max(left, TICK), self.other_interval)
        elif self.thread:
            self.done.set()
            self.thread.join()  # whatever it raised last has arrived by the time this returns
            self.thread = None

    def _is_own(self, frame: FrameType | None) -> bool:
        return frame is None or frame.f_code.co_filename in self.own_files

    def _may_raise(self, frame: FrameType | None) -> bool:
        if not self.active:
            return False
        outer = frame
        while outer is not None:
            if outer.f_code.co_filename.startswith("<frozen importlib"):
                self.computed = self.clock()
                return False  # a module that was imported by half would stay so for the rest of the session
            outer = outer.f_back
        if self._is_own(frame):
            return False
        self.waited_too_long = self.waited_too_long or _now() - self.started >= self.wall
        return self.waited_too_long or self.clock() - self.computed >= self.seconds

    def _on_signal(self, _number: int, frame: FrameType | None) -> None:
        if self.judging:  # where threads wait for each other, the next tick may come before this one is judged
            return
        self.judging = True
        try:
            due = self._may_raise(frame)
        finally:
            self.judging = False
        if due:
            self.attempts += 1
            if self.attempts > POLITE:
                # It swallows what is raised in a ``try``. So raise once more at the next line, which stands in the
                # ``except`` block and is not protected by it.
                inner = frame
                while not self._is_own(inner):
                    inner.f_trace, inner = self._on_line, inner.f_back
                sys.settrace(self._on_line)
            raise TimeIsUp

    def _on_line(self, frame: FrameType, event: str, _argument: object):
        """A trace function. What it raises ends the tracing, so the timer is set to begin again at once."""
        if self._is_own(frame) or not self.active:
            return None
        if event in ("line", "call"):
            self.attempts += 1
            signal.setitimer(signal.ITIMER_REAL, self._uneven(SOON), TICK)
            raise TimeIsUp
        return self._on_line

    def _uneven(self, step: float) -> float:
        """A different step each time, so that no block within a block is always met at the same place."""
        return step * (0.2 + (self.attempts * 0.618) % 1)

    def _watch(self, target: int) -> None:
        """The second thread."""
        while not self.done.wait(self._uneven(min(TICK, self.seconds / 10))):
            if self._may_raise(sys._current_frames().get(target)):
                self.attempts += 1
                _raise_in_thread(target, TimeIsUp)


def _processor_clock(read_elsewhere: bool) -> Callable[[], float]:
    """The processor time of the thread that calls this, in seconds; of its process, where only that can be had.

    Args:
        read_elsewhere: another thread will read it.
    """
    if read_elsewhere and hasattr(time, "pthread_getcpuclockid"):
        clock = time.pthread_getcpuclockid(threading.get_ident())
        return lambda: time.clock_gettime(clock)
    if not read_elsewhere and hasattr(time, "CLOCK_THREAD_CPUTIME_ID"):
        return lambda: time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)
    return lambda: sum(os.times()[:2])


def _now() -> float:
    """Seconds on the clock of the system."""
    return time.clock_gettime(time.CLOCK_MONOTONIC) if hasattr(time, "CLOCK_MONOTONIC") else time.monotonic()


def _raise_in_thread(thread: int, error: type[BaseException]) -> None:
    with contextlib.suppress(AttributeError):  # an interpreter without this C function has no way to do it
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))

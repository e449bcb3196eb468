"""A time limit on a learner's function, which also ends loops that swallow every exception.

On the main thread a timer signal raises `TimeIsUp` inside the function, which ends a sleep as well. Elsewhere, and on
platforms without timer signals, a second thread raises it. Nothing can end one long call into C, and the second thread
does not end a loop around a bare ``except``.
"""

import contextlib
import ctypes
import signal
import sys
import threading
import time
from types import FrameType

TICK = 0.05  # seconds between two attempts once the time is up
SOON = 1e-5  # seconds: about as long as the interpreter needs to leave one ``except`` block
PATIENCE = 6  # a function that does not compute gets this many times its time: it may wait for a busy machine
POLITE = 2  # attempts before it is taken for a function that swallows them


class TimeIsUp(BaseException):
    """Raised inside a learner's function that has used up its time; ``except Exception`` lets it pass."""


class Limit:
    """``with Limit(seconds, own_files): function()`` raises `TimeIsUp` once the time is up.

    Args:
        seconds: of computing; a function that sleeps, or waits for a busy processor, gets `PATIENCE` times as much.
        own_files: code that must not be interrupted: nothing is raised while a function of these files is running.
    """

    def __init__(self, seconds: float, own_files: tuple[str, ...] = ()):
        self.seconds, self.own_files = seconds, {__file__, *own_files}
        self.active, self.attempts = False, 0
        self.thread: threading.Thread | None = None
        in_main_thread = threading.current_thread() is threading.main_thread()
        self.by_signal = in_main_thread and hasattr(signal, "setitimer")

    def __enter__(self) -> "Limit":
        self.started, self.computed, self.trace = time.monotonic(), time.process_time(), sys.gettrace()
        self.active = True
        if self.by_signal:
            self.handler = signal.signal(signal.SIGALRM, self._on_signal)
            self.other_timer = signal.setitimer(signal.ITIMER_REAL, self.seconds, TICK)
        else:
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
            delay, interval = self.other_timer
            if delay:  # somebody else's timer (a test runner's) goes on as if we had not been here
                signal.setitimer(signal.ITIMER_REAL, max(delay - (time.monotonic() - self.started), TICK), interval)
        elif self.thread:
            self.thread.join()  # whatever it raised last has arrived by the time this returns
            self.thread = None

    def _is_own(self, frame: FrameType | None) -> bool:
        return frame is None or frame.f_code.co_filename in self.own_files

    def _may_raise(self, frame: FrameType | None) -> bool:
        if not self.active or self._is_own(frame):
            return False
        while frame is not None:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                return False  # a module that was imported by half would stay so for the rest of the session
            frame = frame.f_back
        worked, waited = time.process_time() - self.computed, time.monotonic() - self.started
        return worked >= self.seconds or waited >= PATIENCE * self.seconds

    def _on_signal(self, _number: int, frame: FrameType | None) -> None:
        if self._may_raise(frame):
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
        while self.active:
            if self._may_raise(sys._current_frames().get(target)):
                self.attempts += 1
                _raise_in_thread(target, TimeIsUp)
            time.sleep(self._uneven(min(TICK, self.seconds / 10)))


def _raise_in_thread(thread: int, error: type[BaseException]) -> None:
    with contextlib.suppress(AttributeError):  # an interpreter without this C function has no way to do it
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))

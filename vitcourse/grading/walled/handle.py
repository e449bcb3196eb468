"""The grader's handle on one kernel: asks it, and ends it when it computes for too long or never answers.

How long a kernel computes is measured here, over all its processes: its own limits are in the reach of its code.
"""

import contextlib
import os
import select
import shutil
import socket
import subprocess
import time

import psutil

from vitcourse.grading.walled import wire

END_SECONDS = 60.0  # on the clock, for a watcher to say why its kernel ended, and for its processes to go
LOOK_SECONDS = 0.5  # between two looks at how long a kernel has computed
ANSWER_LIMIT = 8 * 2**20  # bytes of an answer without tensors: a million letters that a cell shows, of any script


class KernelDiedError(Exception):
    """A kernel has ended, or was ended; the message says why, as the end of ``the kernel was stopped: …``.

    Args:
        reason: in words.
        time: whether it was stopped because it computed for too long, or did not come to an end.
        waited: whether it was stopped by the clock.
    """

    def __init__(self, reason: str, time: bool = False, waited: bool = False):
        self.time, self.waited = time, waited
        super().__init__(reason)


class Kernel:
    """One kernel.

    Args:
        channel: carries requests and answers.
        family: the process that it descends from.
        wait_seconds: how long to wait for an answer, on the clock.
        status: where its watcher says why it ended; closing it ends the kernel.
        process: the process itself, where there are no walls and no watcher.
        folder: its scratch folder, where that lies on the machine's disk.
    """

    def __init__(
        self, channel: socket.socket, family: int, wait_seconds: float, status=None, process=None, folder=None
    ):
        self.channel, self.status, self.process, self.folder = channel, status, process, folder
        self.wait_seconds, self.family, self.size = wait_seconds, None, 0
        self.used = self.before = self.looked = 0.0
        with contextlib.suppress(psutil.Error):  # it has ended already
            self.family = psutil.Process(family)

    def ask(self, request: dict, seconds: float, limit: int = ANSWER_LIMIT) -> dict:
        """Sends a request and waits for the answer.

        Args:
            request: as `kernel.serve` takes it.
            seconds: of processor time that all its processes together may use for it.
            limit: bytes of the answer.

        Raises:
            KernelDiedError: there is none; the kernel is of no more use and is closed.
        """
        try:
            wire.send(self.channel, wire.pack(request), self.wait_seconds)
            self._wait(seconds)
            answer = wire.receive(self.channel, self.wait_seconds, limit)
            if not isinstance(answer, dict):
                raise wire.WireError("not an answer")
            return answer
        except wire.WireTimeoutError:
            self.close()
            words = f"it did not come to an end within {self.wait_seconds:.3g} seconds"
            raise KernelDiedError(words, time=True, waited=True) from None
        except wire.WireError as error:
            reason = self.last_words() if str(error) == "closed" else f"it sent {error}"
            self.close()
            raise KernelDiedError(reason) from None

    def _wait(self, seconds: float) -> None:
        """Returns when an answer begins to come."""
        began, before = time.monotonic(), None
        while not select.select([self.channel], [], [], LOOK_SECONDS)[0]:
            used = self.computed()
            before = used if before is None else before
            if used - before > seconds:
                self.close()
                raise KernelDiedError(f"it computed for more than {seconds:.3g} seconds", time=True)
            if time.monotonic() - began > self.wait_seconds:
                raise wire.WireTimeoutError("no answer")

    def computed(self) -> float:
        """Seconds of processor time that the kernel has used since `begin`, with all that it has started."""
        if self.family is None or time.monotonic() - self.looked < LOOK_SECONDS:
            return self.used
        total, self.looked = 0.0, time.monotonic()
        with contextlib.suppress(psutil.Error):
            for process in (self.family, *self.family.children(recursive=True)):
                with contextlib.suppress(psutil.Error):
                    times = process.cpu_times()
                    total += times.user + times.system + times.children_user + times.children_system
        # Time of a process that nobody waited for is gone from the sum; it was used all the same.
        self.used = max(self.used, total - self.before)
        return self.used

    def begin(self) -> None:
        """What the kernel has computed so far was its own start, and the processes that there are its own."""
        self.before, self.used, self.size = self.computed(), 0.0, self._size()

    def has_started_others(self) -> bool:
        """Whether there are processes that its code has begun."""
        return self._size() > self.size

    def _size(self) -> int:
        with contextlib.suppress(psutil.Error):
            return len(self.family.children(recursive=True)) if self.family else 0
        return 0

    def last_words(self) -> str:
        """Why the kernel has ended, from its watcher or from the system."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return f"it ended with exit status {self.process.wait(END_SECONDS)}"
            return "it closed its channel"
        with contextlib.suppress(OSError):
            self.status.settimeout(END_SECONDS)
            return self.status.recv(1000).decode(errors="replace") or "it ended"
        return "it closed its channel"

    def close(self) -> None:
        """Ends the kernel and every process that its code has started."""
        self.channel.close()
        if self.status is not None:
            with contextlib.suppress(OSError):
                self.status.shutdown(socket.SHUT_WR)
                self.status.settimeout(END_SECONDS)
                while self.status.recv(1000):
                    pass
            self.status.close()
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, 9)
            self.process.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

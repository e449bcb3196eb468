"""The grader's handle on kernels: starts them, asks them with a deadline, and ends them."""

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from vitcourse.errors import InputError
from vitcourse.grading import wire
from vitcourse.grading.limits import Limits, MissingLimitError

START_SECONDS = 120.0
GRACE_SECONDS = 3.0  # beyond a time limit that the kernel keeps by itself
ANSWER_LIMIT = 4 * 2**20  # bytes of an answer that holds no tensors


class KernelDiedError(Exception):
    """A kernel has ended, or was ended; the message says why, as the end of ``the kernel was stopped: …``.

    Args:
        reason: in words.
        time: whether it was stopped because it did not answer in time.
    """

    def __init__(self, reason: str, time: bool = False):
        self.time = time
        super().__init__(reason)


class Kernel:
    """One kernel.

    Args:
        channel: carries requests and answers.
        status: where its watcher says why it ended; closing it ends the kernel.
        process: the process itself, where there are no walls and no watcher.
        folder: its scratch folder, where that lies on the machine's disk.
    """

    def __init__(self, channel: socket.socket, status=None, process=None, folder: str | None = None):
        self.channel, self.status, self.process, self.folder = channel, status, process, folder

    def ask(self, request: dict, seconds: float, limit: int = ANSWER_LIMIT) -> dict:
        """Sends a request and waits for the answer.

        Raises:
            KernelDiedError: there is none; the kernel is of no more use and is closed.
        """
        try:
            wire.send(self.channel, wire.pack(request), seconds)
            answer = wire.receive(self.channel, seconds, limit)
            if not isinstance(answer, dict):
                raise wire.WireError("not an answer")
            return answer
        except wire.WireTimeoutError:
            self.close()
            raise KernelDiedError("it did not answer in time", time=True) from None
        except wire.WireError as error:
            reason = self._last_words() if str(error) == "closed" else f"it sent {error}"
            self.close()
            raise KernelDiedError(reason) from None

    def _last_words(self) -> str:
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return f"it ended with exit status {self.process.wait(GRACE_SECONDS)}"
            return "it closed its channel"
        with contextlib.suppress(OSError):
            self.status.settimeout(GRACE_SECONDS)
            return self.status.recv(1000).decode(errors="replace") or "it ended"
        return "it closed its channel"

    def close(self) -> None:
        """Ends the kernel and every process that its code has started."""
        self.channel.close()
        if self.status is not None:
            with contextlib.suppress(OSError):
                self.status.shutdown(socket.SHUT_WR)
                self.status.settimeout(GRACE_SECONDS)
                while self.status.recv(1000):
                    pass
            self.status.close()
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, 9)
            self.process.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


class Keeper:
    """``with Keeper(limits) as keeper: kernel = keeper.start()``.

    Args:
        limits: what each kernel may use.
        isolated: False starts kernels with the rights of this process, in a scratch folder, with limits on time and,
            where the platform keeps it, on data.

    Raises:
        MissingLimitError: on `start`, where the platform lacks one of the limits.
    """

    def __init__(self, limits: Limits, isolated: bool = True):
        self.limits, self.isolated = limits, isolated
        self.nursery: subprocess.Popen | None = None

    def __enter__(self) -> "Keeper":
        if os.name != "posix":
            raise InputError("submissions can be graded on Linux, and without isolation on macOS")
        if self.isolated:
            if not sys.platform.startswith("linux"):
                raise MissingLimitError("namespaces", f"they are part of Linux, this is {sys.platform}")
            self._start_nursery()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.nursery is not None:
            self.control.close()
            self.nursery.wait()

    def _start_nursery(self) -> None:
        self.control, theirs = socket.socketpair()
        with theirs:
            self.nursery = self._run(theirs, Path("/"))
        self.control.settimeout(START_SECONDS)
        if self.control.recv(5) != b"ready":
            self.__exit__()
            raise InputError("the grader's kernels do not start: does `vitcourse doctor` find everything?")

    def start(self) -> Kernel:
        """A new kernel, in which no code has run."""
        channel, theirs = socket.socketpair()
        if self.isolated:
            if self.nursery.poll() is not None:
                # The system has ended it, for want of memory, say.
                self.__exit__()
                self._start_nursery()
            status, watched = socket.socketpair()
            limits = json.dumps(dataclasses.asdict(self.limits)).encode()
            with theirs, watched:
                socket.send_fds(self.control, [limits], [theirs.fileno(), watched.fileno()])
            kernel = Kernel(channel, status)
        else:
            folder = tempfile.mkdtemp(prefix="vitcourse-")
            with theirs:
                process = self._run(theirs, Path(folder), json.dumps(dataclasses.asdict(self.limits)))
            kernel = Kernel(channel, process=process, folder=folder)
        first = self._first_answer(kernel)
        if "missing" in first:
            kernel.close()
            raise MissingLimitError(str(first["missing"]), str(first["reason"]))
        return kernel

    def _first_answer(self, kernel: Kernel) -> dict:
        try:
            answer = wire.receive(kernel.channel, START_SECONDS, ANSWER_LIMIT)
        except wire.WireError as error:
            reason = kernel._last_words()
            kernel.close()
            raise InputError(f"a kernel for a submission does not start: {reason} ({error})") from error
        return answer if isinstance(answer, dict) else {}

    def _run(self, theirs: socket.socket, folder: Path, *limits: str) -> subprocess.Popen:
        """A Python process that has nothing of the grader but one socket: no environment, no terminal."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "vitcourse.grading.nursery", str(theirs.fileno()), *limits],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=folder,
            env=_environment(),
        )


def _environment() -> dict[str, str]:
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    return (
        one_thread
        | kept
        | {
            "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
            "USER": "student",
            "LOGNAME": "student",
            "HF_HUB_OFFLINE": "1",
            "CUDA_VISIBLE_DEVICES": "",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "TORCHINDUCTOR_COMPILE_THREADS": "1",
        }
    )

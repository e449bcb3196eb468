"""Starts the grader's kernels, with and without walls."""

import contextlib
import dataclasses
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from vitcourse.errors import InputError
from vitcourse.grading import wire
from vitcourse.grading.handle import ANSWER_LIMIT, Kernel
from vitcourse.grading.limits import Limits, MissingLimitError

# On the clock: what takes so long on the busiest machine does not work at all.
START_SECONDS = 900.0


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
        if self._heard(5) != b"ready":
            self.__exit__()
            raise InputError("the grader's kernels do not start: does `vitcourse doctor` find everything?")

    def _heard(self, most: int) -> bytes:
        """What the nursery says; nothing where it has ended or stays silent."""
        self.control.settimeout(START_SECONDS)
        with contextlib.suppress(OSError):
            return self.control.recv(most)
        return b""

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
            kernel = Kernel(channel, self._first_process(), self.limits.wait_seconds, status)
        else:
            folder = tempfile.mkdtemp(prefix="vitcourse-")
            with theirs:
                process = self._run(theirs, Path(folder), json.dumps(dataclasses.asdict(self.limits)))
            kernel = Kernel(channel, process.pid, self.limits.wait_seconds, process=process, folder=folder)
        first = self._first_answer(kernel)
        if "missing" in first:
            kernel.close()
            raise MissingLimitError(str(first["missing"]), str(first["reason"]))
        kernel.begin()
        return kernel

    def _first_process(self) -> int:
        """The process that the nursery has begun a kernel with."""
        heard = b""
        while not heard.endswith(b"\n") and (more := self._heard(20)):
            heard += more
        if not heard:
            raise InputError("a kernel for a submission does not start: what begins them has ended")
        return int(heard)

    def _first_answer(self, kernel: Kernel) -> dict:
        try:
            answer = wire.receive(kernel.channel, START_SECONDS, ANSWER_LIMIT)
        except wire.WireError as error:
            reason = kernel.last_words()
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

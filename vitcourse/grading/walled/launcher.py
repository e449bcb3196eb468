"""Starts the grader's kernels, with and without walls."""

import contextlib
import dataclasses
import itertools
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from vitcourse.errors import InputError
from vitcourse.grading.walled import sandbox, wire
from vitcourse.grading.walled.handle import ANSWER_LIMIT, Kernel
from vitcourse.grading.walled.limits import Limits, MissingLimitError

# On the clock: what takes so long on the busiest machine does not work at all.
START_SECONDS = 900.0
# Where distributions put users that exist for a moment (systemd's DynamicUser); they own no file anywhere. Each box has
# one, because the system counts processes by user.
FIRST_USER, USERS, BOXES = 61184, 4000, itertools.count(os.getpid())


CREDENTIALS = struct.Struct("3i")  # process, user, group: unix(7)


class Launcher:
    """``with Launcher(limits) as launcher: kernel = launcher.start()``.

    Args:
        limits: what each kernel may use.
        isolated: False starts kernels with the rights of this process, in a scratch folder, with limits on time and,
            where the platform keeps it, on data.

    Raises:
        MissingLimitError: on entering or on `start`, where the platform lacks one of the limits.
    """

    def __init__(self, limits: Limits, isolated: bool = True):
        self.limits, self.isolated = limits, isolated
        self.box: subprocess.Popen | None = None

    def __enter__(self) -> "Launcher":
        if os.name != "posix":
            raise InputError(f"submissions can be graded on Linux, and without isolation on macOS; {sandbox.ELSEWHERE}")
        if self.isolated:
            self._open_box()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.box is not None:
            self.control.close()
            self.box.kill()  # all that is in it dies with it
            self.box.wait()

    def _open_box(self) -> None:
        """Starts the box and the fork server in it."""
        user = FIRST_USER + next(BOXES) % USERS
        # Of packets, not a stream: several processes may ask for kernels.
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, tempfile.TemporaryFile() as said, contextlib.ExitStack() as opened:
            files = {}
            for path, text in _users(user).items():
                file = opened.enter_context(tempfile.TemporaryFile())
                file.write(text.encode())
                file.seek(0)
                files[path] = file.fileno()
            program = _python("fork_server", str(theirs.fileno()), str(user))
            words = sandbox.command(program, _environment() | {"HOME": sandbox.HOME}, user, files)
            self.box = _run(sandbox.cgroup(self.limits) + words, [theirs.fileno(), *files.values()], stderr=said)
            theirs.close()
            ready = self._heard(5)
            if ready != b"ready":
                self.__exit__()
                said.seek(0)
                text = said.read().decode(errors="replace")
                if "bwrap: " in text:
                    raise MissingLimitError("walls", sandbox.refusal(text))
                last = text.strip().rpartition("\n")[2] or "it said nothing"
                raise InputError(f"kernels do not start ({last}): does `vitcourse doctor` find everything?")

    def _heard(self, most: int) -> bytes:
        """What the fork server says; nothing where it has ended or stays silent."""
        self.control.settimeout(START_SECONDS)
        with contextlib.suppress(OSError):
            return self.control.recv(most)
        return b""

    def start(self) -> Kernel:
        """A new kernel, in which no code has run."""
        try:
            return self._start()
        except MissingLimitError:
            raise
        except (InputError, OSError):
            # The system has ended the box, for want of memory, say.
            if not self.isolated:
                raise
            self.__exit__()
            self._open_box()
            return self._start()

    def _start(self) -> Kernel:
        channel, theirs = socket.socketpair()
        limits = json.dumps(dataclasses.asdict(self.limits))
        if self.isolated:
            status, watched = socket.socketpair()
            status.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            with theirs, watched:
                socket.send_fds(self.control, [limits.encode()], [theirs.fileno(), watched.fileno()])
            kernel = Kernel(channel, _sender(status), self.limits.wait_seconds, status)
        else:
            folder = tempfile.mkdtemp(prefix="vitcourse-")
            with theirs:
                program = _python("kernel", str(theirs.fileno()), limits)
                process = _run(program, [theirs.fileno()], cwd=folder, env=_environment(), stderr=subprocess.DEVNULL)
            kernel = Kernel(channel, process.pid, self.limits.wait_seconds, process=process, folder=folder)
        first = self._first_answer(kernel)
        if "missing" in first:
            kernel.close()
            raise MissingLimitError(str(first["missing"]), str(first["reason"]))
        kernel.begin()
        return kernel

    def _first_answer(self, kernel: Kernel) -> dict:
        try:
            answer = wire.receive(kernel.channel, START_SECONDS, ANSWER_LIMIT)
        except wire.WireError as error:
            reason = kernel.last_words()
            kernel.close()
            raise InputError(f"a kernel for a submission does not start: {reason} ({error})") from error
        return answer if isinstance(answer, dict) else {}


def _sender(status: socket.socket) -> int:
    """The process that has sent the first byte, under its number here."""
    status.settimeout(START_SECONDS)
    with contextlib.suppress(OSError):
        _, facts, _, _ = status.recvmsg(1, socket.CMSG_SPACE(CREDENTIALS.size))
        for _, kind, data in facts:
            if kind == socket.SCM_CREDENTIALS:
                return CREDENTIALS.unpack(data)[0]
    raise InputError("a kernel for a submission does not start: what begins them has ended")


def _users(user: int) -> dict[str, str]:
    return {
        "/etc/passwd": f"student:x:{user}:{user}::{sandbox.HOME}:/bin/sh\n",
        "/etc/group": f"student:x:{user}:\n",
        "/etc/hosts": "127.0.0.1 localhost\n",
    }


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", f"vitcourse.grading.walled.{module}", *arguments]


def _run(words: list[str], descriptors: list[int], **options: object) -> subprocess.Popen:
    """A process that has nothing of the grader but these descriptors: no terminal, no open file."""
    null = subprocess.DEVNULL
    return subprocess.Popen(
        words, pass_fds=descriptors, stdin=null, stdout=null, start_new_session=True, **{"cwd": "/"} | options
    )


def _environment() -> dict[str, str]:
    one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    return one_thread | {
        "PATH": f"{sys.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "USER": "student",
        "LOGNAME": "student",
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "TORCHINDUCTOR_COMPILE_THREADS": "1",
    }

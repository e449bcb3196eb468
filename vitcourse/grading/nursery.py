"""Where kernels come from: a process that has imported the libraries, and forks a kernel for each submission.

A kernel is three processes: one that leaves the machine's namespaces; one that is process 1 of the new ones, builds
the file system and watches; and the kernel itself, which has given up every right. When the grader closes its end,
process 1 ends, and the system ends all that is left with it.

Run as ``python -m vitcourse.grading.nursery DESCRIPTOR`` or, without walls, ``… DESCRIPTOR LIMITS``. It is started with
a clean environment and is never told the seed.
"""

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import NoReturn

import torch

from vitcourse.grading import jail, kernel, mounts, wire
from vitcourse.grading.limits import Limits, MissingLimitError

LOOK_SECONDS = 0.2  # between two looks at the memory
LIBRARIES_GB = 1.0  # what the libraries hold, which is not the student's
SPARE = 0.03  # of the machine's memory: below it the submission ends, wherever it has put what it holds


def main() -> None:
    channel = socket.socket(fileno=int(sys.argv[1]))
    if len(sys.argv) > 2:
        os.environ["HOME"] = str(Path.cwd())
        # Outside Linux some of these are refused or not kept.
        with contextlib.suppress(OSError, ValueError):
            jail.set_resources(Limits(**json.loads(sys.argv[2])), processes=False)
        kernel.serve(channel)
    jail.die_with_parent()
    # A student's ``import vitcourse`` shall find a copy that is not the one that runs here.
    for name in [name for name in sys.modules if name.partition(".")[0] == "vitcourse"]:
        del sys.modules[name]
    import matplotlib.pyplot  # noqa: F401 - imported once, for all kernels

    import vitcourse.checks  # noqa: F401

    # The first guarded call imports much of torch, which takes seconds.
    kernel.guard.call(torch.neg, (torch.zeros(1),), rules=kernel.guard.Rules(forbidden=("vitcourse",)))

    # Matplotlib has read its cache of fonts from the true home folder; from here on there is another.
    os.environ["HOME"] = mounts.HOME
    os.environ.pop("TMPDIR", None)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    readable = mounts.readable_paths()
    channel.sendall(b"ready")
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, 4096, 2)
        if not data:
            return
        child = os.fork()
        if child == 0:
            channel.close()
            _raise_kernel(*map(_socket, descriptors), readable, Limits(**json.loads(data)))
        channel.sendall(f"{child}\n".encode())
        for descriptor in descriptors:
            os.close(descriptor)


def _socket(descriptor: int) -> socket.socket:
    return socket.socket(fileno=descriptor)


def _raise_kernel(channel: socket.socket, status: socket.socket, readable: dict, limits: Limits) -> NoReturn:
    """Becomes a kernel with its watcher. A limit that cannot be set is the first message on the channel."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        jail.die_with_parent()
        user, group = jail.student_user()
        jail.separate()
        if child := os.fork():
            channel.close()
            status.close()
            os.waitpid(child, 0)
            os._exit(0)
        jail.die_with_parent()
        mounts.build(readable, limits.disk_mb, user, group)
        if child := os.fork():
            channel.close()
            _watch(child, status, limits)
        status.close()
        jail.become_student(limits, user, group)
        kernel.serve(channel)
    except MissingLimitError as error:
        wire.send(channel, wire.pack({"missing": error.limit, "reason": error.reason}))
    finally:
        os._exit(1)


def _watch(child: int, status: socket.socket, limits: Limits) -> NoReturn:
    """As process 1: buries orphans, looks at the memory, and ends everything when the kernel or the grader does."""
    ended = os.pidfd_open(child)
    room = (2 * limits.memory_gb + LIBRARIES_GB) * 2**30
    while True:
        ready, _, _ = select.select([status, ended], [], [], LOOK_SECONDS)
        if status in ready:
            os._exit(0)
        reason = _bury(child)
        if reason is None and _memory_is_over(room):
            reason = f"it held more than {2 * limits.memory_gb:g} GB of memory"
        if reason is not None:
            status.sendall(reason.encode())
            os._exit(0)
        if ready:
            time.sleep(0.01)


def _bury(child: int) -> str | None:
    """Takes leave of the processes that have ended; says how the kernel ended, if it has."""
    while True:
        try:
            process, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return "it ended"
        if process == 0:
            return None
        if process == child:
            status = os.waitstatus_to_exitcode(code)
            if status >= 0:
                return f"it ended itself with exit status {status}"
            return f"it was ended by the signal {signal.Signals(-status).name}"


def _memory_is_over(room: float) -> bool:
    facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total, available = (int(facts[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    if available < SPARE * total:
        return True
    processes = [path for path in Path("/proc").iterdir() if path.name.isdecimal() and path.name != "1"]
    page = os.sysconf("SC_PAGE_SIZE")
    held = sum(_number(process / "statm", 1) * page for process in processes)
    # The first sum counts shared pages many times and is quick; only where it is too large, each is counted once.
    return held > room and sum(_shares(process) for process in processes) > room


def _number(path: Path, index: int) -> int:
    try:
        return int(path.read_text().split()[index])
    except (OSError, IndexError):
        return 0


def _shares(process: Path) -> int:
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()

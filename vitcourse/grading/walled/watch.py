"""Process 1 of a submission: buries orphans, counts memory, and ends everything when the kernel or the grader does."""

import os
import select
import signal
import socket
import time
from contextlib import suppress
from typing import NoReturn

import psutil

from vitcourse.grading.walled.limits import Limits

LOOK_SECONDS = 0.2  # between two looks at the memory
SPARE = 0.03  # of the machine's memory: below it the submission ends, wherever it has put what it holds


def watch(child: int, status: socket.socket, limits: Limits) -> NoReturn:
    """Watches until the end, and says on ``status`` why it came."""
    ended = os.pidfd_open(child)
    while True:
        ready, _, _ = select.select([status, ended], [], [], LOOK_SECONDS)
        if status in ready:
            os._exit(0)
        reason = _bury(child)
        if reason is None and _is_full(limits.memory_of_all):
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


def _is_full(room: int) -> bool:
    """Whether all processes hold more than their share, or the machine has hardly any memory left.

    Memory that is not mapped has a limit of its own (the folder), or cannot be had (`seccomp`).
    """
    memory = psutil.virtual_memory()
    # The first sum counts shared pages many times and is quick; only where it is too large, each is counted once.
    return memory.available < SPARE * memory.total or (_held("rss") > room and _held("pss") > room)


def _held(name: str) -> int:
    total = 0
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended
            if process.pid != 1:
                total += getattr(process.memory_full_info() if name == "pss" else process.memory_info(), name)
    return total

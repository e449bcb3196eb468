"""Where kernels come from: a process in the box, with the libraries imported, that forks one for each submission.

A kernel is three processes: one that leaves the box's namespaces; one that is process 1 of the new ones, builds the
inner wall and watches; and the kernel itself, which has given up every right. When the grader closes its end, process 1
ends, and the system ends all that is left with it.

Run as ``python -m vitcourse.grading.walled.fork_server DESCRIPTOR USER`` with a clean environment, and never told the
seed.
"""

# ruff: noqa: E402 - while the libraries are loaded, which make next to no garbage, nobody looks for it
import gc
import json
import os
import signal
import socket
import sys
from typing import NoReturn

gc.disable()
import torch

from vitcourse.grading.walled import inner_wall, kernel, wire
from vitcourse.grading.walled.limits import Limits, MissingLimitError
from vitcourse.grading.walled.watch import watch


def main() -> None:
    channel, user = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    # A student's ``import vitcourse`` shall find a copy that is not the one that runs here.
    for name in [name for name in sys.modules if name.partition(".")[0] == "vitcourse"]:
        del sys.modules[name]
    import vitcourse.checks  # noqa: F401 - imported once, for all kernels

    # What imports much of torch at its first call, which takes seconds: a guarded call, and the comparison that given
    # cells end with.
    kernel.guard.call(torch.neg, (torch.zeros(1),), rules=kernel.guard.Rules(forbidden=("vitcourse",), gradient=True))
    # Where it need not ask whether a tensor is spread over machines, it imports no sympy.
    vars(torch.testing._comparison).update(_HAS_DTENSOR=False)
    torch.testing.assert_close(torch.zeros(1), torch.zeros(1))
    gc.freeze()  # what is loaded here stays, and no kernel need look through it
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where the grader reads why the start failed
    channel.sendall(b"ready")
    while True:
        data, descriptors, _, _ = socket.recv_fds(channel, 4096, 2)
        if not data:
            return
        if os.fork() == 0:
            channel.close()
            theirs, status = (socket.socket(fileno=descriptor) for descriptor in descriptors)
            _raise_kernel(theirs, status, Limits(**json.loads(data)), user)
        for descriptor in descriptors:
            os.close(descriptor)


def _raise_kernel(channel: socket.socket, status: socket.socket, limits: Limits, user: int) -> NoReturn:
    """Becomes a kernel with its watcher. A limit that cannot be set is the first message on the channel."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        inner_wall.die_with_parent()
        status.sendall(b".")  # the system tells the grader which process has sent it
        inner_wall.separate()
        if child := os.fork():
            channel.close()
            status.close()
            os.waitpid(child, 0)
            os._exit(0)
        inner_wall.die_with_parent()
        inner_wall.furnish(limits)
        if child := os.fork():
            channel.close()
            watch(child, status, limits)
        status.close()
        inner_wall.become_student(limits, user)
        kernel.serve(channel)
    except MissingLimitError as error:
        wire.send(channel, wire.pack({"missing": error.limit, "reason": error.reason}))
    finally:
        os._exit(1)


if __name__ == "__main__":
    main()

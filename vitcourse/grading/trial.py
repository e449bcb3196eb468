"""Tries the limits before any submission runs: a limit that is asked for and not kept is named as missing."""

from vitcourse.grading import outputs
from vitcourse.grading.handle import KernelDiedError
from vitcourse.grading.keeper import Keeper
from vitcourse.grading.limits import MissingLimitError

# Runs in a kernel, as a student's code would; each word that it prints is a limit that did not hold.
PROGRAM = """
import os, signal, socket, time
if [name for _, name in socket.if_nameindex()] != ["lo"]:
    print("network")
if os.path.exists({folder!r}):
    print("files")
if {user} == 0 and os.getuid() == 0:
    print("user")
if [name for name in os.listdir("/proc") if name.isdecimal() and int(name) > 50]:
    print("processes-seen")
try:
    block = bytearray({data})
    print("data")
except MemoryError:
    pass
children = []
try:
    for _ in range({processes} + 1):
        child = os.fork()
        if child == 0:
            time.sleep(900)
            os._exit(0)
        children.append(child)
    print("processes")
except BlockingIOError:
    pass
for child in children:
    os.kill(child, signal.SIGKILL)
"""
NAMES = {
    "network": "a network of its own",
    "files": "a file system of its own",
    "user": "a user without rights",
    "processes-seen": "a list of processes of its own",
    "data": "a limit on data",
    "processes": "a limit on processes",
}


def try_limits(keeper: Keeper, folder: str, user: int) -> None:
    """Runs a program in a kernel that tries to break out of each limit.

    Args:
        folder: a folder of this machine that must not be visible.
        user: the user who grades.

    Raises:
        MissingLimitError: one of them did not hold.
    """
    limits = keeper.limits
    program = PROGRAM.format(
        folder=folder, user=user, data=int(limits.memory_gb * 2**30) + 2**26, processes=limits.processes
    )
    kernel = keeper.start()
    try:
        answer = kernel.ask({"do": "cell", "source": program, "seconds": 60}, 60)
    except KernelDiedError as error:
        raise MissingLimitError("limits that can be tried", str(error)) from error
    finally:
        kernel.close()
    found = outputs.clean(answer.get("outputs"))
    broken = [NAMES.get(word, word) for output in found for word in str(output.get("text", "")).split()]
    errors = [output.evalue for output in found if output.output_type == "error"]
    if broken or errors:
        raise MissingLimitError(broken[0] if broken else "limits that can be tried", (errors or ["it did not hold"])[0])

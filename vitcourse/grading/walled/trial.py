"""Tries the walls before any submission runs, from within one: a wall that does not hold is named as missing."""

import dataclasses
import errno

from vitcourse.grading import outputs
from vitcourse.grading.walled import seccomp
from vitcourse.grading.walled.handle import KernelDiedError
from vitcourse.grading.walled.launcher import Launcher
from vitcourse.grading.walled.limits import Limits, MissingLimitError
from vitcourse.grading.walled.sandbox import HOME

# Runs in a kernel, as a student's code would; each word that it prints is a wall that did not hold.
PROGRAM = """
import ctypes, os, platform, socket, threading
def opens(*what):
    try:
        socket.socket(*what).close()
        return True
    except OSError:
        return False
if [name for _, name in socket.if_nameindex()] != ["lo"]:
    print("network")
if opens(40, socket.SOCK_STREAM):
    print("vsock")
if opens(socket.AF_INET, socket.SOCK_RAW) or opens(17, socket.SOCK_RAW):
    print("raw-sockets")
if os.path.exists({folder!r}):
    print("files")
for place in ({home!r}, "/tmp", "/dev/shm"):
    if not os.path.ismount(place) or os.path.exists(place + "/left"):
        print("folder")
    else:
        open(place + "/left", "w").write("x")
try:
    for name in ("large", "larger"):
        os.posix_fallocate(os.open(name, os.O_WRONLY | os.O_CREAT), 0, {half})
    print("disk")
except OSError:
    os.truncate("large", 0)
facts = dict(line.split(":", 1) for line in open("/proc/self/status"))
if os.getuid() == 0 or any(int(facts[name], 16) for name in facts if name.startswith("Cap")):
    print("user")
if int(facts["NoNewPrivs"]) != 1:
    print("privileges")
if [name for name in os.listdir("/proc") if name.isdecimal() and int(name) > 50]:
    print("processes-seen")
if any(open(name).read() for name in ("/proc/keys", "/proc/key-users") if os.path.exists(name)):
    print("keyring")
libc = ctypes.CDLL(None, use_errno=True)
column = ["x86_64", "aarch64"].index(platform.machine())
def refused(number, *arguments, error={refusal}):
    return libc.syscall(number, *arguments) == -1 and ctypes.get_errno() == error
if int(facts["Seccomp"]) != 2 or not refused({clone3}[column], None, 0, error={unknown}):
    print("filter")
for name, numbers in {calls}.items():
    if numbers[column] != "-" and not refused(int(numbers[column]), *[ctypes.c_long(-1)] * 6):
        print({words}.get(name, "filter"))
for flag in {flags}:
    if not refused({clone}[column], flag | 0x10000, 0, 0, 0, 0):  # a thread that shares nothing: never made
        print("namespaces")
try:
    block = bytearray({data})
    print("data")
except MemoryError:
    pass
enough = threading.Event()
threading.stack_size(2**16)
try:
    # The system counts threads as processes, and makes one of them in less time.
    for _ in range({processes} + 1):
        threading.Thread(target=enough.wait, daemon=True).start()
    print("processes")
except RuntimeError:
    pass
enough.set()
"""
# Memory that no limit of the system counts; the kernel that holds it must be ended.
HOARD = """
import mmap, os, time
for place in ({home!r}, "/tmp", "/dev/shm"):
    if os.listdir(place) not in ([], [".ipython"]):
        print("folder")
block = mmap.mmap(-1, {shared}, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
time.sleep(60)
print("memory")
"""
NAMES = {
    "network": "a network of its own",
    "vsock": "a network without ways to the machine's host",
    "raw-sockets": "a network without raw packets",
    "files": "a file system of its own",
    "folder": "a fresh folder of its own",
    "disk": "a limit on files",
    "user": "a user without rights",
    "privileges": "a user who gains no rights",
    "processes-seen": "a list of processes of its own",
    "namespaces": "walls without nested user namespaces",
    "keyring": "a keyring of its own",
    "filter": "a filter of system calls",
    "data": "a limit on data",
    "processes": "a limit on processes",
    "memory": "a limit on memory that is not counted as data",
}
WORDS = {"unshare": "namespaces", "setns": "namespaces", "keyctl": "keyring", "add_key": "keyring"}
SMALL = {"memory_gb": 0.05, "libraries_mb": 256}  # the limit on memory while that is tried: filling it takes time


def try_walls(launcher: Launcher, folder: str) -> None:
    """Runs programs in kernels that try to break out of each wall.

    Args:
        folder: a folder of this machine that must not be visible.

    Raises:
        MissingLimitError: one of them did not hold.
    """
    limits, small = launcher.limits, dataclasses.replace(launcher.limits, **SMALL)
    program = PROGRAM.format(
        folder=folder,
        home=HOME,
        half=limits.disk_mb * 2**19 + 2**20,
        refusal=errno.EPERM,
        unknown=errno.ENOSYS,
        clone=seccomp.CLONE,
        clone3=seccomp.CLONE3,
        calls=seccomp.REFUSED,
        words=WORDS,
        flags=[1 << bit for bit in range(32) if seccomp.NAMESPACES >> bit & 1],
        data=int(limits.memory_gb * 2**30) + 2**26,
        processes=limits.processes,
    )
    _must_hold(*_tried(launcher, limits, program))
    broken, reason = _tried(launcher, small, HOARD.format(home=HOME, shared=small.memory_of_all + 2**26))
    if "GB of memory" not in reason or broken:
        _must_hold(broken or ["memory"], reason)


def _tried(launcher: Launcher, limits: Limits, program: str) -> tuple[list[str], str]:
    """The words that a program printed, and its error, or why its kernel has ended."""
    launcher.limits, before = limits, launcher.limits
    try:
        kernel = launcher.start()
    finally:
        launcher.limits = before
    try:
        found = outputs.clean(kernel.ask({"do": "cell", "source": program, "seconds": 60}, 60).get("outputs"))
    except KernelDiedError as error:
        return [], str(error)
    finally:
        kernel.close()
    errors = [output.evalue for output in found if output.output_type == "error"]
    return [word for output in found for word in str(output.get("text", "")).split()], "".join(errors[:1])


def _must_hold(broken: list[str], reason: str) -> None:
    if broken or reason:
        name = NAMES.get(broken[0], broken[0]) if broken else "walls that can be tried"
        raise MissingLimitError(name, reason or "it did not hold")

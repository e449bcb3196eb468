"""The inner wall: what a submission has for itself alone within the box, and the end of every right.

`separate`, then `furnish` as process 1 of the new world, then `become_student`, before any line of a student's code.
See namespaces(7), capabilities(7), setrlimit(2).
"""

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from vitcourse.grading.walled import seccomp
from vitcourse.grading.walled.limits import Limits, MissingLimitError
from vitcourse.grading.walled.readable import readable
from vitcourse.grading.walled.sandbox import FRESH, HOME

libc = ctypes.CDLL(None, use_errno=True)

# Flags of unshare(2): mounts, host name, shared memory, processes, network.
NEW_WORLD = 0x20000 | 0x4000000 | 0x8000000 | 0x20000000 | 0x40000000
# Flags of mount(2) and umount2(2), of ioctl on a network interface, and options of prctl(2).
NO_SUID, NO_DEV, NO_EXEC, BIND, RECURSIVE, PRIVATE, DETACH = 2, 4, 8, 4096, 1 << 14, 1 << 18, 2
INTERFACE_FLAGS, SET_INTERFACE_FLAGS, INTERFACE_UP = 0x8913, 0x8914, 1
SET_DEATH_SIGNAL, SET_DUMPABLE, DROP_BOUNDING, CAPABILITIES, CAPABILITY_VERSION = 1, 4, 24, 64, 0x20080522
FILES_PER_MB = 64


@contextmanager
def limit(name: str) -> Iterator[None]:
    """What fails inside is reported as the missing limit of that name.

    Raises:
        MissingLimitError: something failed.
    """
    try:
        yield
    except (OSError, ValueError, AttributeError) as error:
        raise MissingLimitError(name, str(error)) from error


def system_call(function: str, *arguments: object) -> None:
    """Calls a function of the C library that returns 0.

    Raises:
        OSError: it reports an error.
    """
    if getattr(libc, function)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def die_with_parent() -> None:
    with limit("processes that end with the grader"):
        system_call("prctl", SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def separate() -> None:
    """Leaves the box's mounts, network and shared memory; the next child is process 1 of a new list."""
    with limit("a world of its own"):
        system_call("unshare", NEW_WORLD)


def furnish(limits: Limits) -> None:
    """A network of its own, an empty folder to write in, under three names, and a list of its own processes."""
    with limit("a network of its own"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(control, INTERFACE_FLAGS, request))[1]
        fcntl.ioctl(control, SET_INTERFACE_FLAGS, struct.pack("16sh22x", b"lo", flags | INTERFACE_UP))
    with limit("a folder of its own"):
        _mount("", "/", flags=PRIVATE | RECURSIVE)
        size = f"size={limits.disk_mb}m,nr_inodes={limits.disk_mb * FILES_PER_MB},mode=0755"
        _mount("tmpfs", FRESH, "tmpfs", NO_SUID | NO_DEV, size)
        for place in map(Path, (HOME, "/tmp", "/dev/shm")):
            folder = Path(FRESH, place.name)
            folder.mkdir()
            folder.chmod(0o1777)  # all may write, and none may move what belongs to another
            for path in readable()[0]:
                if place in path.parents:
                    _show(path, folder / path.relative_to(place))
            _mount(str(folder), str(place), flags=BIND | RECURSIVE)
        system_call("umount2", FRESH.encode(), DETACH)
    with limit("a list of processes of its own"):
        _mount("proc", "/proc", "proc", NO_SUID | NO_DEV | NO_EXEC)
    with limit("a keyring of its own"):
        for name in filter(os.path.exists, ("/proc/keys", "/proc/key-users")):
            _mount("/dev/null", name, flags=BIND)  # who is not root sees the names of all keys of the user
    os.chdir(HOME)


def _show(path: Path, name: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    name.mkdir() if path.is_dir() else name.touch()
    _mount(str(path), str(name), flags=BIND | RECURSIVE)


def _mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    texts = (text.encode() for text in (source, target, kind))
    system_call("mount", *texts, ctypes.c_ulong(flags), options.encode())


def become_student(limits: Limits, user: int) -> None:
    """Gives up every right, and sets the limits that each process has.

    Raises:
        MissingLimitError: the platform does not let it.
    """
    with limit("limits on data and processes"):
        set_resources(limits)
    with limit("a user without rights"):
        for capability in range(CAPABILITIES):
            # The kernel knows fewer than these and refuses the rest.
            libc.prctl(DROP_BOUNDING, capability, 0, 0, 0)
        if os.geteuid() != user:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
        system_call("capset", struct.pack("<Ii", CAPABILITY_VERSION, 0), bytes(24))
        system_call("prctl", SET_DUMPABLE, 1, 0, 0, 0)
    with limit("a keyring of its own"):
        seccomp.join_new_keyring(libc)
    with limit("a filter of system calls"):
        seccomp.load(libc)


def set_resources(limits: Limits, processes: bool = True) -> None:
    """The limits that the system counts for each process, or, for processes, for each user."""
    libraries = getattr(psutil.Process().memory_info(), "data", 2**30)  # outside Linux nobody says how much
    data = int(limits.memory_gb * 2**30) + libraries
    # A core of 1 byte: with 0, a system that pipes cores into a program of its own would do so all the same (core(5)).
    values = {"RLIMIT_DATA": data, "RLIMIT_CORE": 1, "RLIMIT_FSIZE": limits.disk_mb * 2**20, "RLIMIT_NOFILE": 256}
    if processes:
        values["RLIMIT_NPROC"] = limits.processes
    for name, value in values.items():
        which = getattr(resource, name)
        most = resource.getrlimit(which)[1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(which, (value, value))

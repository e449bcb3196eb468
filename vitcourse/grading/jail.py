"""The walls around a submission: Linux namespaces, another user without rights, and resource limits.

Used in a fresh child of the nursery, before any line of a student's code. As root it needs nothing else; another user
needs user namespaces, which some systems switch off (``user.max_user_namespaces = 0``,
``kernel.apparmor_restrict_unprivileged_userns = 1``). See namespaces(7), capabilities(7), setrlimit(2).
"""

import contextlib
import os
import resource
import signal
import struct
from pathlib import Path

from vitcourse.grading.limits import Limits
from vitcourse.grading.system import libc, limit, system_call

# Flags of unshare(2) and options of prctl(2).
NEW_MOUNTS, NEW_HOST, NEW_IPC, NEW_USER = 0x20000, 0x4000000, 0x8000000, 0x10000000
NEW_PIDS, NEW_NETWORK = 0x20000000, 0x40000000
SET_DEATH_SIGNAL, SET_DUMPABLE, DROP_BOUNDING, NO_NEW_PRIVILEGES = 1, 4, 24, 38
CAPABILITIES, CAPABILITY_VERSION = 64, 0x20080522

# Where distributions put users that exist for a moment (systemd's DynamicUser); they own no file anywhere.
FIRST_USER, USERS = 61184, 4000


def die_with_parent() -> None:
    with limit("processes that end with the grader"):
        system_call("prctl", SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def student_user() -> tuple[int, int]:
    """User and group that the student's code runs as: as root one of its own, else those who grade."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    user = FIRST_USER + os.getpid() % USERS
    return user, user


def separate() -> None:
    """Leaves the machine's lists of processes, mounts and interfaces. The next child is process 1 of a new list.

    Raises:
        MissingLimitError: the platform does not let it.
    """
    user, group = os.geteuid(), os.getegid()
    if user != 0:
        with limit("a user without rights"):
            system_call("unshare", NEW_USER)
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    for name, flag in {
        "a file system of its own": NEW_MOUNTS,
        "a list of processes of its own": NEW_PIDS,
        "a network of its own": NEW_NETWORK,
        "shared memory of its own": NEW_IPC | NEW_HOST,
    }.items():
        with limit(name):
            system_call("unshare", flag)


def become_student(limits: Limits, user: int, group: int) -> None:
    """Gives up every right that the grader has, and sets the limits that each process has.

    Raises:
        MissingLimitError: the platform does not let it.
    """
    with limit("limits on data and processes"):
        set_resources(limits)
    with limit("a user without rights"):
        for capability in range(CAPABILITIES):
            # The kernel knows fewer than these and refuses the rest.
            libc.prctl(DROP_BOUNDING, capability, 0, 0, 0)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresgid(group, group, group)
            os.setresuid(user, user, user)
        system_call("capset", struct.pack("<Ii", CAPABILITY_VERSION, 0), bytes(24))
        system_call("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        system_call("prctl", SET_DUMPABLE, 1, 0, 0, 0)


def set_resources(limits: Limits, processes: bool = True) -> None:
    """The limits that the system counts for each process, or, for processes, for each user."""
    data = int(limits.memory_gb * 2**30) + _data_in_use()
    # A core of 1 byte: with 0, a system that pipes cores into a program of its own would do so all the same (core(5)).
    values = {"RLIMIT_DATA": data, "RLIMIT_CORE": 1, "RLIMIT_FSIZE": limits.disk_mb * 2**20, "RLIMIT_NOFILE": 256}
    if processes:
        values["RLIMIT_NPROC"] = limits.processes
    for name, value in values.items():
        which = getattr(resource, name)
        most = resource.getrlimit(which)[1]
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(which, (value, value))


def _data_in_use() -> int:
    """Bytes of data that the libraries alone take."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 2**30

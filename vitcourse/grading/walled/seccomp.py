"""Which system calls a submission may not make: those that open a new world, or parts of the kernel that few need.

The filter is classic BPF, see seccomp(2). A call that it refuses fails with EPERM, ``clone3`` with ENOSYS, so that the
C library takes ``clone``, whose flags a filter can read. A program for another processor's calls is ended.
"""

import ctypes
import errno
import platform
import struct

# Each with its number on x86_64 and on aarch64.
NAMESPACES_AND_MOUNTS = """
unshare 272 97, setns 308 268, mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, open_tree 428 428,
move_mount 429 429, fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442,
open_tree_attr 467 467, name_to_handle_at 303 264, open_by_handle_at 304 265"""
KEYS_AND_PROCESSES = """
add_key 248 217, request_key 249 218, keyctl 250 219, ptrace 101 117, process_vm_readv 310 270,
process_vm_writev 311 271, process_madvise 440 440, kcmp 312 272, pidfd_getfd 438 438"""
# Of a file in memory that is in no folder and not mapped, or on its way through a socket, nobody sees the size.
MEMORY_THAT_NOTHING_COUNTS = "memfd_create 319 279, memfd_secret 447 447, shmget 29 194, semget 64 190, msgget 68 186"
MUCH_KERNEL_FOR_FEW_PROGRAMS = """
bpf 321 280, perf_event_open 298 241, userfaultfd 323 282, io_uring_setup 425 425, io_uring_enter 426 426,
io_uring_register 427 427, io_setup 206 0, fanotify_init 300 262, fanotify_mark 301 263, personality 135 92,
modify_ldt 154 -, uselib 134 -, lookup_dcookie 212 18, migrate_pages 256 238, move_pages 279 239"""
THE_MACHINE = """
swapon 167 224, swapoff 168 225, iopl 172 -, ioperm 173 -, acct 163 89, kexec_load 246 104, kexec_file_load 320 294,
init_module 175 105, finit_module 313 273, delete_module 176 106, reboot 169 142, quotactl 179 60, quotactl_fd 443 443,
syslog 103 116"""
PARTS = (
    NAMESPACES_AND_MOUNTS,
    KEYS_AND_PROCESSES,
    MEMORY_THAT_NOTHING_COUNTS,
    MUCH_KERNEL_FOR_FEW_PROGRAMS,
    THE_MACHINE,
)
REFUSED = {name: numbers for name, *numbers in (line.split() for line in ",".join(PARTS).split(","))}
CLONE, CLONE3, SOCKET = (56, 220), (435, 435), (41, 198)
# AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64; a number as of the x32 calls has this bit.
MACHINES, OTHER_CALLS = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}, 0x40000000
NAMESPACES = 0x7E020000  # all flags of clone(2) that make one
LOCAL, INTERNET, NETLINK = (1,), (2, 10), 16  # families of sockets
KINDS = (1, 2, 5)  # stream, datagram, packets in order; not raw
# Offsets in struct seccomp_data, whose arguments are 8 bytes each, the low half first; and what a filter answers.
NUMBER, MACHINE, ARGUMENT = 0, 4, (16, 24, 32)
ALLOW, REFUSE, UNKNOWN, END = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS, 0x80000000
LOAD, EQUAL, AT_LEAST, AND, ANY_OF, ANSWER = 0x20, 0x15, 0x35, 0x54, 0x45, 0x06
NEW_PRIVILEGES_OFF, SET_FILTER, FILTER_MODE = 38, 22, 2  # prctl(2)


def filter_for(machine: str) -> list[tuple[int, int, int, int]]:
    """The filter: instructions as (code, steps over if true, steps over if false, constant).

    Raises:
        OSError: the numbers of this machine's calls are not known here.
    """
    if machine not in MACHINES:
        raise OSError(errno.ENOSYS, f"no table of system calls for {machine}")
    column = list(MACHINES).index(machine)
    lines = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, MACHINES[machine]), (ANSWER, 0, 0, END), (LOAD, 0, 0, NUMBER)]
    lines += [(AT_LEAST, 0, 1, OTHER_CALLS), (ANSWER, 0, 0, UNKNOWN)]
    lines += [(EQUAL, 0, 1, CLONE3[column]), (ANSWER, 0, 0, UNKNOWN)]
    for numbers in REFUSED.values():
        if numbers[column] != "-":
            lines += [(EQUAL, 0, 1, int(numbers[column])), (ANSWER, 0, 0, REFUSE)]
    lines += [(EQUAL, 0, 4, CLONE[column]), (LOAD, 0, 0, ARGUMENT[0]), (ANY_OF, 0, 1, NAMESPACES)]
    lines += [(ANSWER, 0, 0, REFUSE), (ANSWER, 0, 0, ALLOW)]
    lines += [(EQUAL, 1, 0, SOCKET[column]), (ANSWER, 0, 0, ALLOW), (LOAD, 0, 0, ARGUMENT[0])]
    lines += [(EQUAL, 0, 3, NETLINK), (LOAD, 0, 0, ARGUMENT[2]), (EQUAL, 0, 1, 0), (ANSWER, 0, 0, ALLOW)]
    lines += [(LOAD, 0, 0, ARGUMENT[0])]
    families = (*LOCAL, *INTERNET)
    lines += [(EQUAL, len(families) - index, 0, family) for index, family in enumerate(families)]
    lines += [(ANSWER, 0, 0, REFUSE), (LOAD, 0, 0, ARGUMENT[1]), (AND, 0, 0, 0xF)]
    lines += [(EQUAL, len(KINDS) - index, 0, kind) for index, kind in enumerate(KINDS)]
    return [*lines, (ANSWER, 0, 0, REFUSE), (ANSWER, 0, 0, ALLOW)]


def join_new_keyring(libc: ctypes.CDLL) -> None:
    """Leaves the keyring of the session, with its keys, for an empty one.

    Raises:
        OSError: the system has keyrings, and refuses.
    """
    number = int(REFUSED["keyctl"][list(MACHINES).index(platform.machine())])
    if libc.syscall(number, 1, None) < 0 and ctypes.get_errno() != errno.ENOSYS:
        raise OSError(ctypes.get_errno(), "keyctl: the session's keyring cannot be left")


def load(libc: ctypes.CDLL) -> None:
    """Puts the filter on this thread and all that comes from it, for good.

    Raises:
        OSError: the system does not take it.
    """
    lines = filter_for(platform.machine())
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in lines))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(lines), ctypes.addressof(code)))
    for option, value, more in ((NEW_PRIVILEGES_OFF, 1, None), (SET_FILTER, FILTER_MODE, program)):
        if libc.prctl(option, value, more, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl: the filter of system calls was not taken")

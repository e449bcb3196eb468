"""The file system that a submission sees: libraries to read, an empty folder to write in, and nothing else.

`build` runs as process 1 of new namespaces, with every right in them. See pivot_root(2), mount_namespaces(7).
"""

import fcntl
import os
import socket
import stat
import struct
import sys
from pathlib import Path

from vitcourse.grading.system import limit, mount, system_call

HOME = "/home/student"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/sys/devices/system/cpu", "/etc/alternatives")
SYSTEM += ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/fonts", "/etc/localtime")
DEVICES = ("null", "zero", "full", "random", "urandom")

# Flags of mount(2) and umount2(2), and of ioctl on a network interface.
READ_ONLY, NO_SUID, NO_DEV, NO_EXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 32, 4096, 1 << 14, 1 << 18
NO_ACCESS_TIMES, DETACH = 1024 | 2048, 2
INTERFACE_FLAGS, SET_INTERFACE_FLAGS, INTERFACE_UP = 0x8913, 0x8914, 1

# Where the machine's files and the new ones are while the new file system takes shape.
OLD, NEW = Path("/old"), Path("/new")


def readable_paths() -> dict[str, str]:
    """What a student's code may read, by the names under which it looks, with the true paths.

    It is the system, the interpreter, its environment and this package; not the folder that the package lies in.
    """
    package = Path(__file__).parents[1]
    others = [path for path in map(Path, sys.path) if path.is_dir() and path not in package.parents]
    paths = [*map(Path, SYSTEM), Path(sys.base_prefix), Path(sys.prefix), package, *others]
    return {str(path.absolute()): str(path.resolve()) for path in paths if path.exists()}


def build(readable: dict[str, str], disk_mb: int, user: int, group: int) -> None:
    """Puts the new file system in place of the machine's.

    Args:
        readable: what stays visible: see `readable_paths`.
        disk_mb: size of what can be written, in MB.
        user, group: owner of the folder to write in.

    Raises:
        MissingLimitError: the platform does not let it.
    """
    with limit("a network of its own"):
        _loopback_up()
    with limit("a file system of its own"):
        mount("", "/", flags=PRIVATE | RECURSIVE)
        # First a small root, where the machine's own files are all under /old; in it, the new root takes shape.
        mount("tmpfs", "/tmp", "tmpfs", NO_SUID | NO_DEV, "size=1m,mode=0755")
        Path("/tmp/old").mkdir()
        Path("/tmp/new").mkdir()
        system_call("pivot_root", b"/tmp", b"/tmp/old")
        os.chdir("/")
        mount("tmpfs", str(NEW), "tmpfs", NO_SUID | NO_DEV, "size=16m,mode=0755")
        for device in DEVICES:
            _bind(OLD / "dev" / device, NEW / "dev" / device)
        # Before what is readable, which may lie below /home or /tmp itself: a course in somebody's home folder.
        _writable(disk_mb, user, group)
        _show(readable)
        _users(user, group)
    with limit("a list of processes of its own"):
        (NEW / "proc").mkdir()
        mount("proc", str(NEW / "proc"), "proc", NO_SUID | NO_DEV | NO_EXEC)
    with limit("a file system of its own"):
        os.chdir(NEW)
        system_call("pivot_root", b".", b".")
        system_call("umount2", b".", DETACH)
        os.chdir(HOME)
        mount("", "/", flags=REMOUNT | READ_ONLY | NO_SUID | NO_DEV)


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh22x", b"lo", 0)
        flags = struct.unpack("16sh22x", fcntl.ioctl(control, INTERFACE_FLAGS, request))[1]
        fcntl.ioctl(control, SET_INTERFACE_FLAGS, struct.pack("16sh22x", b"lo", flags | INTERFACE_UP))


def _inside(root: Path, path: str) -> Path:
    return root / path.lstrip("/")


def _show(readable: dict[str, str]) -> None:
    """Binds what is readable at its true path, and links the other names to it."""
    bound: list[Path] = []
    for path in sorted({Path(real) for real in readable.values()}, key=lambda path: len(path.parts)):
        if not any(folder in (path, *path.parents) for folder in bound):
            _bind(_inside(OLD, str(path)), _inside(NEW, str(path)))
            bound.append(path)
    for name, real in readable.items():
        place = _inside(NEW, name)
        if not place.is_symlink() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(real)


def _bind(old: Path, new: Path) -> None:
    if old.is_dir():
        new.mkdir(parents=True, exist_ok=True)
    else:
        new.parent.mkdir(parents=True, exist_ok=True)
        new.touch()
    mount(str(old), str(new), flags=BIND | RECURSIVE)
    if not stat.S_ISCHR(old.stat().st_mode):
        # In a user namespace the flags that a mount has already must be named again.
        kept = os.statvfs(new).f_flag & (NO_SUID | NO_DEV | NO_EXEC | NO_ACCESS_TIMES)
        mount("", str(new), flags=REMOUNT | BIND | READ_ONLY | kept)


def _writable(disk_mb: int, user: int, group: int) -> None:
    home = NEW / "home"
    home.mkdir()
    mount("tmpfs", str(home), "tmpfs", NO_SUID | NO_DEV, f"size={disk_mb}m,mode=0755")
    (home / "student").mkdir()
    os.chown(home / "student", user, group)
    for name, place in {"tmp": NEW / "tmp", "shm": NEW / "dev" / "shm"}.items():
        (home / name).mkdir()
        (home / name).chmod(0o1777)  # all may write, and none may move what belongs to another
        place.mkdir()
        mount(str(home / name), str(place), flags=BIND)


def _users(user: int, group: int) -> None:
    (NEW / "etc").mkdir(exist_ok=True)
    (NEW / "etc" / "passwd").write_text(f"student:x:{user}:{group}::{HOME}:/bin/sh\n")
    (NEW / "etc" / "group").write_text(f"student:x:{group}:\n")
    (NEW / "etc" / "hosts").write_text("127.0.0.1 localhost\n")

"""The outer wall: a box by bubblewrap, for the process that starts the kernels and all that comes from it.

Files, processes, network and shared memory of the machine are kept out by bubblewrap, see bwrap(1). As root it needs
nothing else, and kernels run as a user of their own; another user needs user namespaces, which some systems forbid.
"""

import os
import shutil
import subprocess
import sys

from vitcourse.grading.walled.limits import Limits, MissingLimitError
from vitcourse.grading.walled.readable import DEVICES, readable

HOME, FRESH = "/home/student", "/fresh"
# What process 1 of a submission needs to build the inner wall; the submission itself has none of it.
RIGHTS = ("CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETPCAP", "CAP_SYS_PTRACE", "CAP_SETUID", "CAP_SETGID")
NAMESPACES = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
INSTALL = "apt install bubblewrap, dnf install bubblewrap, or the like"
FORBIDDEN = (
    "where the system forbids user namespaces, grade as root, or allow them: on Ubuntu 24.04 and later by "
    "sysctl kernel.apparmor_restrict_unprivileged_userns=0; a container needs the right to make them"
)
ELSEWHERE = "the walls need Linux: WSL on Windows, a virtual machine on macOS"


def bubblewrap() -> str:
    """The program.

    Raises:
        MissingLimitError: there is none; the message says how to get it.
    """
    if not sys.platform.startswith("linux"):
        raise MissingLimitError("walls", f"this is {sys.platform}; {ELSEWHERE}")
    program = shutil.which("bwrap")
    if program is None:
        raise MissingLimitError("walls", f"the program bwrap is missing: {INSTALL}")
    return program


def state() -> str:
    """Whether there are walls on this machine, in words: what is missing, and what to do."""
    try:
        words = [bubblewrap(), *_walls(os.geteuid()), sys.executable, "-c", "import ctypes, socket"]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except MissingLimitError as missing:
        return f"missing ({missing.reason})"
    return "bubblewrap" if done.returncode == 0 else f"missing ({refusal(done.stderr)})"


def refusal(said: str) -> str:
    """What bubblewrap said when it gave up, and what to do."""
    last = (said.strip().splitlines() or ["bwrap ended"])[-1]
    return f"{last}; bubblewrap 0.8 or newer is needed; {FORBIDDEN}"


def command(program: list[str], environment: dict[str, str], user: int, files: dict[str, int]) -> list[str]:
    """``program`` in the box.

    Args:
        program: a command line.
        environment: all that it shall have.
        user: whom it runs as, where it is not root that grades.
        files: descriptors of small files to put there, by path.

    Raises:
        MissingLimitError: there is no bubblewrap.
    """
    words = [bubblewrap(), *_walls(user), "--clearenv"]
    for name, value in environment.items():
        words += ["--setenv", name, value]
    for path, descriptor in files.items():
        words += ["--perms", "0444", "--file", str(descriptor), path]
    return [*words, "--remount-ro", "/", "--chdir", "/", *program]


def _walls(user: int) -> list[str]:
    words = [*NAMESPACES, "--new-session", "--die-with-parent", "--hostname", "student", "--cap-drop", "ALL"]
    words += [word for right in RIGHTS for word in ("--cap-add", right)]
    if os.geteuid() != 0:
        words += ["--unshare-user", "--disable-userns", "--uid", str(user), "--gid", str(user)]
    paths, links = readable()
    folders = {parent for path in (*paths, *links) for parent in path.parents if str(parent) != "/"}
    for folder in sorted({*map(str, folders), FRESH, "/proc", "/etc", "/dev", "/dev/shm", "/home", "/tmp"}):
        words += ["--perms", "0755", "--dir", folder]
    words += ["--tmpfs", HOME]
    for path in paths:
        words += ["--ro-bind", str(path), str(path)]
    for name, path in links.items():
        words += ["--symlink", str(path), str(name)]
    for device in DEVICES:
        words += ["--dev-bind", device, device]
    return [*words, "--proc", "/proc"]


def cgroup(limits: Limits) -> list[str]:
    """The beginning of a command line that has systemd count memory and tasks of the box; empty where it does not."""
    program = shutil.which("systemd-run")
    if program is None:
        return []
    words = [program, "--scope", "--quiet", "--collect", *(["--user"] if os.geteuid() else [])]
    words += [f"--property=MemoryMax={limits.memory_of_all + 2**30}", "--property=MemorySwapMax=0"]
    words += [f"--property=TasksMax={limits.processes + 32}"]
    done = subprocess.run([*words, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return words if done.returncode == 0 else []

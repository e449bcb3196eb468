"""What a student's code can reach of the machine: next to nothing. Every test runs as such code does."""

import ctypes
import os
import socket
import sys
from pathlib import Path

import pytest

from vitcourse.grading.master import COURSE
from vitcourse.grading.walled import inner_wall, seccomp
from vitcourse.grading.walled.handle import KernelDiedError
from vitcourse.grading.walled.launcher import FIRST_USER
from vitcourse.grading.walled.limits import MissingLimitError


def printed(outputs):
    """What a cell printed; an error in it is part of it."""
    return " ".join(output.get("text", "") for output in outputs).strip()


def error_of(outputs):
    return next(output["name"] for output in outputs if output["kind"] == "error")


def test_the_machines_files_are_not_there(run, tmp_path):
    (tmp_path / "gradebook.db").write_text("x")
    paths = [str(tmp_path), str(COURSE / "lessons"), str(COURSE / ".git"), "/etc/shadow", "/root/.ssh", "/var", "/run"]
    assert printed(run(f"import os; print([path for path in {paths} if os.path.exists(path)])")) == "[]"


def test_only_the_package_is_there_of_the_course(run):
    assert printed(run(f"import os; print(sorted(os.listdir({str(COURSE)!r})))")) in (
        "['.venv', 'vitcourse']",
        "['vitcourse']",
    )


@pytest.mark.parametrize("path", ["/etc/x", "/usr/x", str(COURSE / "vitcourse" / "x.py"), sys.prefix + "/x", "/x"])
def test_what_can_be_read_cannot_be_written(run, path):
    assert error_of(run(f"open({path!r}, 'w')")) in ("OSError", "PermissionError")
    assert not Path(path).exists()


LEAVE = """
import ctypes, os, socket
for place in (".", "/tmp", "/dev/shm"):
    if "left" in os.listdir(place): print("file", place)
    open(f"{place}/left", "w").write("x")
libc = ctypes.CDLL(None)
try:
    kept = socket.socket(socket.AF_UNIX)
    kept.bind("\\0left")
except OSError:
    print("socket")
if libc.syscall({"x86_64": 240, "aarch64": 180}[os.uname().machine], b"left", os.O_CREAT | os.O_EXCL, 0o600, None) < 0:
    print("queue of messages")
if os.fork() == 0:
    os.setsid()
    import time; time.sleep(900)
if len([name for name in os.listdir("/proc") if name.isdecimal()]) > 3: print("process")
"""


def test_there_is_a_folder_to_write_in_and_all_is_gone_with_the_kernel(launcher):
    """While it lives, too: files, sockets, queues and processes of one submission are not those of another."""
    kernels = [launcher.start(), launcher.start()]
    for kernel in kernels:
        assert kernel.ask({"do": "cell", "source": LEAVE, "seconds": 5}, 10)["outputs"] == []
    for kernel in kernels:
        kernel.close()
    again = launcher.start()
    assert again.ask({"do": "cell", "source": LEAVE, "seconds": 5}, 10)["outputs"] == []
    again.close()


def test_the_folder_has_a_size(run):
    assert error_of(run("open('a', 'wb').write(bytes(10**6) * 300)", 20)) == "OSError"
    assert error_of(run("for i in range(300): open(f'{i}', 'wb').write(bytes(10**6))", 20)) == "OSError"
    assert error_of(run("for i in range(300): os.unlink(f'{i}')\nfor i in range(20_000): open(f'n{i}', 'w')", 20))


def test_there_is_no_network_but_its_own_loopback(run):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        port = server.getsockname()[1]
        outputs = run(
            "import socket\nprint(socket.if_nameindex())\n"
            "own = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(own.getsockname())\nprint('own')\n"
            f"socket.create_connection(('127.0.0.1', {port}), timeout=2)"
        )
        assert printed(outputs).startswith("[(1, 'lo')]\nown")
        assert error_of(outputs) == "ConnectionRefusedError"
        with pytest.raises(TimeoutError):
            server.accept()
    assert error_of(run("socket.create_connection(('192.0.2.1', 80), timeout=2)")) == "OSError"


def test_other_processes_are_not_there(run):
    """Not the grader's either, whose command line holds the seed."""
    program = (
        "import os, pathlib\n"
        "print([name for name in os.listdir('/proc') if name.isdecimal()])\n"
        "print([pathlib.Path(f'/proc/{name}/cmdline').read_bytes() for name in '12'])"
    )
    text = printed(run(program))
    assert text.startswith("['1', '2']")
    assert "pytest" not in text


def test_the_environment_tells_nothing(run, monkeypatch):
    text = printed(run("import os; print(dict(os.environ)); print(open('/proc/self/environ').read())"))
    for name in ("SECRET", "SSH", "TOKEN", "PYTEST"):
        assert name not in text


def test_the_user_is_another_one_without_rights(run):
    text = printed(
        run("import os; print(os.getuid(), os.getgid(), os.getgroups())\nprint(open('/proc/self/status').read())")
    )
    user = int(text.split()[0])
    assert user >= FIRST_USER
    for line in text.splitlines():
        if line.startswith("Cap"):
            assert int(line.split()[1], 16) == 0, line
    assert "NoNewPrivs:\t1" in text
    assert error_of(run("os.setuid(0)")) in ("PermissionError", "OSError")  # in a user namespace there is no user 0
    assert error_of(run("os.kill(1, 9); os.kill(-1, 9)")) in ("PermissionError", "ProcessLookupError")


def test_data_has_a_limit(run):
    assert error_of(run("block = bytearray(10**9)")) == "MemoryError"
    assert printed(run("block = bytearray(10**8); print(len(block))")) == "100000000"


def test_processes_have_a_limit(run):
    program = """
import os, signal, time
children = []
try:
    while True:
        child = os.fork()
        if child == 0:
            time.sleep(60)
        children.append(child)
except BlockingIOError:
    print(len(children))
for child in children:
    os.kill(child, signal.SIGKILL)
"""
    assert 0 < int(printed(run(program, 20))) < 24


@pytest.mark.parametrize(
    "arguments",
    ["40, 1", "17, 3", "17, 2", "2, 3, 1", "10, 3", "16, 3, 12", "16, 3, 16", "38, 5", "15, 3", "21, 5", "29, 3"],
    ids=["vsock", "packet", "packet-dgram", "raw", "raw6", "netfilter", "generic", "alg", "key", "rds", "can"],
)
def test_only_plain_sockets_are_made(run, arguments):
    """None that reaches the machine's host, none for raw packets, none of a family that few programs use."""
    assert error_of(run(f"import socket\nsocket.socket({arguments})")) == "PermissionError"
    kinds = "(2, 1), (2, 2), (10, 1), (1, 1), (1, 2), (1, 5), (16, 3, 0)"
    assert run(f"for what in ({kinds}): socket.socket(*what).close()") == []


CALLS = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
for name, number in {calls}.items():
    if libc.syscall(number, *[ctypes.c_long(-1)] * 6) != -1 or ctypes.get_errno() != errno.EPERM:
        print(name)
"""


def test_calls_that_open_a_new_world_are_refused(run):
    column = list(seccomp.MACHINES).index(os.uname().machine)
    calls = {name: int(both[column]) for name, both in seccomp.REFUSED.items() if both[column] != "-"}
    assert len(calls) > 50
    assert run(CALLS.format(calls=calls)) == []


def test_no_namespace_is_made_within_a_submission(run):
    program = """
import ctypes, os, subprocess
libc = ctypes.CDLL(None, use_errno=True)
for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    print(libc.unshare(flag), ctypes.get_errno())
    print(libc.syscall({"x86_64": 56, "aarch64": 220}[os.uname().machine], flag | 17, 0, 0, 0, 0), ctypes.get_errno())
print(libc.syscall(435, (ctypes.c_uint64 * 11)(0x10000000), 88), ctypes.get_errno())
print(subprocess.run(["unshare", "--user", "--map-root-user", "id"], capture_output=True).stderr)
"""
    lines = printed(run(program)).splitlines()
    assert lines[:14] == ["-1 1"] * 14
    assert lines[14] == "-1 38"  # clone3 is unknown, so that the C library takes the call that can be looked at
    assert "Operation not permitted" in lines[15]


def test_the_keys_of_who_grades_are_not_there(run, keyring):
    assert keyring in Path("/proc/keys").read_text()
    assert printed(run("print(open('/proc/keys').read() + open('/proc/key-users').read())")) == ""


MEMORY = {
    "shared": "import mmap\nblock = mmap.mmap(-1, 400_000_000)\nfor i in range(0, 400_000_000, 4096): block[i] = 1",
    "private": "block = b'x' * 400_000_000",
}


@pytest.mark.parametrize("kind", MEMORY)
def test_memory_of_all_processes_together_has_a_limit(kernel, kind):
    """Each of them stays below its own limit on data."""
    source = f"import os, time\nfor _ in range(8):\n    if os.fork() == 0: break\n{MEMORY[kind]}\ntime.sleep(900)"
    with pytest.raises(KernelDiedError, match="more than 1 GB of memory"):
        kernel.ask({"do": "cell", "source": source, "seconds": 60}, 60)


@pytest.mark.parametrize(
    "program",
    [
        "os.memfd_create('x')",
        "assert ctypes.CDLL(None, use_errno=True).shmget(0, 10**9, 0o1600) >= 0",
        "for i in range(9): os.posix_fallocate(os.open(f'/dev/shm/{i}', os.O_CREAT | os.O_RDWR), 0, 10**8)",
        "for i in range(9): os.posix_fallocate(os.open(f'/tmp/{i}', os.O_CREAT | os.O_RDWR), 0, 10**8)",
    ],
    ids=["memfd", "System V", "POSIX", "tmp"],
)
def test_memory_that_is_not_mapped_cannot_be_had_or_is_small(run, program):
    assert error_of(run(f"import ctypes, os\n{program}")) in ("PermissionError", "AssertionError", "OSError")


def test_a_limit_that_the_platform_lacks_is_named():
    with (
        pytest.raises(MissingLimitError, match=r"cannot give a submission a thing \(.*\); --no-isolation"),
        inner_wall.limit("a thing"),
    ):
        inner_wall.system_call("unshare", -1)
    with pytest.raises(MissingLimitError), inner_wall.limit("a thing"):
        inner_wall.system_call("no_such_function")


def test_system_calls_report_their_error():
    with pytest.raises(OSError, match="umount2: "):
        inner_wall.system_call("umount2", b"/no/such/mount", 0)
    assert ctypes.get_errno() != 0

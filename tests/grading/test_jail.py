"""What a student's code can reach of the machine: next to nothing. Every test runs as such code does."""

import ctypes
import os
import socket
import sys
from pathlib import Path

import pytest

from vitcourse.grading import jail, system
from vitcourse.grading.limits import MissingLimitError
from vitcourse.grading.master import COURSE


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


def test_there_is_a_folder_to_write_in_and_it_is_gone_with_the_kernel(keeper):
    program = "import os\nprint(os.listdir('.'))\nfor name in ('a', '/tmp/a', '/dev/shm/a'): open(name, 'w').write('x')"
    for _ in range(2):
        kernel = keeper.start()
        answer = kernel.ask({"do": "cell", "source": program, "seconds": 5}, 10)
        kernel.close()
        assert "'a'" not in printed(answer["outputs"])
        assert all(output["kind"] != "error" for output in answer["outputs"])


def test_the_folder_has_a_size(run):
    assert error_of(run("open('a', 'wb').write(bytes(10**6) * 300)", 20)) == "OSError"
    assert error_of(run("for i in range(300): open(f'{i}', 'wb').write(bytes(10**6))", 20)) == "OSError"


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
    assert user == os.getuid() if os.getuid() else user >= jail.FIRST_USER
    for line in text.splitlines():
        if line.startswith("Cap"):
            assert int(line.split()[1], 16) == 0, line
    assert "NoNewPrivs:\t1" in text
    assert error_of(run("os.setuid(0)")) == "PermissionError"
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


def test_a_limit_that_the_platform_lacks_is_named():
    with (
        pytest.raises(MissingLimitError, match=r"cannot give a submission a thing \(.*\); --no-isolation"),
        system.limit("a thing"),
    ):
        system.system_call("unshare", -1)
    with pytest.raises(MissingLimitError), system.limit("a thing"):
        system.system_call("no_such_function")


def test_system_calls_report_their_error():
    with pytest.raises(OSError, match="umount2: "):
        system.system_call("umount2", b"/no/such/mount", 0)
    assert ctypes.get_errno() != 0

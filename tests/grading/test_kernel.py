"""A kernel as the grader sees it: cells, calls, and its end."""

import os
import subprocess
import time
from pathlib import Path

import pytest
import torch

from vitcourse.checks.engine import guard
from vitcourse.grading.walled import sandbox, wire
from vitcourse.grading.walled.handle import KernelDiedError
from vitcourse.grading.walled.launcher import Launcher
from vitcourse.grading.walled.limits import Limits, MissingLimitError

ATTENTION = "torch.nn.functional.scaled_dot_product_attention"


@pytest.fixture
def call(kernel):
    """Defines ``answer`` by a cell and calls it; gives the outcome."""

    def call(source, *args, **rules):
        kernel.ask({"do": "cell", "source": source, "seconds": 5}, 20)
        plain = guard.Rules(**{"seconds": 2.0, **rules}).to_plain()
        request = {"do": "call", "name": "answer", "args": list(args), "kwargs": {}, "rules": plain}
        return guard.Outcome.from_plain(kernel.ask(request, 20, wire.LIMIT))

    return call


def test_cells_share_their_names_and_show_what_a_notebook_shows(run):
    run("import matplotlib.pyplot as plt\nx = 20")
    outputs = run("print('hello')\nplt.plot([1, 2]);\nx + 1")
    assert outputs[0] == {"kind": "stream", "name": "stdout", "text": "hello\n"}
    assert outputs[1]["data"] == {"text/plain": "21"}
    assert outputs[2]["data"]["image/png"].startswith("iVBOR")
    assert run("%timeit -n 1 -r 1 x")[0]["text"].endswith("each)\n")
    assert run("!echo $((3 * 5))")[0]["text"] == "15\n"
    assert run("import asyncio\nawait asyncio.sleep(0, 'slept')")[0]["data"]["text/plain"] == "'slept'"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("def (", "SyntaxError"),
        ("import sys; sys.exit()", "SystemExit"),
        ("input()", "EOFError"),
        ("raise BaseException", "BaseException"),
        ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", "E"),
    ],
)
def test_an_error_is_an_output_and_the_kernel_lives(run, source, name):
    assert run(source)[0]["name"] == name
    assert run("exit()") == []
    assert run("1")[0]["data"] == {"text/plain": "1"}


@pytest.mark.parametrize(
    "loop", ["pass", "\n  try: pass\n  except: pass", "\n  try: 1/0\n  except BaseException: pass"]
)
def test_a_loop_is_stopped_and_what_was_defined_stays(run, loop):
    (error,) = run(f"kept = 5\nwhile True: {loop}", 1)
    assert (error["name"], error["text"]) == ("TimeIsUp", "the cell computed for more than 1 seconds")
    assert run("kept")[0]["data"] == {"text/plain": "5"}


def test_long_output_is_cut_in_the_kernel(run):
    first, last = run("print('x' * 100_000_000)")
    assert len(first["text"]) == 2**20
    assert "98,951,425 more characters" in last["text"]


def test_a_function_is_called_with_plain_data(call):
    right = call("import torch\ndef answer(x, y): return x @ x.T, y", torch.eye(2), "text")
    assert torch.equal(right.value[0], torch.eye(2))
    assert right.value[1] == "text"
    assert right.failure is None


@pytest.mark.parametrize(
    ("source", "failure"),
    [
        ("def answer(x): raise NotImplementedError()", "not-implemented"),
        ("def answer(x): return x.numpy()", "wrong-type"),
        ("def answer(x): return torch.zeros(100_000_000, dtype=torch.uint8).expand(10, 100_000_000)", "raises"),
        ("def answer(x): return 10**10_000", "wrong-type"),
        ("def answer(): return 1", "raises"),
        ("def answer(x):\n  while True: pass", "endless-loop"),
        ("def answer(x):\n  while True:\n    try: pass\n    except: pass", "endless-loop"),
        ("def answer(x): return torch.nn.functional.scaled_dot_product_attention(x, x, x)", "forbidden-call"),
    ],
)
def test_a_call_that_fails_is_named(call, source, failure):
    source = f"import torch\n{source}"
    assert call(source, torch.ones(1, 1, 2, 2), forbidden=("vitcourse", ATTENTION), seconds=3).failure == failure


@pytest.mark.parametrize(
    "talk", ["print('x' * 10**7)", "warnings.warn('x')", "plt.plot([1]); plt.show()", "display(1)"]
)
def test_a_function_may_print_and_show(call, talk):
    source = f"import matplotlib.pyplot as plt, warnings\ndef answer(x):\n    {talk}\n    return x"
    outcome = call(source, torch.ones(2), forbidden=("vitcourse", ATTENTION))
    assert (outcome.failure, outcome.detail) == (None, "")


def test_the_guard_cannot_be_reached(call):
    """Neither through the package, nor by an object that says that it guards itself."""
    source = """
import sys
from vitcourse.checks.engine import guard, forbidden, timer
from vitcourse.attention import attention
guard.call = guard.plain_copy = guard.Outcome = forbidden.Watch = timer.Limit = None
class Answer:
    def guarded_call(self, args, kwargs, rules): return {"value": 42}
    def __call__(self, x): return attention(x, x, x)[0]
answer = Answer()
"""
    outcome = call(source, torch.ones(1, 2, 2), forbidden=("vitcourse",))
    assert (outcome.failure, outcome.value) == ("forbidden-call", None)


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("None", {"kind": "value", "value": None}),
        ("3", {"kind": "value", "value": 3}),
        ("(1, 'a')", {"kind": "value", "value": (1, "a")}),
        ("lambda: 1", {"kind": "callable"}),
        ("{1, 2}", {"kind": "foreign", "type": "set"}),
    ],
)
def test_a_name_is_looked_up(kernel, value, seen):
    kernel.ask({"do": "cell", "source": f"thing = {value}", "seconds": 5}, 20)
    assert kernel.ask({"do": "look", "name": "thing"}, 20) == seen
    assert kernel.ask({"do": "look", "name": "other"}, 20) == {"kind": "missing"}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(3)", "it ended itself with exit status 3"),
        ("import ctypes; ctypes.string_at(0)", "it was ended by the signal SIGSEGV"),
        ("import os; os.kill(os.getpid(), 9)", "it was ended by the signal SIGKILL"),
        (
            "import os\nfor fd in range(3, 60):\n  try: os.write(fd, b'x' * 99)\n  except OSError: pass",
            "it sent a mess",
        ),
    ],
)
def test_a_kernel_that_ends_says_why(kernel, source, words):
    with pytest.raises(KernelDiedError, match=words):
        kernel.ask({"do": "cell", "source": source, "seconds": 5}, 20)
    with pytest.raises(KernelDiedError):
        kernel.ask({"do": "cell", "source": "1", "seconds": 5}, 20)


def test_a_kernel_that_does_not_answer_is_ended_with_all_its_children(launcher):
    kernel = launcher.start()
    source = """
import os, signal, time
signal.signal(signal.SIGALRM, signal.SIG_IGN)
for _ in range(3):
    if os.fork() == 0:
        os.setsid()
        break
while True: time.sleep(0.1)
"""
    before, kernel.wait_seconds = _processes(), 1
    with pytest.raises(KernelDiedError, match="did not come to an end within 1 seconds") as died:
        kernel.ask({"do": "cell", "source": source, "seconds": 100}, 100)
    assert died.value.time
    assert died.value.waited
    while _processes() >= before:
        time.sleep(0.1)


BURN = "x = 0\nfor _ in range(10**9): x += 1"
IN_A_CHILD = f"""
import os
child = os.fork()
if child == 0:
    {BURN.replace(chr(10), chr(10) + "    ")}
os.waitpid(child, 0)
"""
IN_A_CHILDS_CHILD = IN_A_CHILD.replace("child == 0:", "child == 0 and os.fork() == 0:")
DEAF = f"import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\n{BURN}"


@pytest.mark.parametrize("source", [DEAF, IN_A_CHILD, IN_A_CHILDS_CHILD], ids=["deaf", "child", "child of a child"])
def test_what_computes_beyond_the_kernels_own_limit_is_ended(kernel, source):
    with pytest.raises(KernelDiedError, match="it computed for more than 2 seconds") as died:
        kernel.ask({"do": "cell", "source": source, "seconds": 1000}, 2)
    assert died.value.time
    assert not died.value.waited


def test_what_a_kernel_has_computed_is_counted_over_its_processes(kernel, run):
    loop = "import os\nif os.fork() == 0:\n    for _ in range(10**7): pass\n    os._exit(0)\nos.wait()"
    (shown,) = run(f"{loop}\nos.times().children_user + os.times().children_system", 100)
    kernel.looked = 0
    assert kernel.computed() >= float(shown["data"]["text/plain"]) > 0


def test_a_kernel_that_waits_computes_nothing(kernel):
    answer = kernel.ask({"do": "cell", "source": "import time\ntime.sleep(2)", "seconds": 1}, 1)
    # It slept to its end, for longer than it may compute.
    assert answer == {"outputs": [], "stopped": False, "no_gpu": False}


def _processes():
    """How many processes of kernels there are."""
    found = subprocess.run(["ps", "-e", "-o", "args="], capture_output=True, text=True, check=True).stdout
    return sum("vitcourse.grading.walled.fork_server" in line for line in found.splitlines())


def test_a_child_that_comes_back_does_not_answer(kernel):
    outputs = kernel.ask({"do": "cell", "source": "import os\nchild = os.fork()\nprint(child > 0)", "seconds": 5}, 20)
    assert outputs["outputs"][0]["text"] == "True\n"
    again = kernel.ask({"do": "cell", "source": "1 + 1", "seconds": 5}, 20)
    assert again["outputs"] == [{"kind": "data", "data": {"text/plain": "2"}}]


def test_without_isolation_kernels_have_a_folder_and_a_time(monkeypatch):
    with Launcher(Limits(memory_gb=0.5), isolated=False) as launcher:
        kernel = launcher.start()
        source = "import os\nopen('a', 'w')\nprint(os.getcwd(), os.getuid())\nx = bytearray(10**9)"
        outputs = kernel.ask({"do": "cell", "source": source, "seconds": 5}, 20)["outputs"]
        folder, user = outputs[0]["text"].split()
        assert int(user) == os.getuid()
        assert outputs[-1]["name"] == "MemoryError"
        assert (Path(folder) / "a").is_file()
        with pytest.raises(KernelDiedError, match="exit status 3"):
            kernel.ask({"do": "cell", "source": "os._exit(3)", "seconds": 5}, 20)
        assert not Path(folder).exists()


def test_where_the_system_has_ended_the_box_another_one_is_opened(launcher):
    first = launcher.box.pid
    launcher.box.kill()
    launcher.box.wait()
    kernel = launcher.start()
    kernel.ask({"do": "cell", "source": "1", "seconds": 5}, 20)
    kernel.close()
    assert launcher.box.pid != first


def test_a_limit_that_is_missing_is_the_answer_to_the_start(monkeypatch):
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    with pytest.raises(MissingLimitError, match="this is darwin; the walls need Linux: WSL"), Launcher(Limits()):
        pass

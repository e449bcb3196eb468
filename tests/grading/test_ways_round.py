"""Hints of ways round an exercise: 21 attempts at points without the exercise, and the honest answers of the bank.

The attempts are read, and never run.
"""

import ast
from pathlib import Path

import pytest

from vitcourse.grading.master import COURSE, load_masters
from vitcourse.grading.ways_round import hints, imported

BANK = sorted(path for path in (Path(__file__).parents[1] / "checks" / "bank").glob("*_*.py"))
ATTEMPTS = {
    "calls a check's own answer": "def scores(q, k):\n    return checks.attention.scores.right(q, k)",
    "under another name": "from vitcourse.checks.attention import softmax as c\nc.__name__ = 'mine'",
    "its source again": "import inspect\nexec(inspect.getsource(attention))",
    "its code with other globals": "import types\nsoftmax = types.FunctionType(f.__code__, {})",
    "in a thread": "import threading\nthreading.Thread(target=work).start()",
    "without the watch": "import sys\nsys.setprofile(None)",
    "empties the watch": "frame = sys._getframe()\nwhile frame:\n    frame = frame.f_back",
    "patches the watch": "import gc\nfor thing in gc.get_objects():\n    thing.paths = ()",
    "in another process": "pid = os.fork()",
    "in another Python": "import subprocess\nsubprocess.run(['python', '-c', 'x'])",
    "below the modes": "from torch.utils._python_dispatch import _disable_current_modes",
    "in a pool of threads": "from concurrent.futures import ThreadPoolExecutor as Pool\nPool().submit(f)",
    "compiled": "mine = torch.jit.script(lambda q, k, v: F.scaled_dot_product_attention(q, k, v))",
    "on the wire": "import os\nos.write(5, b'answer')",
    "from C": "import ctypes\nctypes.pythonapi.PyEval_SetProfile(None, None)",
    "in a loop of events": "import asyncio\nasyncio.get_event_loop().run_in_executor(None, f)",
    "by a faulty program": "def scores(q, k):\n    return q @",
    "renamed code": "f.__code__ = f.__code__.replace(co_qualname='mine')",
    "equal to all": "class Any(int):\n    def __eq__(self, other):\n        return True",
    "patches the comparison": "torch.testing.assert_close = lambda *a, **k: None",
    "an unwatched function": "def attention(q, k, v):\n    return F.multi_head_attention_forward(q, k, v)",
}
UNSEEN = {"by a faulty program", "on the wire"}
HONEST = (
    "import sys\nsys.path.append('/content')",
    "!pip install vitcourse\n%matplotlib inline\n!python -m pip install einops",
    "model.eval()\nmodel = torch.compile(model)",
    "torch.backends.cudnn.deterministic = True\nplt.rcParams['figure.dpi'] = 90",
    "print(type(x).__name__, softmax.__doc__)",
    "class Mlp(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = None",
    "import os, time\nprint(os.getcwd(), os.environ.get('HOME'), time.time())",
    "checks.attention.scores(scores)\nchecks.summary('01_attention')",
)


@pytest.mark.parametrize("name", ATTEMPTS)
def test_of_21_attempts_two_are_not_seen(name):
    assert bool(hints(ATTEMPTS[name])) == (name not in UNSEEN)


def statements_of(path):
    """The answers of a file of the bank, but for those that are there because they use a finished answer."""
    text = path.read_text()
    for statement in ast.parse(text).body:
        source = "\n".join(text.splitlines()[_first(statement) - 1 : statement.end_lineno])
        if not isinstance(statement, ast.Import | ast.ImportFrom) and "forbidden-call" not in source:
            yield source


def _first(statement):
    return min([statement.lineno, *(part.lineno for part in getattr(statement, "decorator_list", ()))])


@pytest.mark.parametrize("path", BANK, ids=lambda path: path.stem)
def test_no_honest_answer_of_the_bank_is_taken_for_one(path):
    sources = list(statements_of(path))
    assert sources
    assert [found for source in sources for found in hints(source)] == []


@pytest.mark.parametrize("lesson", load_masters(COURSE))
def test_no_solution_of_the_course_is_taken_for_one(lesson):
    cells = [cell for cell in load_masters(COURSE)[lesson].notebook.cells if cell.cell_type == "code"]
    given = frozenset().union(
        *(imported(cell.source) for cell in cells if not cell.metadata.get("nbgrader", {}).get("solution"))
    )
    assert [found for cell in cells for found in hints(cell.source, given)] == []


@pytest.mark.parametrize("source", HONEST)
def test_what_honest_notebooks_do_besides_is_no_hint(source):
    assert hints(source) == []


@pytest.mark.parametrize("source", ["%%bash\nls", "x = 1\n!python other.py", "  %%script python\n1"])
def test_a_line_that_starts_another_program_is_one(source):
    assert [words for _, words in hints(source)] == ["runs another program"]


def test_many_blank_lines_take_no_time():
    assert hints("\n" * 200_000) == []


def test_a_hint_names_the_line():
    assert hints("x = 1\nif x:\n    import threading as t  # fast") == [
        ("import threading as t  # fast", "runs code beside its own")
    ]

"""A class of submissions of every sort: what each hands in, and what it must get."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import nbformat
from nbformat import NotebookNode

from tests.grading.assignment import NAME, answered, cell_of, function

RIGHT = {"scores": (3, ""), "causal_mask": (3, ""), "cost": (3, "")}
UNSCALED = "return query @ key.transpose(-2, -1)"
HIDES_NOTHING = "return torch.ones(n, n, dtype=torch.bool)"
PART = "some, but not all"


@dataclass
class Case:
    """One student.

    Args:
        make: from the release to what is handed in: a notebook, or the text of a file.
        expected: points (or `PART`) and misconception by exercise, where they are not all points and none.
        words: what the line about this submission says; "" where there must be no line.
        shown: what the outputs of the graded notebook hold.
        file: the name of the file.
    """

    make: Callable[[NotebookNode], NotebookNode | str]
    expected: dict[str, tuple[float | str, str]] = field(default_factory=dict)
    words: str = ""
    shown: str = ""
    file: str = f"{NAME}.ipynb"

    def grades(self) -> dict[str, tuple[float | str, str]]:
        return RIGHT | self.expected


def nothing(misconception: str) -> dict[str, tuple[float | str, str]]:
    return dict.fromkeys(RIGHT, (0, misconception))


def right(**changes: str) -> Callable[[NotebookNode], NotebookNode]:
    return lambda release: answered(release, **changes)


def without(*grade_ids: str, last: str = "") -> Callable[[NotebookNode], NotebookNode]:
    def make(release: NotebookNode) -> NotebookNode:
        notebook = answered(release, last=last)
        notebook.cells = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") not in grade_ids]
        return notebook

    return make


def altered_tests(release: NotebookNode) -> NotebookNode:
    notebook = answered(release, scores=UNSCALED)
    cell_of(notebook, "scores-check").source = "checks.attention.scores(lambda q, k: q @ k.T / len(q.T) ** 0.5)"
    cell_of(notebook, "causal_mask-check").source = "3.0"
    cell_of(notebook, "cost-check").metadata.nbgrader.points = 100
    return notebook


def long_stored_output(release: NotebookNode) -> str:
    notebook = json.loads(nbformat.writes(answered(release)))
    text = "x" * 20_000_000
    notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]
    return json.dumps(notebook)


def stripped(release: NotebookNode) -> str:
    notebook = json.loads(nbformat.writes(answered(release)))
    notebook["cells"] = [{"cell_type": c["cell_type"], "source": c["source"]} for c in notebook["cells"]] + [
        "junk",
        None,
    ]
    return json.dumps({"cells": notebook["cells"]})


LOOP = "while True: pass"
DEAF_LOOP = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
SWALLOWING = "while True:\n    try:\n        pass\n    except BaseException:\n        pass"
FORK_BOMB = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
MEMORY_BOMB = "block = b'x' * 10**6\nwhile True:\n    block = block * 2"
REBOUND = """
import vitcourse.checks
from vitcourse.checks import lookup
from vitcourse.checks.engine import check, guard, probe, report
accept = lambda *args, **kwargs: None
checks.attention.scores = checks.run = lookup.run = check.Check.run = check.Check.__call__ = accept
probe.Probe.equal = probe.Probe.require = accept
probe.close = lambda *args, **kwargs: True
report.Report.share = 1.0
guard.call = lambda *args, **kwargs: guard.Outcome(value=torch.zeros(3, 3))
"""
PATCHED = """
import torch.testing
torch.testing.assert_close = lambda *args, **kwargs: None
torch.allclose = torch.equal = lambda *args, **kwargs: True
torch.Tensor.__eq__ = torch.Tensor.isclose = lambda *args: torch.tensor(True)
"""
GUARDS_ITSELF = """
from vitcourse.attention import attention
class Scores:
    def guarded_call(self, args, kwargs, rules):
        return {"value": args[0] @ args[1].transpose(-2, -1) / math.sqrt(args[0].shape[-1])}
    def __call__(self, query, key):
        attention(query, key, key)
        return query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
def unused(): pass
scores = Scores()
"""
NOISE = """
import os
for number in range(3, 64):
    try:
        os.write(number, b"x" * 1000)
    except OSError:
        pass
"""

CASES = {
    "right": Case(right()),
    "partly": Case(right(scores=UNSCALED), {"scores": (PART, "not-scaled")}),
    "untouched": Case(lambda release: release, nothing("not-implemented")),
    "other-name": Case(right(), file="attention_exercises (1).ipynb"),
    "broken": Case(lambda _: "{ this is no notebook", nothing("unreadable"), "JSONDecodeError"),
    "cut-off": Case(lambda r: nbformat.writes(answered(r))[:-900], nothing("unreadable"), "JSONDecodeError"),
    "stripped": Case(stripped),
    "loop": Case(right(first=LOOP), words="a cell ran out of time", shown="TimeIsUp"),
    "deaf-loop": Case(right(first=DEAF_LOOP), words="a cell ran out of time", shown="TimeIsUp"),
    "swallowing-loop": Case(right(first=SWALLOWING), words="a cell ran out of time", shown="TimeIsUp"),
    "loop-in-function": Case(right(cost=LOOP), {"cost": (0, "endless-loop")}),
    "swallowing-function": Case(
        right(cost=f"def cost(*sizes):\n{SWALLOWING}".replace("\n", "\n    ")), {"cost": (0, "endless-loop")}
    ),
    "fork-bomb": Case(right(first=FORK_BOMB), words="a cell ran out of time", shown="TimeIsUp"),
    "memory-bomb": Case(right(first=MEMORY_BOMB), words="a cell ran out of memory", shown="MemoryError"),
    "exit": Case(right(first="import os; os._exit(0)"), words="exit status 0", shown="KernelDied"),
    "exit-in-function": Case(
        right(causal_mask="import os; os._exit(0)"), {"causal_mask": (0, "raises")}, "exit status 0"
    ),
    "deleted-tests": Case(without("scores-check", "cost-check"), words="deleted: scores-check, cost-check"),
    "deleted-answer": Case(without("scores"), {"scores": (0, "not-defined")}, "deleted: scores"),
    "moved-answer": Case(without("scores", "scores-check", last=function("scores")), words="deleted: scores"),
    "altered-tests": Case(altered_tests, {"scores": (PART, "not-scaled")}, "altered: scores-check, causal_mask-check"),
    "rebound": Case(
        right(first=REBOUND, scores=UNSCALED, causal_mask=HIDES_NOTHING),
        {"scores": (PART, "not-scaled"), "causal_mask": (PART, "hides-nothing")},
    ),
    "patched": Case(right(first=PATCHED, scores=UNSCALED), {"scores": (PART, "not-scaled")}),
    "guards-itself": Case(right(scores=GUARDS_ITSELF), {"scores": (0, "forbidden-call")}),
    "noise": Case(right(first=NOISE), words="it sent a message of", shown="KernelDied"),
    "long-line": Case(right(last="print('x' * 100_000_000)"), shown="The output is cut here"),
    "long-stored": Case(long_stored_output),
    "no [pattern] <b>{x}": Case(right()),
}

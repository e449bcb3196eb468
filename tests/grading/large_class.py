"""Grades a large class and says what it took: ``python -m tests.grading.large_class 1000 FOLDER [--jobs N]``.

The answers are the bank's, right ones and each known mistake, as students might hand them in: a Moodle zip of notebooks
for lesson 01. FOLDER gets the zip, the table and the folder of grades; processor time is counted where the system has
control groups (as root), and memory is the most that all processes together held, shared pages counted in each.
"""

import argparse
import ast
import copy
import importlib.util
import json
import random
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import psutil

from vitcourse.grading.master import Master, Task, load_masters

LESSON, WRONG, SEED = "01_attention", 0.25, 0  # WRONG: the share of answers with a mistake
ACCOUNTS = Path("/sys/fs/cgroup/cpuacct")


def submission(master: Master, number: int) -> str:
    """The notebook of a student: for each exercise an answer of its bank, drawn by the student's number."""
    draw, notebook = random.Random(f"{SEED} {number}"), copy.deepcopy(master.notebook)
    before = None
    for cell in notebook.cells:
        facts = cell.metadata.get("nbgrader", {})
        if facts.get("solution"):
            before = cell
        elif (task := master.tasks.get(facts.get("grade_id"))) and before is not None:
            before.source = answer(task, draw)
    return nbformat.writes(notebook)


def answer(task: Task, draw: random.Random) -> str:
    """The code of the task's bank, without what judges it, and one of its answers under the task's name."""
    file = importlib.util.find_spec(f"tests.checks.bank.{task.exercise.replace('.', '_')}").origin
    kept, answers = [], {"right": [], "wrong": []}
    for node in ast.parse(Path(file).read_text(encoding="utf-8")).body[1:]:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for kind in filter(None, map(_kind, node.decorator_list)):
                answers[kind].append(node.name)
            node.decorator_list = []
        elif isinstance(node, ast.Expr) and (kind := _kind(node.value)):
            answers[kind].append(ast.unparse(node.value.args[0]))
        if not re.search(r"\bBANK\b|\btests\.", text := ast.unparse(node)):
            kept.append(text)
    wrong = bool(answers["wrong"]) and draw.random() < WRONG
    return "\n\n".join([*kept, f"{task.name} = {draw.choice(answers['wrong' if wrong else 'right'])}"])


def _kind(node: ast.expr) -> str:
    """Whether an expression calls an answer right or wrong."""
    found = re.match(r"BANK\.(right|wrong)\b", ast.unparse(node))
    return found[1] if found else ""


def write_class(students: int, file: Path) -> None:
    master = load_masters()[LESSON]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(students):
            folder = f"Student {number:04}_{10_000 + number}_assignsubmission_file"
            archive.writestr(f"{folder}/{master.name}.ipynb", submission(master, number))


@contextmanager
def account() -> Iterator[Path | None]:
    """A group whose processor time is counted, for this process and all that it starts."""
    group = ACCOUNTS / f"large-class-{time.time_ns()}"
    try:
        group.mkdir()
    except OSError:
        yield None
        return
    yield group
    with suppress(OSError):
        group.rmdir()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("students", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", default="0")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    table = given.folder / f"grades-{given.students}.csv"
    write_class(given.students, given.folder / "class.zip")
    words = [sys.executable, "-m", "vitcourse", "grade", given.folder / "class.zip", "--seed", "large", "--out", table]
    with account() as group:
        began, most = time.time(), 0
        process = subprocess.Popen([*map(str, words), "--jobs", given.jobs], stdout=subprocess.DEVNULL)
        if group is not None:
            (group / "cgroup.procs").write_text(str(process.pid))
        family = psutil.Process(process.pid)
        while process.poll() is None:
            held = 0
            with suppress(psutil.Error):
                for one in (family, *family.children(recursive=True)):
                    with suppress(psutil.Error):
                        held += one.memory_info().rss
            most = max(most, held)
            time.sleep(2)
        seconds = time.time() - began
        used = int((group / "cpuacct.usage").read_text()) / 1e9 if group is not None else None
    rows = table.read_text(encoding="utf-8").count("\n") - 1
    found = {
        "students": given.students,
        "exit_status": process.returncode,
        "rows": rows,
        "minutes_on_the_clock": round(seconds / 60, 1),
        "processor_seconds": used and round(used, 1),
        "processor_seconds_each": used and round(used / given.students, 2),
        "gigabytes_held_at_most": round(most / 2**30, 2),
        "megabytes_on_disk": round(sum(f.stat().st_size for f in given.folder.rglob("*") if f.is_file()) / 2**20),
    }
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()

"""Grades a large class and says what it took: ``python -m tests.grading.large_class 1000 FOLDER``.

The answers are the bank's, right ones and each known mistake, as students might hand them in: a Moodle zip of notebooks
for one lesson. FOLDER gets the zip, the table and the folder of grades. Processor time is counted where the system has
control groups (as root), and memory is the most that all processes together held, shared pages counted once. Broken
off, the same line goes on from there; what it took before is added, and how often that was is said.
"""

import argparse
import ast
import copy
import importlib.util
import inspect
import json
import os
import random
import subprocess
import sys
import textwrap
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
import psutil

from tests.checks.bank.entries import Bank
from vitcourse import results
from vitcourse.grading.master import Master, Task, load_masters

WRONG, SEED = 0.25, 0  # the share of answers with a mistake
ACCOUNTS = Path("/sys/fs/cgroup/cpuacct")
BANKS = "tests.checks.bank"


def submission(master: Master, number: int) -> str:
    """The notebook of a student: for each exercise an answer of its bank, drawn by the student's number."""
    draw, notebook = random.Random(f"{SEED} {number}"), copy.deepcopy(master.notebook)
    before = None
    for cell in notebook.cells:
        facts = cell.metadata.get("nbgrader", {})
        if facts.get("solution"):
            before = cell
        elif (task := master.tasks.get(facts.get("grade_id"))) and before is not None:
            before.source, _ = answer(task, draw)
    return nbformat.writes(notebook)


def answer(task: Task, draw: random.Random) -> tuple[str, str]:
    """The code of the task's bank, with one of its answers under the task's name, and the name of its mistake or ""."""
    name = task.exercise.replace(".", "_")
    bank = importlib.import_module(f"{BANKS}.{name}").BANK
    wrong = bool(bank.wrongs) and draw.random() < WRONG
    number = draw.randrange(len(bank.wrongs if wrong else bank.rights))
    chosen = f"wrongs[{number}][1]" if wrong else f"rights[{number}]"
    words = ["from collections.abc import Callable", inspect.getsource(Bank), *bank_as_function(name)]
    return "\n\n".join([*words, f"{task.name} = {name}()['BANK'].{chosen}"]), bank.wrongs[number][0] if wrong else ""


def bank_as_function(name: str) -> list[str]:
    """A file of the bank as a function that gives what it defines, so that no two get in each other's way."""
    file = importlib.util.find_spec(f"{BANKS}.{name}").origin
    before, body = [], []
    for node in ast.parse(Path(file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module.startswith(BANKS):
            if (other := node.module.rpartition(".")[2]) != "entries":
                before += bank_as_function(other)
                body += [f"{one.asname or one.name} = {other}()[{one.name!r}]" for one in node.names]
        else:
            body.append(ast.unparse(node))
    return [*dict.fromkeys(before), f"def {name}():\n" + textwrap.indent("\n".join([*body, "return locals()"]), "    ")]


def write_class(lesson: str, students: int, file: Path) -> None:
    master = load_masters()[lesson]
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
    parser.add_argument("--lesson", default="01_attention")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--record", action="store_true", help="keep what came of it in book/results")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    name = f"{given.lesson}-{given.students}"
    table = given.folder / f"{name}.csv"
    archive, kept = table.with_suffix(".zip"), table.with_suffix(".json")
    write_class(given.lesson, given.students, archive)
    words = ["grade", archive, "--seed", "large", "--out", table, "--jobs", given.jobs]
    words += ["--resume"] if kept.is_file() else []
    run = {"lesson": given.lesson, "students": given.students, "jobs": given.jobs}
    run |= {"cores": len(os.sched_getaffinity(0)), "load_before": round(os.getloadavg()[0], 1)}
    run |= measured([sys.executable, "-m", "vitcourse", *map(str, words)], kept)
    if run["exit_status"]:
        sys.exit(f"broken off after {run['clock_seconds']:.0f} s; the same line goes on")
    run["rows"] = table.read_text(encoding="utf-8").count("\n") - 1
    files = [archive, table, *table.with_suffix("").rglob("*")]
    run["megabytes_on_disk"] = round(sum(file.stat().st_size for file in files if file.is_file()) / 2**20)
    print(json.dumps(run, indent=1))
    if given.record:
        keep(run)


def measured(words: list[str], kept: Path) -> dict:
    """What a command took: seconds on the clock and of processors, and the memory that it held at most.

    Args:
        words: the command line.
        kept: a file for what a command took that was broken off: this one goes on, and the file goes when it ends well.
    """
    took = {"clock_seconds": 0.0, "processor_seconds": 0.0, "gigabytes_held_at_most": 0.0, "broken_off": -1}
    took = json.loads(kept.read_text()) if kept.is_file() else took
    took["broken_off"] += 1
    before, began = dict(took), time.time()
    with account() as group:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        if group is not None:
            (group / "cgroup.procs").write_text(str(process.pid))
        while process.returncode is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
            took["clock_seconds"] = round(before["clock_seconds"] + time.time() - began, 1)
            used = int((group / "cpuacct.usage").read_text()) / 1e9 if group is not None else 0.0
            took["processor_seconds"] = round(before["processor_seconds"] + used, 1)
            took["gigabytes_held_at_most"] = max(took["gigabytes_held_at_most"], _held(process.pid))
            kept.write_text(json.dumps(took))
    if process.returncode == 0:
        kept.unlink()
    return {"exit_status": process.returncode} | took


def _held(process: int) -> float:
    """Gigabytes that a process holds with all that it has started."""
    held = 0
    with suppress(psutil.Error):
        family = psutil.Process(process)
        for one in (family, *family.children(recursive=True)):
            with suppress(psutil.Error):
                held += one.memory_full_info().pss
    return round(held / 2**30, 2)


def keep(run: dict) -> None:
    """Puts a run among the recorded ones, in place of one of the same size."""
    file = results.FOLDER / "large_class.json"
    runs = json.loads(file.read_text(encoding="utf-8"))["runs"] if file.is_file() else []
    same = [one for one in runs if all(one[name] == run[name] for name in ("lesson", "students", "jobs"))]
    runs = [one for one in runs if one not in same] + [run | {"provenance": results.provenance()}]
    runs.sort(key=lambda one: (one["lesson"], one["students"], one["jobs"]))
    results.write("large_class", {"runs": runs}, sum(one["clock_seconds"] for one in runs))


def table(runs: list[dict]) -> str:
    """The rows of the guide's table."""
    rows = [
        (
            f"{run['students']:,}",
            f"{run['processor_seconds']:,.0f} s, {run['processor_seconds'] / run['students']:.1f} s each",
            f"{run['clock_seconds'] / 60:.0f} min",
            f"{run['load_before']:.0f}",
            f"{run['gigabytes_held_at_most']:.1f} GB",
            f"{run['megabytes_on_disk']} MB",
        )
        for run in runs
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    main()

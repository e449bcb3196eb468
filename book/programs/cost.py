"""Measure what each notebook costs to run, and record it for the lesson cards in book/results/lesson_cost.json.

    python book/programs/cost.py                  every notebook, on this machine's CPU, and on its GPU if it has one
    python book/programs/cost.py 01_attention     one lesson and its exercises; what is recorded of the others stays

A notebook's cells run in a fresh process, without Jupyter, which a GPU machine may not have. Run it on an idle machine:
seconds of the processor grow too, where other programs share its caches.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from vitcourse import results
from vitcourse.errors import InputError
from vitcourse.threads import NOTEBOOK

NAME = "lesson_cost"
EXERCISES = "_exercises"
# Runs the file that it is given, and says what it took: seconds of the processor, and memory of the machine and of a
# GPU at their peaks. Linux counts the memory of whoever starts a process as its own (ru_maxrss), but for VmHWM.
PROGRAM = """
import json, matplotlib, pathlib, resource, runpy, sys
matplotlib.use("agg")
runpy.run_path(sys.argv[1], run_name="__main__")
own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
peak = own.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
status = pathlib.Path("/proc/self/status")
if status.exists():
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    peak = int(lines["VmHWM"].split()[0]) * 1024
torch = sys.modules.get("torch")
held = torch.cuda.max_memory_reserved() if torch is not None and torch.cuda.is_available() else 0
seconds = sum(used.ru_utime + used.ru_stime for used in (own, others))
pathlib.Path(sys.argv[2]).write_text(json.dumps({"cpu": peak, "cuda": held, "seconds": seconds}))
"""


def code_cells(notebook: Path) -> list[str]:
    """The sources of a notebook's code cells."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def cells_key(notebook: Path) -> str:
    """A hash of a notebook's own code: while it stays, so does what is recorded of its cost."""
    return hashlib.sha256(json.dumps(code_cells(notebook)).encode()).hexdigest()[:16]


def notebooks(root: Path, lessons: list[str]) -> dict[str, Path]:
    """The notebooks of all lessons, or of those that are named, under the names that their costs are recorded by.

    Raises:
        InputError: a name that no lesson has.
    """
    found = {}
    for path in sorted(root.glob("lessons/*/*.ipynb")):
        lesson, stem = path.parent.name, path.stem.removesuffix(EXERCISES)
        own = lesson if lesson.endswith(f"_{stem}") else f"{lesson}/{stem}"  # a second page of a lesson
        found[own + (EXERCISES if path.stem.endswith(EXERCISES) else "")] = path
    known = sorted({path.parent.name for path in found.values()})
    for name in lessons:
        if name not in known:
            raise InputError(f"no lesson {name!r} (there are: {', '.join(known)})")
    return {name: path for name, path in found.items() if not lessons or path.parent.name in lessons}


def measure(notebook: Path, device: str) -> dict[str, float]:
    """Run the code of a notebook once, with the threads of a notebook.

    Args:
        device: ``"cpu"`` or ``"cuda"``; for the first, a GPU is hidden.

    Returns:
        On a CPU: ``seconds`` of the processor, ``threads``, and ``peak_gb`` of the process's memory. On a GPU:
        ``seconds`` of the clock from the start of the process to its end, and ``peak_gb`` of the GPU's memory.

    Raises:
        InputError: a cell failed; with the last line that it said.
    """
    env = {**os.environ, **NOTEBOOK, "VITCOURSE_STATIC": "1"}
    if device == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as folder:
        source, cost, log = (Path(folder, name) for name in ("notebook.py", "cost", "log"))
        source.write_text("\n\n".join(code_cells(notebook)), encoding="utf-8")
        begin = time.monotonic()
        with log.open("w") as stream:
            command = [sys.executable, "-c", PROGRAM, source, cost]
            options = {"stdout": stream, "stderr": subprocess.STDOUT, "check": False}
            status = subprocess.run(command, cwd=notebook.parent, env=env, **options).returncode
        passed = time.monotonic() - begin
        if status:
            lines = log.read_text(encoding="utf-8").strip().splitlines() or ["it said nothing"]
            raise InputError(f"{notebook}: failed on {device}: {lines[-1]}")
        used = json.loads(cost.read_text(encoding="utf-8"))
    peak = {"peak_gb": round(used[device] / 1e9, 2)}
    if device == "cuda":
        return {"seconds": round(passed, 1), **peak}
    return {"seconds": round(used["seconds"], 1), "threads": int(NOTEBOOK["OMP_NUM_THREADS"]), **peak}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", help="folders of lessons; all of them where none is named")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="folder of the course")
    options = parser.parse_args()
    root = options.root.resolve()
    begin = time.monotonic()
    devices = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    try:
        recorded = results.load(NAME) if (results.FOLDER / f"{NAME}.json").exists() else {}
        for name, path in notebooks(root, options.lessons).items():
            key = cells_key(path)
            if recorded.get(name, {}).get("cells") != key:  # what was measured of other cells is no longer true
                recorded[name] = {"cells": key}
            for device in devices:
                recorded[name][device] = cost = measure(path, device)
                print(f"  {name} on {device}: {cost['seconds']} s, {cost['peak_gb']} GB", flush=True)
    except InputError as error:
        print(f"Nothing is recorded. {error}")
        return 1
    print(f"Recorded: {results.write(NAME, recorded, time.monotonic() - begin)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

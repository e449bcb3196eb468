"""Measure what each lesson costs to run, and record it for the lesson cards in book/results/lesson_cost.json.

    python book/measure_cost.py                  every lesson, on this machine's CPU, and on its GPU if it has one
    python book/measure_cost.py 01_attention     one lesson; what is recorded of the others stays

A lesson's cells run in a fresh process, without Jupyter, which a GPU machine may not have. Run it on an idle machine.
"""

import argparse
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

NAME = "lesson_cost"
# Runs the file that it is given, and says how much memory it took at most: on the machine, and on a GPU.
# Linux counts the memory of whoever starts a process as its own (ru_maxrss), but for the line VmHWM.
PROGRAM = """
import matplotlib, pathlib, resource, runpy, sys
matplotlib.use("agg")
runpy.run_path(sys.argv[1], run_name="__main__")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
status = pathlib.Path("/proc/self/status")
if status.exists():
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    peak = int(lines["VmHWM"].split()[0]) * 1024
torch = sys.modules.get("torch")
held = torch.cuda.max_memory_reserved() if torch is not None and torch.cuda.is_available() else 0
pathlib.Path(sys.argv[2]).write_text(f"{peak} {held}")
"""


def lessons(root: Path, names: list[str]) -> dict[str, Path]:
    """The lesson of each folder, or of those that are named.

    Raises:
        InputError: a name that no folder has.
    """
    found = {path.parent.name: path for path in sorted(root.glob("lessons/*/*.ipynb")) if "_exercises" not in path.stem}
    for name in names:
        if name not in found:
            raise InputError(f"no lesson {name!r} (there are: {', '.join(found)})")
    return {name: path for name, path in found.items() if not names or name in names}


def measure(notebook: Path, device: str, threads: int) -> dict[str, float]:
    """Run the code of a lesson once.

    Args:
        device: ``"cpu"`` or ``"cuda"``; for the first, a GPU is hidden.

    Returns:
        ``seconds`` from the start of the process to its end; on a CPU ``threads`` and ``peak_gb`` of its memory, on a
        GPU ``peak_gb`` of the GPU's memory.

    Raises:
        InputError: a cell failed; with the last line that it said.
    """
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    env = {**os.environ, "VITCOURSE_STATIC": "1", "OMP_NUM_THREADS": str(threads)}
    if device == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as folder:
        source, peaks, log = (Path(folder, name) for name in ("lesson.py", "peaks", "log"))
        source.write_text(code, encoding="utf-8")
        begin = time.monotonic()
        with log.open("w") as stream:
            command = [sys.executable, "-c", PROGRAM, source, peaks]
            options = {"stdout": stream, "stderr": subprocess.STDOUT, "check": False}
            status = subprocess.run(command, cwd=notebook.parent, env=env, **options).returncode
        seconds = round(time.monotonic() - begin, 1)
        if status:
            lines = log.read_text(encoding="utf-8").strip().splitlines() or ["it said nothing"]
            raise InputError(f"{notebook}: failed on {device}: {lines[-1]}")
        machine, gpu = (round(int(size) / 1e9, 2) for size in peaks.read_text().split())
    return (
        {"seconds": seconds, "peak_gb": gpu}
        if device == "cuda"
        else {"seconds": seconds, "threads": threads, "peak_gb": machine}
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lessons", nargs="*", help="folders of lessons; all of them where none is named")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="folder of the course")
    parser.add_argument("--threads", type=int, default=2, help="threads on the CPU")
    options = parser.parse_args()
    root = options.root.resolve()
    begin = time.monotonic()
    devices = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    try:
        recorded = results.load(NAME) if (results.FOLDER / f"{NAME}.json").exists() else {}
        for name, path in lessons(root, options.lessons).items():
            for device in devices:
                recorded.setdefault(name, {})[device] = cost = measure(path, device, options.threads)
                print(f"  {name} on {device}: {cost['seconds']} s, {cost['peak_gb']} GB", flush=True)
    except InputError as error:
        print(f"Nothing is recorded. {error}")
        return 1
    print(f"Recorded: {results.write(NAME, recorded, time.monotonic() - begin)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

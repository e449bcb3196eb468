"""The recorded runs ``bench_cpu`` and ``bench_cuda``: our models beside those of other libraries, on this machine."""

import time
from collections.abc import Callable
from pathlib import Path

import torch

from vitcourse import results
from vitcourse.recipes.speed.cases import MODELS, cases, measure
from vitcourse.recipes.speed.report import case_name


def record(data: str | Path | None = None, say: Callable[[str], None] = print) -> Path:  # noqa: ARG001
    """Measures every case and writes ``bench_cpu.json`` or, where there is a CUDA device, ``bench_cuda.json``."""
    started = time.perf_counter()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = []
    for case in cases(list(MODELS), device):
        rows.append(measure(case, device))
        ratios = ", ".join(f"{library} {found['median']:.3f}" for library, found in rows[-1]["ratio"].items())
        say(f"{case_name(rows[-1])}: ours over {ratios}")
    return results.write(f"bench_{device.type}", {"rows": rows}, time.perf_counter() - started)

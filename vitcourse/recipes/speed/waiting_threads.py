"""The recorded run ``waiting_threads``: what waiting threads cost PyTorch, alone and beside busy programs.

The threads that share a computation wait for one another, and may keep their cores busy meanwhile ("as PyTorch comes")
or sleep (`vitcourse.threads`). A training step of the course's sign backbone is timed under several ways to wait, each
in a process of its own, in turn, round after round: on a machine that does nothing else, and beside as many busy
programs as there are cores.
"""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median

from vitcourse.recipes import Say, recipe
from vitcourse.threads import NOTEBOOK, WAITING

# GNU's OpenMP, when nothing is said, turns 300,000 times in its loop before a thread sleeps.
WAYS = {
    "as PyTorch comes": {"GOMP_SPINCOUNT": "300000"},
    "a short wait": WAITING,
    "asleep at once": {"OMP_WAIT_POLICY": "passive"},
    "one thread": NOTEBOOK,
}
BATCH, STEPS, ROUNDS = 32, 2, 10
SERVER = "from vitcourse.recipes.speed.waiting_threads import serve; serve()"


def serve() -> None:
    """In a process of its own: for each number read, takes so many steps and tells the seconds of one."""
    import torch

    from vitcourse.asl import ClassificationBBoxTransformer, SignLoss
    from vitcourse.asl.backbones.ours import sign_backbone

    torch.manual_seed(0)
    model, loss = ClassificationBBoxTransformer(sign_backbone()).train(), SignLoss()
    size, optimizer = model.image_size, torch.optim.AdamW(model.parameters(), lr=1e-5)
    images = torch.randint(0, 256, (BATCH, 3, size, size), dtype=torch.uint8)
    box = torch.tensor([0.2, 0.2, 0.7, 0.8]).expand(BATCH, 4)
    batch = {"image": images, "label": torch.arange(BATCH) % 26, "box": box}
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            optimizer.zero_grad()
            loss(model, batch)["loss"].backward()
            optimizer.step()
        print((time.perf_counter() - start) / int(line), flush=True)


@contextmanager
def busy(programs: int) -> Iterator[None]:
    """So many programs that do nothing but turn."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(programs)]
    try:
        yield
    finally:
        for program in running:
            program.kill()
            program.wait()


def server(settings: dict[str, str]) -> subprocess.Popen:
    """A process that takes steps, under these settings and no others of OpenMP."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_", "KMP_"))}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", SERVER], env={**env, **settings}, **pipes)


def step_seconds(process: subprocess.Popen) -> float:
    process.stdin.write(f"{STEPS}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


@recipe("waiting_threads")
def record(say: Say) -> dict:
    """Times every way beside nothing and beside busy programs."""
    rows, order = [], random.Random(0)
    with ExitStack() as stack:
        servers = {name: stack.enter_context(server(settings)) for name, settings in WAYS.items()}
        for process in servers.values():
            step_seconds(process)  # the first step of a process is slower
        for programs in (0, os.cpu_count() or 1):
            times: dict[str, list[float]] = {name: [] for name in WAYS}
            with busy(programs):
                for _ in range(ROUNDS):
                    for name in order.sample(list(WAYS), len(WAYS)):
                        times[name].append(step_seconds(servers[name]))
            rows += [row(name, programs, times) for name in WAYS]
            for one in rows[-len(WAYS) :]:
                say(f"{one['way']}, beside {programs}: {one['seconds']['median']:.2f} s a step")
        for process in servers.values():
            process.stdin.close()
    return {"batch_size": BATCH, "steps": STEPS, "rounds": ROUNDS, "cores": os.cpu_count(), "rows": rows}


def row(way: str, programs: int, times: dict[str, list[float]]) -> dict:
    """The seconds of a step one way, and their ratio to those of the first way, round by round."""
    ratios = [mine / first for mine, first in zip(times[way], times[next(iter(WAYS))], strict=True)]
    spread = {
        name: {"median": round(median(values), 4), "least": round(min(values), 4), "greatest": round(max(values), 4)}
        for name, values in {"seconds": times[way], "ratio": ratios}.items()
    }
    return {"way": way, "settings": WAYS[way], "busy_programs": programs, **spread}

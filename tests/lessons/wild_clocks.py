"""Clocks that nobody should trust: run by a kernel as it starts, from IPython's folder of start-up files.

The clocks of ``time``, as called from a notebook's cells and from ``vitcourse``, run 1 to 50 times as fast as they
should and jump between two calls, forwards and backwards. All others (the kernel, the libraries) have true ones.
"""

import os
import random
import sys
import time

CLOCKS = ("time", "perf_counter", "monotonic", "process_time", "thread_time")
FOOLED = ("__main__", "vitcourse")
JUMP = 30.0  # seconds
draw = random.Random(int(os.environ.get("VITCOURSE_CLOCKS", "0")))


def make_wild(name: str, second: float) -> None:
    """Replaces a clock; ``second`` is how much it counts in a second."""
    true = getattr(time, name)
    last = says = true()

    def clock():
        nonlocal last, says
        now = true()
        if sys._getframe(1).f_globals.get("__name__", "").partition(".")[0] not in FOOLED:
            return now
        says += type(now)(draw.uniform(1, 50) * (now - last) + draw.uniform(-JUMP, JUMP) * second)
        last = now
        return says

    setattr(time, name, clock)


for name in CLOCKS:
    make_wild(name, 1.0)
    make_wild(f"{name}_ns", 1e9)

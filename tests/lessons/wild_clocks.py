"""Clocks that nobody should trust: run by a kernel as it starts, from IPython's folder of start-up files.

The clocks of ``time``, as called from a notebook's cells and from ``vitcourse``, run 1 to 50 times as fast as they
should and jump between two calls, forwards and backwards. All others (the kernel, the libraries) have true ones.
"""


def make_clocks_wild():
    # All within one function: what is defined here would else be there for the cells, and hide a missing import.
    import os
    import random
    import sys
    import time

    clocks = ("time", "perf_counter", "monotonic", "process_time", "thread_time")
    fooled, jump = ("__main__", "vitcourse"), 30.0  # seconds
    draw = random.Random(int(os.environ.get("VITCOURSE_CLOCKS", "0")))

    def wild(name, second):
        """Another clock in place of this one; ``second`` is how much it counts in a second."""
        true = getattr(time, name)
        last = says = true()

        def clock():
            nonlocal last, says
            now = true()
            if sys._getframe(1).f_globals.get("__name__", "").partition(".")[0] not in fooled:
                return now
            says += type(now)(draw.uniform(1, 50) * (now - last) + draw.uniform(-jump, jump) * second)
            last = now
            return says

        return clock

    for name in clocks:
        for form, second in ((name, 1.0), (f"{name}_ns", 1e9)):
            setattr(time, form, wild(form, second))


make_clocks_wild()
del make_clocks_wild

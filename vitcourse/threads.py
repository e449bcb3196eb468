"""How PyTorch's threads wait for each other, and how many a notebook uses.

Between two operations the threads of OpenMP burn their core while they wait, for milliseconds, because the next
operation usually comes at once. Where other programs want the cores too, a thread then waits for one that has none,
and burns the core that this one needs: beside busy programs a training step takes several times as long as it must.
With a short wait, after which a thread sleeps, it does not, and alone it takes no longer than before (the recorded run
``waiting_threads``; a wait of a tenth of this one's costs some per cent when alone).

OpenMP reads the environment once, when PyTorch is loaded: what is set here must be set before.
"""

import os

# GNU's OpenMP, in PyTorch for Linux, counts turns of its loop; LLVM's and Intel's, elsewhere, count milliseconds.
WAITING = {"GOMP_SPINCOUNT": "10000", "KMP_BLOCKTIME": "1"}
# Notebooks compute on one thread: their models are so small that more mostly wait, the sums come out alike whatever
# the number of cores, and a reader's other programs keep theirs. Trainings by the command use all cores.
NOTEBOOK = {**WAITING, "OMP_NUM_THREADS": "1"}


def wait_briefly() -> None:
    """Sets the short wait for this process and those that it starts, unless the environment says how to wait."""
    if "OMP_WAIT_POLICY" not in os.environ:
        for name, value in WAITING.items():
            os.environ.setdefault(name, value)

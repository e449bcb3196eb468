"""Work on many things at once, in processes that are forked from this one; one that dies costs what it worked on."""

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from multiprocessing.connection import Connection, wait
from typing import NoReturn, TypeVar

from vitcourse.errors import InputError
from vitcourse.grading.walled.inner_wall import die_with_parent

Item, Result = TypeVar("Item"), TypeVar("Result")
Start = Callable[[int], AbstractContextManager[Callable[[Item], Result]]]
READY = "ready"


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_jobs(start: Start, items: Sequence[Item], jobs: int) -> Iterator[tuple[int, Result | None]]:
    """Yields the place of an item and what came of it, as it comes; None where its process has died.

    Close it to end all processes at once. Outside Linux, where a fork is not safe, there is one job: this process.

    Args:
        start: called in each process with its number, which begins with 0: gives what works on an item.
        items: what to work on; they are begun in this order.
        jobs: how many processes there are at most.
    """
    if not sys.platform.startswith("linux"):
        with start(0) as work:
            yield from ((place, work(item)) for place, item in enumerate(items))
        return
    todo, workers = deque(enumerate(items)), [_Worker(start, number) for number in range(min(jobs, len(items)))]
    try:
        while any(worker.place is not None for worker in workers) or todo:
            if not workers:
                raise InputError("the processes that grade do not start: is there enough memory?")
            heard = wait([worker.channel for worker in workers])
            for worker in [worker for worker in workers if worker.channel in heard]:
                place, answer = worker.place, worker.hear()
                worker.place = None
                if place is not None:
                    yield place, answer
                if answer is None:
                    worker.end()
                    workers.remove(worker)
                    # One that has begun to work is replaced; one that could not begin would not the next time either.
                    workers += [_Worker(start, worker.number)] if place is not None and todo else []
                elif todo:
                    worker.give(*todo.popleft())
                else:
                    worker.end()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.end()


class _Worker:
    """A process, and the place of the item that it works on."""

    def __init__(self, start: Start, number: int):
        self.number, self.place = number, None
        context = multiprocessing.get_context("fork")
        self.channel, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(start, number, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def give(self, place: int, item: Item) -> None:
        self.place = place
        with suppress(OSError):  # it has died, which the next `hear` finds
            self.channel.send(item)

    def hear(self) -> Result | None:
        with suppress(EOFError, OSError):
            return self.channel.recv()
        return None

    def end(self) -> None:
        self.channel.close()
        self.process.kill()
        self.process.join()


def _work(start: Start, number: int, channel: Connection) -> NoReturn:
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    die_with_parent()
    torch.set_num_threads(1)  # threads do not outlive a fork, and jobs share the cores
    with start(number) as work:
        channel.send(READY)
        while True:
            channel.send(work(channel.recv()))

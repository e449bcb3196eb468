"""Several processes that train one model, as ``accelerate launch`` starts them: each has its share of every batch."""

import math
from collections.abc import Iterator

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list, set_seed
from torch import Tensor

STRIDE = 1_000_003_000  # between the seeds of two processes: more than any epoch of any run adds


def first_process() -> bool:
    """Whether this is the process that writes files and shows progress: the first, or the only one."""
    return Accelerator().is_main_process


def own_device() -> torch.device:
    """Where this process trains."""
    return Accelerator().device


def seed_process(seed: int, rank: int) -> int:
    """Seeds Python, NumPy and torch; two processes must not draw the same dropout. Returns the seed."""
    own = (seed + rank * STRIDE) % 2**32
    set_seed(own)
    return own


class Batches:
    """The batches of an epoch, shuffled, and this process's share of each.

    However many processes there are, the batches hold the same items, so that the same update comes of them. Iterating
    gives lists of places in the data set; a process that a small batch leaves nothing for gets one item that counts
    nothing (see `weight`).

    Args:
        count: items in the data set.
        accumulate: batches that make one update.
    """

    def __init__(self, count: int, batch_size: int, accumulate: int, rank: int, world: int):
        if not count:
            raise ValueError("the data set is empty")
        self.count, self.batch_size, self.accumulate = count, batch_size, accumulate
        self.rank, self.world = rank, world
        self.order = list(range(count))

    def __len__(self) -> int:
        return math.ceil(self.count / self.batch_size)

    @property
    def updates(self) -> int:
        """Updates of the weights in an epoch."""
        return math.ceil(len(self) / self.accumulate)

    def shuffle(self, seed: int) -> None:
        """Puts the items into another order."""
        generator = torch.Generator().manual_seed(seed)
        torch.empty((), dtype=torch.int64).random_(generator=generator)  # what a DataLoader draws for its workers
        self.order = torch.randperm(self.count, generator=generator).tolist()

    def __iter__(self) -> Iterator[list[int]]:
        for batch in range(len(self)):
            whole = self._whole(batch)
            yield whole[self.rank :: self.world] or whole[:1]

    def own_count(self, batch: int) -> int:
        """Items of a batch that count for this process."""
        return len(self._whole(batch)[self.rank :: self.world])

    def weight(self, batch: int) -> float:
        """What this process's mean over a batch is multiplied by, so that the mean over the processes of the sum over
        the batches of an update is the mean over all of its items.
        """
        first = batch - batch % self.accumulate
        ends = min(first + self.accumulate, len(self)) * self.batch_size
        items = min(ends, self.count) - first * self.batch_size
        return self.own_count(batch) * self.world / items

    def updates_after(self, batch: int) -> bool:
        """Whether the weights are updated after this batch."""
        return (batch + 1) % self.accumulate == 0 or batch + 1 == len(self)

    def _whole(self, batch: int) -> list[int]:
        return self.order[batch * self.batch_size : (batch + 1) * self.batch_size]


def mean_over_processes(accelerator: Accelerator, values: list[float], count: int) -> tuple[list[float], int]:
    """Means of one process's items to means over the items of all, and how many there are of them."""
    if accelerator.num_processes == 1:
        return values, count
    sums = torch.tensor([value * count for value in values] + [count], dtype=torch.float64, device=accelerator.device)
    *sums, total = accelerator.reduce(sums, "sum").tolist()
    return [value / total for value in sums], round(total)


def told_by_first(accelerator: Accelerator, make) -> dict:
    """What ``make()`` returns in the first process, in all of them: they must decide alike."""
    if accelerator.num_processes == 1:
        return make()
    told = [make() if accelerator.is_main_process else None]
    return broadcast_object_list(told)[0]


def to_device(batch: dict, device: torch.device) -> dict:
    """A batch with its tensors on the device; what is no tensor stays."""
    return {
        name: value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
        for name, value in batch.items()
    }

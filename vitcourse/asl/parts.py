"""The images of an export in the parts that a run sees: what it trains on, what it holds out, and valid."""

import copy
import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from torch import Tensor

from vitcourse.data.asl import AslDataset, Copy, InMemory, hold_out, load, tighten
from vitcourse.errors import InputError

LABELS = ("exported", "tight")
HOLD_OUT_SEED = 0  # the same photos are held out in every run


class Parts:
    """An export of which each split is read and checked when it is first asked for, and decoded once for each size.

    Args:
        data: an export folder, see `data.asl.load`.
        copies: pairs of images of one photo (`data.asl.find_copies`) that must not be parted by the hold-out; images
            that the exporter made of one photo are kept together without.
        background: what photos without a box are, see `data.asl.load`.
        tight: the tight boxes of train (N, 4), where they are known; else they are solved for when asked for.
    """

    def __init__(
        self,
        data: str | Path,
        copies: Iterable[Copy] = (),
        background: str = "refuse",
        tight: Tensor | None = None,
    ):
        self.data, self.copies, self.background, self._tight = data, list(copies), background, tight
        self._splits: dict[str, AslDataset] = {}
        self._decoded: dict[tuple[str, int], InMemory] = {}

    def split(self, name: str) -> AslDataset:
        """ "train" or "valid" on disk."""
        if name not in self._splits:
            self._splits[name] = load(self.data, name, self.background)
        return self._splits[name]

    def places(self, share: float) -> tuple[list[int], list[int]]:
        """Which images of train are trained on, and which held out: a share of the photos of each letter, or none.

        Raises:
            InputError: one side of a hold-out would be empty.
        """
        train = self.split("train")
        if not share:
            return list(range(len(train))), []
        kept, held = hold_out(train.files, train.labels.tolist(), share, HOLD_OUT_SEED, self.copies)
        if not kept or not held:
            raise InputError(f"{self.data}: holding out {share:.0%} of the photos of train leaves one side empty")
        return kept, held

    def images(self, size: int, *names: str, on_image: Callable[[int, int], None] | None = None) -> list[InMemory]:
        """Splits in memory, with one count of progress over what is decoded for it, ``on_image(done, total)``."""
        new, done = [name for name in names if (name, size) not in self._decoded], 0
        total = sum(len(self.split(name)) for name in new)
        for name in new:
            progress = on_image and (lambda i, _, before=done: on_image(before + i, total))
            self._decoded[name, size] = InMemory(self.split(name), size, progress=progress)
            done += len(self.split(name))
        return [self._decoded[name, size] for name in names]

    def boxes(self, labels: str, on_pair: Callable[[int, int], None] | None = None) -> Tensor:
        """The boxes of train (N, 4): as "exported", or "tight" (`data.asl.tighten`), which takes minutes once.

        Args:
            on_pair: called as ``on_pair(done, total)`` while copies of one photo are registered to each other.
        """
        train = self.split("train")
        if labels == "exported":
            return train.boxes
        if self._tight is None:
            self._tight = tighten(train, progress=on_pair).boxes
        return self._tight

    def kept(self, size: int, share: float) -> InMemory:
        """What is trained on where a share is held out."""
        return subset(*self.images(size, "train"), self.places(share)[0])

    def counts(self, share: float) -> dict[str, int]:
        """Images of each part."""
        kept, held = self.places(share)
        sizes = (len(self.split("train")), len(kept), len(held), len(self.split("valid")))
        return dict(zip(("train", "kept", "held_out", "valid"), sizes, strict=True))

    def digest(self, places: Iterable[int]) -> str:
        """Of the names and letters of some images of train, and of their order."""
        train, digest = self.split("train"), hashlib.sha256()
        for place in places:
            digest.update(f"{Path(train.files[place]).name} {int(train.labels[place])}\n".encode())
        return digest.hexdigest()


def relabelled(memory: InMemory, boxes: Tensor) -> InMemory:
    """The same images with other boxes."""
    other = copy.copy(memory)
    other.boxes = boxes
    return other


def subset(memory: InMemory, places: Sequence[int]) -> InMemory:
    """Some of the images of a data set in memory."""
    part, places = copy.copy(memory), list(places)
    part.images, part.labels, part.boxes = memory.images[places], memory.labels[places], memory.boxes[places]
    part.files = [memory.files[place] for place in places]
    return part

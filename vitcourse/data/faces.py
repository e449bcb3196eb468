"""Faces of people: identity folders as data sets, and rendered ones made on the spot.

`load` reads a folder that holds one folder of pictures for each person; `synthesise` writes one with rendered faces.
The pictures show a face and little else, as a detector crops them (``vitcourse crop faces``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from vitcourse.data.asl import resize
from vitcourse.data.copies import Copy
from vitcourse.data.images import decode
from vitcourse.data.people import PARTS, divide, read
from vitcourse.errors import InputError
from vitcourse.files import whole_folder
from vitcourse.heads import render

__all__ = ["PARTS", "FaceDataset", "Pictures", "in_memory", "load", "render", "synthesise"]

README = """Rendered faces: {people} people who do not exist, {images} pictures of {size} x {size} pixels each.

Made by data.faces.synthesise(people={people}, images={images}, size={size}, seed={seed}); no photo went in.
"""


class FaceDataset(Dataset):
    """Pictures of known people on disk, decoded when asked for.

    An item is a dict: ``image`` (uint8, (3, height, width), upright, in the file's own size; grey ones have three equal
    channels), ``label`` (int, the place of the person in ``names``) and ``file`` (str).
    """

    def __init__(self, names: Sequence[str], files: Sequence[Path], labels: Sequence[int]):
        self.names = list(names)
        self.files = [str(file) for file in files]
        self.labels = torch.tensor(labels, dtype=torch.int64)

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> dict:
        return {"image": decode(self.files[index]), "label": int(self.labels[index]), "file": self.files[index]}


class Pictures(Dataset):
    """A data set of faces resized to one size and held as one uint8 tensor, so that an epoch decodes nothing.

    Items are dicts ``image`` (uint8, (3, size, size), stretched to the square) and ``label``; ``names`` are those of
    the data set.
    """

    def __init__(self, dataset: FaceDataset, size: int, progress: Callable[[], None] = lambda: None):
        self.names, self.labels = dataset.names, dataset.labels
        self.images = torch.empty(len(dataset), 3, size, size, dtype=torch.uint8)
        for i in range(len(dataset)):
            self.images[i] = resize(dataset[i]["image"], size)
            progress()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict:
        return {"image": self.images[index], "label": self.labels[index]}


def in_memory(
    sets: Mapping[str, FaceDataset], size: int, progress: Callable[[int, int], None] | None = None
) -> dict[str, Pictures]:
    """The parts that `load` gives, decoded; ``progress`` is called with (pictures done, pictures in all)."""
    total, done = sum(map(len, sets.values())), count(1)
    step = (lambda: None) if progress is None else (lambda: progress(next(done), total))
    return {name: Pictures(dataset, size, step) for name, dataset in sets.items()}


def load(
    root: str | Path,
    *,
    valid: float = 0.2,
    test: float = 0.2,
    least: int = 1,
    seed: int = 0,
    few: str = "refuse",
    copies: Iterable[Copy] | None = None,
    strangers: int = 0,
) -> dict[str, FaceDataset]:
    """Reads identity folders and shares each person's pictures out among "train", "valid" and "test".

    Everything but the pixels is checked before this returns. A person's pictures are shared out by the seed and the
    person's name alone: other people in the folder change nothing. Pictures of one moment stay together: of two frames
    that show the same, one in train would give the other away.

    Args:
        root: one folder a person; see `data.people.read`.
        valid, test: shares of each person's pictures, with at least ``least`` in each; 0 leaves a part empty.
        least: pictures of each person in each part.
        few: people who have not enough: "refuse" them, naming each, or "skip" them with a `DataNote`.
        copies: pairs of pictures of one moment; they are searched for where it is None (see `data.copies.find_copies`).
        strangers: so many people, drawn by the seed, are kept out of the three, with all their pictures: a fourth data
            set "strangers" holds them, with the label -1, to see what a model says of somebody whom it never saw.

    Returns:
        The three data sets by name, all with the same ``names``, in the order of which labels count; and the fourth.

    Raises:
        DataError: naming the folder or file at fault, or the people with too few pictures.
        InputError: an argument is out of its range.
    """
    divided = divide(Path(root), read(root), valid, test, least, seed, few, copies)
    if not 0 <= strangers <= len(divided) - 2:
        raise InputError(f"strangers must leave two people of {len(divided)}, got {strangers}")
    drawn = np.random.default_rng(seed).permutation(len(divided))[:strangers].tolist()
    unknown = [divided.pop(name) for name in [list(divided)[place] for place in drawn]]
    sets = {}
    for part in PARTS:
        rows = [(file, label) for label, parts in enumerate(divided.values()) for file in parts[part]]
        sets[part] = FaceDataset(list(divided), [file for file, _ in rows], [label for _, label in rows])
    if strangers:
        files = [file for parts in unknown for part in PARTS for file in parts[part]]
        sets["strangers"] = FaceDataset(list(divided), files, [-1] * len(files))
    return sets


def synthesise(
    out: str | Path,
    people: int = 40,
    images: int = 10,
    size: int = 64,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes identity folders with rendered faces: ``person01/01.png`` and so on, and a README.

    The folder appears when it is complete; nothing is left behind where the writing fails or is interrupted.

    Args:
        out: a folder that is empty or does not exist yet.
        people, images: how many people, two or more, and how many pictures of each.
        size: pixels along a side.
        seed: 0 or more; the same one gives the same files, another one other people.
        progress: called with (pictures done, pictures in all).

    Raises:
        InputError: ``out`` is in use, or a number is out of range.
    """
    if people < 2 or images < 1:
        raise InputError(f"two people or more with a picture each are needed, got {people} people, {images} pictures")
    digits = [len(str(count)) for count in (people, images)]
    with whole_folder(Path(out)) as partial:
        for person in range(people):
            folder = partial / f"person{person + 1:0{digits[0]}}"
            folder.mkdir()
            who = torch.full((images,), person)
            for number, picture in enumerate(render(who, seed, size, first=person * images), start=1):
                Image.fromarray(picture.permute(1, 2, 0).numpy()).save(folder / f"{number:0{digits[1]}}.png")
            if progress is not None:
                progress((person + 1) * images, people * images)
        facts = README.format(people=people, images=images, size=size, seed=seed)
        (partial / "README.txt").write_text(facts, encoding="utf-8")
